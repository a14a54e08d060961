/* SPDX-License-Identifier: BSD-2-Clause */
/* Destroys machines whose handlers cannot be asked to end, as if kernel memory were missing. Each
 * machine leaves no page and no selector. */
#include <errno.h>
#include <stdio.h>

#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define MACHINES 8u

/* Runs in real mode. */
GUEST_CODE(guest, 16,
           "        cli\n"
           "        hlt\n");

static struct nova_vm vm;
static unsigned refused;

/* The program is linked with this function in place of nova_handler_destroy(). */
int __wrap_nova_handler_destroy(struct nova_handler *handler);

int __wrap_nova_handler_destroy(struct nova_handler *handler)
{
        (void)handler;
        refused++;
        return EAGAIN;
}

/* Runs a machine whose virtual CPU 1 stays off. */
static bool run(void)
{
        const struct nova_vm_config config = {
                .name = "refused",
                .memory = 2u << 20,
                .vcpus = 2,
                .local_apic = true,
        };

        if (!machine_create(&vm, &config, NULL))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        if (nova_vm_run(&vm))
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_vm_destroy(&vm);
        return end == NOVA_VM_HALTED;
}

int main(void)
{
        size_t pages, selectors;

        if (!run()) /* the first one leaves objects that all machines use */
                return 1;
        pages = nova_page_free_count();
        selectors = nova_sel_used();
        for (unsigned i = 0; i < MACHINES; i++)
                if (!run())
                        return 1;
        printf("%u handlers were discarded: %ld pages and %ld selectors are missing\n", refused,
               (long)(pages - nova_page_free_count()), (long)(nova_sel_used() - selectors));
        return 0;
}
