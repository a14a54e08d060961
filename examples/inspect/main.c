/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists the devices of the machine, then writes a first system description. All other output is a
 * comment in the description. */
#include <stdio.h>

#include "inspect.h"

int main(void)
{
        puts("# system.nova: written by inspect for this machine.");
        machine_print();
        pci_print();
        old_print();
        puts("");
        machine_describe();
        if (old_has_serial())
                puts("\nprogram log\n        devices serial\n        provides log");
        pci_describe();
        return 0;
}
