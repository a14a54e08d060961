/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `pci`. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "server.h"

int main(void)
{
        int error = config_init();

        if (error) {
                printf("the configuration ports are not available: %s; write 'devices "
                       "pci-config' in the section of the program pci.\n",
                       strerror(error));
                return 1;
        }
        error = pci_service_start();
        if (error) {
                printf("the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
