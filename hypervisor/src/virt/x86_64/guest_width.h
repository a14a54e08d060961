/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a guest's state depends on the kernel's width. */
#ifndef VIRT_GUEST_WIDTH_H
#define VIRT_GUEST_WIDTH_H

#include "arch/x86/regs.h"
#include "nova/abi/utcb.h"

/* Offsets of the general registers, by their numbers in instructions. */
static const uint8_t guest_register_offset[] = {
        offsetof(struct regs, ax),  offsetof(struct regs, cx),  offsetof(struct regs, dx),
        offsetof(struct regs, bx),  offsetof(struct regs, sp),  offsetof(struct regs, bp),
        offsetof(struct regs, si),  offsetof(struct regs, di),  offsetof(struct regs, r8),
        offsetof(struct regs, r9),  offsetof(struct regs, r10), offsetof(struct regs, r11),
        offsetof(struct regs, r12), offsetof(struct regs, r13), offsetof(struct regs, r14),
        offsetof(struct regs, r15),
};

/** Moves CR8 between a guest and a message. */
static inline void guest_cr8_to_utcb(struct nova_utcb_state *state, uint64_t cr8)
{
        state->cr8 = cr8;
}

static inline word_t guest_cr8_from_utcb(const struct nova_utcb_state *state, uint64_t cr8)
{
        (void)cr8;
        return state->cr8;
}

#endif
