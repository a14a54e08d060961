/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads files unchanged (see novavmm/load.h). */
#include "novavmm/load.h"

#define REAL_MODE_END 0x100000

const char *nova_flat_load(const struct nova_guest_memory *memory, const void *file, size_t bytes,
                           uint32_t address, struct nova_utcb_event *start)
{
        if (address >= REAL_MODE_END || address % 16)
                return "its address is not a multiple of 16 below 1 MiB";
        if (!nova_guest_write(memory, address, file, bytes))
                return "the guest has too little memory for it";
        nova_registers_real(start, (uint16_t)(address >> 4), 0);
        return NULL;
}
