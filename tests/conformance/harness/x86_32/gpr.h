/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as the stubs load and store them, x86-32; offsets are known to stubs.S. */
#ifndef CONFORMANCE_GPR_H
#define CONFORMANCE_GPR_H

#include "nova/abi/types.h"

struct gpr {
        nova_word_t ax, bx, cx, dx, si, di, bp, sp, flags, sp_in;
};

/* Hypercall arguments 1 to 5. */
#define GPR_A1 ax
#define GPR_A2 di
#define GPR_A3 si
#define GPR_A4 bx
#define GPR_A5 bp

/* Holds the address of the stop word in spin_gprs(). */
#define GPR_STOP bp

/* Stack pointers at a function's first instruction are 4 below a multiple of 16. */
#define STACK_ENTRY_GAP 4

#define STACK_POINTER "esp"

#endif
