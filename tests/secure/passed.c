/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that passes a PCI function through to a guest that can become secure. */
#include <errno.h>

#include "monitor.h"
#include "novavmm/guest_pci.h"
#include "novavmm/pc.h"

int main(void)
{
        static const struct nova_vm_config config = {.name = "passed", .local_apic = true};
        static struct nova_pc pc;
        static struct nova_guest_pci nic;

        if (!monitor_create(config) || nova_pc_create(&pc, &vm))
                return 1;

        const int error = nova_guest_pci_attach(&nic, &pc, 5, "nic");

        if (error)
                printf("The device nic cannot be passed through: %s.\n", nic.function.why);
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return error != ENOTSUP;
}
