/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the walker as a guest, with the records and with its observations without a hypervisor. */
#include <stdio.h>

#include "loaded.h"

#define GUEST_MEMORY (128u << 20)

static struct loaded guest;

int main(void)
{
        static const char *const modules[] = {"records", "outcomes"};
        const struct nova_vm_config config = {.name = "walker", .memory = GUEST_MEMORY};
        bool ended;

        if (!loaded_create(&guest, &config) || !loaded_load(&guest, "walker", "walker", modules, 2))
                return 1;
        ended = loaded_run(&guest);
        printf("The guest's result is %llu.\n", (unsigned long long)guest.result);
        return !ended || guest.result;
}
