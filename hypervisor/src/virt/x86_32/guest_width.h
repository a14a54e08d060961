/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a guest's state that depends on the kernel's width. */
#ifndef VIRT_GUEST_WIDTH_H
#define VIRT_GUEST_WIDTH_H

#include "lib/types.h"
#include "nova/abi/utcb.h"

/** Does nothing: a 32-bit guest has no CR8, and messages do not carry it. */
static inline void guest_cr8_to_utcb(struct nova_utcb_state *state, uint64_t cr8)
{
        (void)state;
        (void)cr8;
}

/** Returns CR8 unchanged. */
static inline word_t guest_cr8_from_utcb(const struct nova_utcb_state *state, uint64_t cr8)
{
        (void)state;
        return (word_t)cr8;
}

#endif
