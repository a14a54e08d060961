/* SPDX-License-Identifier: BSD-2-Clause */
/* The register frame that kernel entries save. Its layout is the same for 32 and 64 bits, except
 * for the size of words and REGS_WIDE. */
#ifndef ARCH_X86_REGS_H
#define ARCH_X86_REGS_H

#include "lib/types.h"
#include "regs_width.h"

/* Registers of interrupted code. On an entry from user mode the frame lies inside the EC: TSS.SP0
 * points to its end, so the CPU itself writes the fields from error on. A hypercall fills only the
 * fields that it needs. */
struct regs {
        REGS_WIDE
        word_t di, si, bp, dx, cx, bx, ax;
        word_t vector;
        word_t error;
        word_t ip, cs, flags, sp, ss;
};

#endif
