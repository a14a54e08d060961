/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's state in event messages. @spec 7.4, 8.4 */
#ifndef ARCH_STATE_H
#define ARCH_STATE_H

#include "arch/x86/regs.h"
#include "nova/abi/mtd.h"
#include "nova/abi/utcb.h"
#include "thread.h"

struct ec;

/* Move a register between a frame and a message. */
#define STATE_PUT(reg)  state->reg = regs->reg;
#define STATE_TAKE(reg) regs->reg = state->reg;

/* The registers of two groups of an MTD, one row for each. */
#define STATE_ACDB_ROWS(MOVE) MOVE(ax) MOVE(cx) MOVE(dx) MOVE(bx)
#define STATE_BSD_ROWS(MOVE)  MOVE(bp) MOVE(si) MOVE(di)

/** Copies the general registers of a thread or virtual CPU that an MTD names, except the stack
 * pointer, into a message. */
static inline void state_put_general(struct nova_utcb_state *state, const struct regs *regs,
                                     nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_ACDB) {
                STATE_ACDB_ROWS(STATE_PUT)
        }
        if (mtd & NOVA_MTD_BSD) {
                STATE_BSD_ROWS(STATE_PUT)
        }
        if (mtd & NOVA_MTD_R8_R15) {
                REGS_WIDE_ROWS(STATE_PUT)
        }
}

/** Copies the general registers that an MTD names, except the stack pointer, from a message. */
static inline void state_take_general(const struct nova_utcb_state *state, struct regs *regs,
                                      nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_ACDB) {
                STATE_ACDB_ROWS(STATE_TAKE)
        }
        if (mtd & NOVA_MTD_BSD) {
                STATE_BSD_ROWS(STATE_TAKE)
        }
        if (mtd & NOVA_MTD_R8_R15) {
                REGS_WIDE_ROWS(STATE_TAKE)
        }
}

/** Returns the number of typed items in the answer to an event. */
static inline unsigned state_typed(const struct nova_utcb *utcb)
{
        const unsigned typed = nova_utcb_typed(load_once(utcb->items));

        return typed < NOVA_UTCB_TYPED_MAX ? typed : NOVA_UTCB_TYPED_MAX;
}

/** Writes the state of an EC that an MTD names, and the header, into the handler's UTCB. */
void state_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);

/** Takes state from the handler's UTCB: the groups that the MTD in the first word names.
 * @return number of typed items in the answer */
unsigned state_from_utcb(struct ec *ec, const struct nova_utcb *utcb);

#endif
