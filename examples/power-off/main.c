/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers the machine off, or reports why that fails. */
#include <novart/service/power.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
        struct nova_session *power;

        (void)argv;

        int error = nova_power_open(&power);

        if (error) {
                printf("no session: %s\n", strerror(error));
                return 0;
        }
        if (argc > 1) {
                printf("good night\n");
                error = nova_power_off(power);
        }
        printf("still here: %s\n", strerror(error));
        return 0;
}
