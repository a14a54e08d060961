/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls a service until it has eight answers. When the server dies, the call fails; the client
 * reopens the session and continues. */
#include <novart/session.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "counter.h"

#define WANTED 8

int main(void)
{
        struct nova_session *session;
        int error = nova_session_open(&session, "counter", NULL);

        for (unsigned answers = 0; answers < WANTED && !error;) {
                nova_word_t number = 0;
                struct nova_message message = {
                        .operation = COUNTER_NEXT, .answer = &number, .answer_max = 1};

                error = nova_session_call(session, &message);
                if (error == ECONNRESET) {
                        puts("the server is dead");
                        error = nova_session_reopen(
                                session); /* waits up to 5 s for the restarted server */
                } else if (!error) {
                        printf("answer %u: call number %u\n", ++answers, (unsigned)number);
                }
        }
        if (error) {
                printf("no answer: %s\n", strerror(error));
                return 1;
        }
        nova_session_close(session);
        return 0;
}
