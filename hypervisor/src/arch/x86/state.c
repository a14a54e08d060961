/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's state in event messages (see state.h). */
#include "arch/x86/state.h"

#include "arch/x86/msr.h"
#include "object/ec.h"

/* Groups of an MTD that most handlers do not request, as one mask. */
#define MTD_REGISTERS (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_R8_R15 | NOVA_MTD_ESP | NOVA_MTD_EFL)

void state_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct nova_utcb_state *state = &utcb->state;
        const struct regs *regs = &ec->regs;

        utcb->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        state->mtd = mtd;
        if (mtd & NOVA_MTD_EIP)
                state->ip = regs->ip;
        if (!(mtd & (MTD_REGISTERS | NOVA_MTD_QUAL)))
                return;
        state_put_general(state, regs, mtd);
        if (mtd & NOVA_MTD_ESP)
                state->sp = regs->sp;
        if (mtd & NOVA_MTD_EFL)
                state->flags = regs->flags;
        if (mtd & NOVA_MTD_QUAL) {
                state->qual[0] = ec->event_qual[0];
                state->qual[1] = ec->event_qual[1];
        }
}

unsigned state_from_utcb(struct ec *ec, const struct nova_utcb *utcb)
{
        const struct nova_utcb_state *state = &utcb->state;
        const nova_mtd_t mtd = load_once(state->mtd);
        struct regs *regs = &ec->regs;
        const unsigned typed = state_typed(utcb);

        if (mtd & NOVA_MTD_EIP)
                regs->ip = state->ip;
        if (!(mtd & MTD_REGISTERS))
                return typed;
        state_take_general(state, regs, mtd);
        if (mtd & NOVA_MTD_ESP)
                regs->sp = state->sp;
        if (mtd & NOVA_MTD_EFL)
                regs->flags = (regs->flags & ~(word_t)FLAGS_OF_USER) |
                              (state->flags & FLAGS_OF_USER) | FLAG_IF | FLAG_RESERVED;
        return typed;
}
