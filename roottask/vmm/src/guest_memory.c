/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies into a guest's RAM and out of it (see novavmm/memory.h). */
#include <string.h>

#include "novavmm/memory.h"

bool nova_guest_write(const struct nova_guest_memory *memory, uint64_t address, const void *from,
                      size_t bytes)
{
        void *const to = nova_guest_pointer(memory, address, bytes);

        if (to)
                memcpy(to, from, bytes);
        return to;
}

bool nova_guest_read(const struct nova_guest_memory *memory, uint64_t address, void *to,
                     size_t bytes)
{
        const void *const from = nova_guest_pointer(memory, address, bytes);

        if (from)
                memcpy(to, from, bytes);
        return from;
}
