/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a guest's state that depends on the kernel's width. */
#ifndef VIRT_GUEST_WIDTH_H
#define VIRT_GUEST_WIDTH_H

#include "lib/types.h"
#include "nova/abi/utcb.h"

/** Copies CR8 between a guest and a message. */
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
