/* SPDX-License-Identifier: BSD-2-Clause */
/* Task state segment. */
#ifndef ARCH_TSS_H
#define ARCH_TSS_H

#include "lib/types.h"

struct tss {
        uint32_t link;
        uint32_t sp0, ss0, sp1, ss1, sp2, ss2;
        uint32_t cr3, ip, flags;
        uint32_t ax, cx, dx, bx, sp, bp, si, di;
        uint32_t es, cs, ss, ds, fs, gs;
        uint32_t ldt;
        uint16_t trap;
        uint16_t iomap;
};

_Static_assert(sizeof(struct tss) == 104, "the CPU's layout");

/** Sets the stack for entries from user mode. */
static inline void tss_set_stack(struct tss *tss, word_t sp)
{
        tss->sp0 = sp;
}

#endif
