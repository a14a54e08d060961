/* SPDX-License-Identifier: BSD-2-Clause */
/* Task state segment. */
#ifndef ARCH_TSS_H
#define ARCH_TSS_H

#include "lib/types.h"

struct tss {
        uint32_t reserved0;
        uint64_t sp[3];
        uint64_t reserved1;
        uint64_t ist[7];
        uint64_t reserved2;
        uint16_t reserved3;
        uint16_t iomap;
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct tss) == 104, "the CPU's layout");

/** Sets the stack for entries from user mode. */
static inline void tss_set_stack(struct tss *tss, word_t sp)
{
        tss->sp[0] = sp;
}

#endif
