/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the boot loader for drivers: boot_map() maps structures of constant size, and one
 * buffer of the size that the driver chooses. */
#ifndef PROOFS_MAP_H
#define PROOFS_MAP_H

#include "arch/x86/boot_paging.h"
#include "driver.h"
#include "memory_map.h"

#define INFO_MAP_LENGTH 11 /* index of the word of Multiboot 1 information */

static char *map_buffer;
static uint64_t map_bytes;

static void map_begin(char *buffer, uint64_t bytes)
{
        map_buffer = buffer;
        map_bytes = bytes;
}

/* Maps bytes of any value. They are not those of an earlier mapping. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        static char info[68], module[16];

        (void)slot;
        (void)phys;
        if (any_bool())
                return NULL;
        if (size == map_bytes) {
                Frama_C_make_unknown(map_buffer, map_bytes);
                return map_buffer;
        }
        if (size == sizeof(info)) {
                Frama_C_make_unknown(info, sizeof(info));
                ((uint32_t *)info)[INFO_MAP_LENGTH] = (uint32_t)map_bytes;
                return info;
        }
        if (size == sizeof(module)) {
                Frama_C_make_unknown(module, sizeof(module));
                return module;
        }
        return NULL;
}

void memory_map_string(paddr_t phys, char *to, unsigned size)
{
        (void)phys;
        Frama_C_make_unknown(to, size);
        to[size - 1] = 0;
}

#endif
