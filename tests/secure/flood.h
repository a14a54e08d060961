/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of the programs of the test `flood`. */
#ifndef NOVA_TESTS_SECURE_FLOOD_H
#define NOVA_TESTS_SECURE_FLOOD_H

#include "novart/session.h"

#include "probe.h"

/* The service `flooder` takes a kind of PROBE_FLOOD, or FLOOD_IDLE. It answers with the number of
 * calls since the last request, and with the number of wrong statuses among them. */
#define FLOOD_IDLE PROBE_FLOOD_KINDS

/* The service `ordinary` boots a normal VM. It answers 1 if the VM has ended as it should. */

/* Calls a service with one word. @return false if that failed */
static inline bool flood_ask(struct nova_session *session, nova_word_t word, nova_word_t *answer,
                             unsigned words)
{
        struct nova_message message = {.operation = NOVA_OPERATION_FIRST,
                                       .words = &word,
                                       .word_count = 1,
                                       .answer = answer,
                                       .answer_max = words};

        return !nova_session_call(session, &message) && message.answer_count == words;
}

#endif
