/* SPDX-License-Identifier: BSD-2-Clause */
/* The service pci, which crashes a second after its start. */
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "novart/time.h"
#include "server.h"

int main(void)
{
        if (config_init() || pci_service_start())
                return 1;
        nova_sleep(1000000000);
        abort();
}
