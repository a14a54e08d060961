/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs this kernel as a guest of itself. The monitor loads it by the Multiboot protocol, with a
 * roottask as its module, into the PC that the VMM library emulates. */
#include <stdio.h>

#include "loaded.h"

#define GUEST_MEMORY (64u << 20)

static struct loaded guest;

int main(void)
{
        static const char *const module = "hello";
        const struct nova_vm_config config = {
                .name = "nova", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = 2};
        bool ended;

        if (!loaded_create(&guest, &config) ||
            !loaded_load(&guest, "nova.elf32", "serial", &module, 1))
                return 1;
        ended = loaded_run(&guest);
        printf("The guest's result is %llu.\n", (unsigned long long)guest.result);
        return !ended || guest.result;
}
