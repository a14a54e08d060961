/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the loader of Linux kernels: a file must be refused, or loaded into the guest's memory. */
#include <stdlib.h>
#include <string.h>

#include "novavmm/load.h"

#define RAM_BYTES (4u << 20)
#define INITRD    5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t *ram;
        static const uint8_t initrd[INITRD];
        struct nova_utcb_event start;

        if (!ram)
                ram = malloc(RAM_BYTES); /* on the heap: the sanitizer guards its ends */
        if (!ram)
                return 0;

        const struct nova_guest_memory memory = {.base = ram, .bytes = RAM_BYTES};
        const struct nova_linux image = {.kernel = data,
                                         .kernel_bytes = size,
                                         .initrd = initrd,
                                         .initrd_bytes = INITRD,
                                         .command_line = "console=ttyS0"};

        if (!nova_linux_load(&memory, &image, &start) && start.state.ip >= RAM_BYTES)
                abort();
        return 0;
}
