/* SPDX-License-Identifier: BSD-2-Clause */
/* The register frame that entries save, the same for both widths but for its words. */
#ifndef ARCH_X86_REGS_H
#define ARCH_X86_REGS_H

#include "lib/types.h"
#include "regs_width.h"

/* Registers of interrupted code. On an entry from user mode it lies inside the EC; the CPU itself
 * writes the part from error on, for TSS.SP0 points at the end of it. A hypercall fills what it
 * needs. */
struct regs {
        REGS_WIDE
        word_t di, si, bp, dx, cx, bx, ax;
        word_t vector;
        word_t error;
        word_t ip, cs, flags, sp, ss;
};

#endif
