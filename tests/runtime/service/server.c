/* SPDX-License-Identifier: BSD-2-Clause */
/* The service of the tests as a program. Arguments: its name, and the maximum numbers of its
 * sessions and of the sessions of one client. A fourth argument is "parallel", which permits
 * parallel calls, or the maximum number of shared pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"

int main(int argc, char **argv)
{
        const struct echo_options options = {
                .name = argc > 1 ? argv[1] : "echo",
                .sessions = argc > 2 ? (unsigned)atoi(argv[2]) : 0,
                .client_sessions = argc > 3 ? (unsigned)atoi(argv[3]) : 0,
                .parallel = argc > 4 && !strcmp(argv[4], "parallel"),
        };
        const int pages = argc > 4 ? atoi(argv[4]) : 0;

        if (!echo_start_sharing(&options, pages ? (unsigned)pages : ECHO_PAGES))
                return 1;
        nova_service_sleep();
}
