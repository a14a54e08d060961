/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's state in event messages (see state.h). */
#include "arch/x86/state.h"

#include "arch/x86/msr.h"
#include "object/ec.h"
#include "thread.h"

/* What a handler can change: the arithmetic flags, and those that trouble the thread alone. */
#define FLAGS_ARITHMETIC 0x8d5
#define FLAGS_WRITABLE   (FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_AC | FLAG_ID | FLAG_RF)

void state_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct nova_utcb_state *state = &utcb->state;
        const struct regs *regs = &ec->regs;

        utcb->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        state->mtd = mtd;
        if (mtd & NOVA_MTD_ACDB) {
                state->ax = regs->ax;
                state->cx = regs->cx;
                state->dx = regs->dx;
                state->bx = regs->bx;
        }
        if (mtd & NOVA_MTD_BSD) {
                state->bp = regs->bp;
                state->si = regs->si;
                state->di = regs->di;
        }
        if (mtd & NOVA_MTD_ESP)
                state->sp = regs->sp;
        if (mtd & NOVA_MTD_EIP)
                state->ip = regs->ip;
        if (mtd & NOVA_MTD_EFL)
                state->flags = regs->flags;
        if (mtd & NOVA_MTD_R8_R15)
                thread_r8_to_state(regs, state);
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
        const unsigned typed = nova_utcb_typed(load_once(utcb->items));

        if (mtd & NOVA_MTD_ACDB) {
                regs->ax = state->ax;
                regs->cx = state->cx;
                regs->dx = state->dx;
                regs->bx = state->bx;
        }
        if (mtd & NOVA_MTD_BSD) {
                regs->bp = state->bp;
                regs->si = state->si;
                regs->di = state->di;
        }
        if (mtd & NOVA_MTD_R8_R15)
                thread_r8_from_state(regs, state);
        if (mtd & NOVA_MTD_ESP)
                regs->sp = state->sp;
        if (mtd & NOVA_MTD_EIP)
                regs->ip = state->ip;
        if (mtd & NOVA_MTD_EFL)
                regs->flags = (regs->flags & ~(word_t)FLAGS_WRITABLE) |
                              (state->flags & FLAGS_WRITABLE) | FLAG_IF | FLAG_RESERVED;
        return typed < NOVA_UTCB_TYPED_MAX ? typed : NOVA_UTCB_TYPED_MAX;
}
