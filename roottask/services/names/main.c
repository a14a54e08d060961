/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `names`. */
#include <stdio.h>
#include <string.h>

#include "server.h"

int main(void)
{
        const int error = names_service_start();

        if (error) {
                printf("names: the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
