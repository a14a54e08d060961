/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the loader of Multiboot kernels, which must refuse a file or load it into the guest's
 * memory. */
#include "novavmm/load.h"

#include <stdlib.h>

#define RAM_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t *ram;
        static const uint8_t file[5000];
        const struct nova_multiboot_module module[] = {{file, sizeof(file), "one"}, {file, 1, ""}};
        struct nova_utcb_event start;

        if (!ram)
                ram = malloc(RAM_BYTES); /* on the heap: the sanitizer guards its ends */
        if (!ram)
                return 0;

        const struct nova_guest_memory memory = {.base = ram, .bytes = RAM_BYTES};
        const struct nova_multiboot image = {data, size, "serial", module, 2};

        if (!nova_multiboot_load(&memory, &image, &start) && start.state.bx >= RAM_BYTES)
                abort();
        return 0;
}
