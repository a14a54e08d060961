/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as the stubs load and store them, x86-64; offsets are known to stubs.S. */
#ifndef CONFORMANCE_GPR_H
#define CONFORMANCE_GPR_H

#include "nova/abi/types.h"

struct gpr {
        nova_word_t ax, bx, cx, dx, si, di, bp, sp, flags, sp_in;
        nova_word_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/* Hypercall arguments 1 to 5. */
#define GPR_A1 di
#define GPR_A2 si
#define GPR_A3 dx
#define GPR_A4 ax
#define GPR_A5 r8

/* Holds the address of the stop word in spin_gprs(). */
#define GPR_STOP r15

/* Stack pointers at a function's first instruction are 8 below a multiple of 16. */
#define STACK_ENTRY_GAP 8

#define STACK_POINTER "rsp"

#endif
