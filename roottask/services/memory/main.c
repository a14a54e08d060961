/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `memory`. Its argument is the quota of each client in KiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

int main(int argc, char **argv)
{
        const size_t kib = argc > 1 ? strtoul(argv[1], NULL, 0) : 256;
        const int error = memory_service_start(kib * 1024);

        if (error) {
                printf("memory: the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
