/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `timer`. Its arguments are the maximum numbers of sessions in total and per client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

int main(int argc, char **argv)
{
        const unsigned sessions = argc > 1 ? (unsigned)atoi(argv[1]) : 64;
        const unsigned client = argc > 2 ? (unsigned)atoi(argv[2]) : 16;
        const int error = timer_service_start(sessions, client);

        if (error) {
                printf("timer: the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
