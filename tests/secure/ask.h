/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the services of test programs. */
#ifndef NOVA_TESTS_SECURE_ASK_H
#define NOVA_TESTS_SECURE_ASK_H

#include <stdbool.h>

#include "novart/session.h"

/* Calls a service. @return true if it answers with exactly @p answers words */
static inline bool ask(struct nova_session *session, const nova_word_t *words, unsigned count,
                       nova_word_t *answer, unsigned answers)
{
        struct nova_message message = {.operation = NOVA_OPERATION_FIRST,
                                       .words = words,
                                       .word_count = count,
                                       .answer = answer,
                                       .answer_max = answers};

        return !nova_session_call(session, &message) && message.answer_count == answers;
}

#endif
