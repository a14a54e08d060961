/* SPDX-License-Identifier: BSD-2-Clause */
/* The client: opens two sessions with separate sums. */
#include "counter.h"

#include <novart/session.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program with a sentence if ERROR, an errno value, is not 0. */
static void check(const char *what, int error)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static unsigned add(struct nova_session *session, nova_word_t number)
{
        nova_word_t sum = 0;
        struct nova_message message = {.operation = COUNTER_ADD,
                                       .words = &number,
                                       .word_count = 1,
                                       .answer = &sum,
                                       .answer_max = 1};

        check("the call", nova_session_call(session, &message));
        return (unsigned)sum;
}

int main(void)
{
        struct nova_session *one, *other;

        check("the first session", nova_session_open(&one, "counter", NULL));
        check("the second session", nova_session_open(&other, "counter", NULL));

        const unsigned first = add(one, 1), second = add(one, 2);

        printf("%u and %u, then %u\n", first, second, add(other, 10));
        nova_session_close(one);

        /* The handler never sees calls that the table forbids. */
        printf("two words: %s\n", strerror(nova_session_invoke(other, COUNTER_ADD, 1, 2)));
        printf("no such operation: %s\n", strerror(nova_session_invoke(other, 999, 0, 0)));
        nova_session_close(other);
        return 0;
}
