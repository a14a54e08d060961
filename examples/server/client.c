/* SPDX-License-Identifier: BSD-2-Clause */
/* A client with two independent sessions. */
#include <novart/session.h>
#include <stdio.h>
#include <string.h>

#include "adder.h"

static int add(struct nova_session *session, nova_word_t number, nova_word_t *sum)
{
        struct nova_message message = {.operation = ADDER_ADD,
                                       .words = &number,
                                       .word_count = 1,
                                       .answer = sum,
                                       .answer_max = 1};

        return nova_session_call(session, &message);
}

int main(void)
{
        struct nova_session *one, *two;
        nova_word_t sum = 0;

        if (nova_session_open(&one, "adder", NULL) || nova_session_open(&two, "adder", NULL))
                return 1;
        for (nova_word_t i = 1; i <= 4; i++) {
                add(one, i, &sum);
                add(two, 10 * i, &sum);
        }
        printf("the second sum is %zu\n", (size_t)sum);

        /* The handler never sees calls that the table forbids. */
        printf("two words: %s\n", strerror(nova_session_invoke(one, ADDER_ADD, 1, 2)));
        printf("no such operation: %s\n", strerror(nova_session_invoke(one, ADDER_ADD + 1, 1, 2)));
        nova_session_close(one);
        return 0; /* the other session ends with the program */
}
