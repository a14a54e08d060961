/* SPDX-License-Identifier: BSD-2-Clause */
/* The service: a board of lines that all clients see. It runs on two CPUs at the same time. The
 * first instance of the program crashes at the fifth line, to show the effect on the clients. */
#include <novart/service.h>
#include <novart/sync.h>

#include <stdio.h>
#include <string.h>

#include "board.h"

#define TOO_MANY 5

/* Protects the board below: clients on two CPUs post at the same time. */
static struct nova_mutex lock = NOVA_MUTEX_INITIALIZER;
static char lines[BOARD_LINES][BOARD_LINE];
static unsigned count;

/* Puts a line on the board. Returns the number of lines, or 0 if it is full. */
static unsigned put(const char *line)
{
        unsigned number = 0;

        nova_mutex_lock(&lock);
        if (count < BOARD_LINES) {
                memcpy(lines[count], line, BOARD_LINE);
                number = ++count;
        }
        nova_mutex_unlock(&lock);
        return number;
}

/* Serves BOARD_POST. The client can change or revoke its page at any moment, so the service only
 * copies from it and to it. */
static int post(struct nova_request *request)
{
        char line[BOARD_LINE];
        const int error = nova_request_share_read(request, 0, line, sizeof(line));

        if (error)
                return error;
        line[BOARD_LINE - 1] = '\0'; /* makes it a string, regardless of what the client wrote */

        const unsigned number = put(line);

        if (number == TOO_MANY)
                __builtin_trap();
        nova_request_answer(request, number);
        return nova_request_share_write(request, 0, lines, sizeof(lines));
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{.handler = post}};
        static const struct nova_service_config config = {
                .name = "board",
                .operations = operations,
                .operation_count = 1,
                .share_pages = 1,
                .parallel = true, /* handlers of both CPUs run at the same time */
        };
        const int error = nova_service_start(NULL, &config);

        if (error) {
                printf("the service cannot start: %s\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
