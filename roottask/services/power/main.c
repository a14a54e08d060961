/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `power`: asks its parent, because only the root PD may reset the machine. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "server.h"

static int ask_parent(nova_word_t operation)
{
        return nova_parent_power((unsigned)operation);
}

int main(void)
{
        const int error = power_service_start(ask_parent);

        if (error) {
                printf("power: the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
