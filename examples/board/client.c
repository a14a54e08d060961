/* SPDX-License-Identifier: BSD-2-Clause */
/* A client: posts four lines on the board and shows the board at the end. If the server dies, it
 * reopens the session and posts the line again. */
#include <novart/page.h>
#include <novart/session.h>
#include <novart/thread.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "board.h"

#define POSTS 4

/* Posts the line in the shared page. Returns 0 or an errno value. */
static int post(struct nova_session *session, nova_word_t *number)
{
        struct nova_message message = {.operation = BOARD_POST, .answer = number, .answer_max = 1};

        return nova_session_call(session, &message);
}

static int post_all(struct nova_session *session, char *page, nova_word_t *number)
{
        for (unsigned i = 0; i < POSTS;) {
                snprintf(page, BOARD_LINE, "line %u from CPU %u", i + 1,
                         (unsigned)nova_thread_cpu());

                int error = post(session, number);

                if (error == ECONNRESET) {
                        puts("the server is dead");
                        error = nova_session_reopen(session); /* this also shares the page again */
                        if (!error)
                                puts("the session is open again");
                } else if (!error) {
                        i++;
                }
                if (error)
                        return error;
        }
        return 0;
}

int main(void)
{
        struct nova_session *session;
        char *const page = nova_page_alloc(0);
        nova_word_t number = 0;

        if (!page || nova_session_open(&session, "board", NULL))
                return 1;

        int error = nova_session_share(session, page, 1);

        if (!error)
                error = post_all(session, page, &number);
        if (!error && (number < 1 || number > BOARD_LINES))
                error = EPROTO;
        if (error) {
                printf("the board: %s\n", strerror(error));
                return 1;
        }
        printf("posted %u lines, the last one is '%s'\n", POSTS, page + (number - 1) * BOARD_LINE);
        nova_session_close(session); /* revokes the page */
        nova_page_free(page, 0);
        return 0;
}
