/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the guest of a sealed image as a normal guest, in the state in which the ultravisor would
 * start it. */
#ifndef NOVA_TESTS_BENCH_SECURE_PLAIN_H
#define NOVA_TESTS_BENCH_SECURE_PLAIN_H

#include <stdint.h>

#include "novavmm/memory.h"
#include "novavmm/registers.h"
#include "novavmm/secure.h"

#define PLAIN_PARAMS  0x10000u
#define PLAIN_TABLES  0x70000u
#define PLAIN_KERNEL  0x200000u
#define PLAIN_MAGIC   0x202u /* places in Linux's boot parameters */
#define PLAIN_PLACE   0x258u
#define PLAIN_64      0x200u /* offset of Linux's 64-bit entry */
#define PLAIN_HDRS    0x53726448u
#define PLAIN_ENTRIES 512u
#define PLAIN_GIBS    4u

static inline void plain_write(const struct nova_guest_memory *memory, uint64_t at, uint64_t value)
{
        nova_guest_write(memory, at, &value, sizeof(value));
}

/* Maps the first 4 GiB one to one. */
static inline void plain_tables(const struct nova_guest_memory *memory)
{
        static const uint64_t gdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
        const uint64_t level3 = PLAIN_TABLES + 0x1000, level2 = PLAIN_TABLES + 0x2000;

        plain_write(memory, PLAIN_TABLES, level3 | 3);
        for (uint64_t i = 0; i < PLAIN_GIBS; i++)
                plain_write(memory, level3 + 8 * i, (level2 + 0x1000 * i) | 3);
        for (uint64_t i = 0; i < PLAIN_GIBS * PLAIN_ENTRIES; i++)
                plain_write(memory, level2 + 8 * i, i << 21 | 0x83);
        nova_guest_write(memory, PLAIN_TABLES + 0x6000, gdt, sizeof(gdt));
}

/* Returns the entry of the kernel: that of Linux, or the start of a flat guest. */
static inline uint64_t plain_entry(const struct nova_guest_memory *memory)
{
        uint32_t magic = 0;
        uint64_t place = 0;

        nova_guest_read(memory, PLAIN_PARAMS + PLAIN_MAGIC, &magic, sizeof(magic));
        nova_guest_read(memory, PLAIN_PARAMS + PLAIN_PLACE, &place, sizeof(place));
        return magic == PLAIN_HDRS ? place + PLAIN_64 : PLAIN_KERNEL;
}

/* Loads a sealed image like nova_sealed_load(), but the guest does not run the image's stub. */
static inline const char *plain_load(const struct nova_guest_memory *memory, const void *image,
                                     size_t bytes, struct nova_utcb_event *start)
{
        const char *const why = nova_sealed_load(memory, image, bytes, start);

        if (why)
                return why;
        plain_tables(memory);
        nova_registers_long(start, plain_entry(memory), PLAIN_TABLES, 0x10, 0x18);
        start->state.si = PLAIN_PARAMS;
        start->state.sp = PLAIN_PARAMS;
        start->state.gdtr.base = PLAIN_TABLES + 0x6000;
        start->state.gdtr.limit = 4 * 8 - 1;
        return NULL;
}

#endif
