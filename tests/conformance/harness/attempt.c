/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs code that is expected to raise an event in the case's own thread (see attempt.h). */
#include "attempt.h"

static struct context before;
static word_t stack_in_order;
static word_t way_out;

/* Start and length of SPIN, as low halves of the TSC. */
uint32_t spin_from, spin_ticks;

void spin_for(unsigned ms)
{
        spin_ticks = (uint32_t)(tsc_per_ms() * ms);
        spin_from = (uint32_t)tsc();
}

_Noreturn void attempt_over(void)
{
        __asm__ volatile("push $2; popf");
        context_restore(&before);
}

/* Ends the attempt at any event. The number and the message of the event stay in the thread's
 * structure. */
static bool ends(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)t;
        (void)n;
        u->state.ip = way_out;
        u->state.sp = stack_in_order;
        u->state.flags = 0x2;
        u->state.mtd = NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

/* Returns the number of the event that code raises; NO_EVENT: none. */
word_t raised_by_at(void (*code)(void), word_t out)
{
        way_out = out;
        stack_in_order =
                (((word_t)__builtin_frame_address(0) - 1024) & ~(word_t)15) - STACK_ENTRY_GAP;
        self->event = NO_EVENT;
        self->on_event = ends;
        if (!context_save(&before))
                code();
        self->on_event = NULL;
        return self->event;
}

word_t raised_by(void (*code)(void))
{
        return raised_by_at(code, (word_t)attempt_over);
}

void expect_one_of(void (*code)(void), unsigned numbers, word_t out)
{
        for (unsigned i = 0; i < 3; i++) {
                const word_t n = raised_by_at(code, out);
                EXPECT(n < 32);
                EXPECT_EQ(ONLY(n) & ~numbers, 0);
        }
}
