/* SPDX-License-Identifier: BSD-2-Clause */
/* Odd addresses and single steps at the border between threads and kernel. */
#include "harness.h"

#define FLAG_TF 0x100

static const word_t bad_addresses[] = {(word_t)1 << (NOVA_WORD_BITS - 4), NOVA_USER_END,
                                       ~(word_t)0 << 12, ~(word_t)0};

#define ADDRESSES (sizeof(bad_addresses) / sizeof(bad_addresses[0]))

/* Handles the fault at the odd entry of a portal: the reply moves the thread to a valid entry. */
static bool enters_elsewhere(struct thread *t, unsigned n, struct nova_utcb *u)
{
        t->value[0]++;
        t->value[1] = n;
        t->value[2] = u->state.ip;
        u->state.ip = (word_t)reply_now;
        u->state.mtd = NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

CASE(odd, a_portal_with_an_odd_entry_gives_its_thread_a_fault, "3.2-04 5.3.4-01")
{
        struct thread *t = server(boot_cpu);
        t->on_event = enters_elsewhere;
        for (unsigned i = 0; i < ADDRESSES; i++) {
                const nova_sel_t pt = sel_alloc(0);
                EXPECT_EQ(hc_create_pt(pt, ROOT_PD, t->ec, 0, bad_addresses[i]), NOVA_SUCCESS);
                self->utcb->items = 0;
                t->value[0] = 0;
                EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(t->value[0], 1);
                EXPECT(t->value[1] == NOVA_EXC_PF || t->value[1] == NOVA_EXC_GP);
        }
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

CASE(odd, a_thread_may_have_any_stack_pointer_that_it_does_not_use, "5.3.2-15")
{
        for (unsigned i = 0; i < ADDRESSES; i++) {
                const nova_sel_t ec = sel_alloc(0), pt = sel_alloc(0);
                EXPECT_EQ(
                        hc_create_ec(ec, ROOT_PD, utcb_alloc() | boot_cpu, bad_addresses[i], 0, 0),
                        NOVA_SUCCESS);
                EXPECT_EQ(hc_create_pt(pt, ROOT_PD, ec, 0, (word_t)reply_now), NOVA_SUCCESS);
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
        }
}

static bool goes_on(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_DB)
                return false;
        t->value[0]++;
        t->value[1] |= u->state.ip == (word_t)trap_return;
        u->state.mtd = 0;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static struct gpr stepped;

static void traps(struct thread *t)
{
        (void)t;
        trap(&stepped);
}

/* Single-steps through the stub of a hypercall and the hypercall itself. Returns the status. */
static word_t step_through(struct thread *t, word_t id)
{
        t->on_event = goes_on;
        t->value[0] = t->value[1] = 0;
        stepped = (struct gpr){.GPR_A1 = id, .flags = 0x202 | FLAG_TF};
        remote(t, traps, NULL);
        EXPECT(t->value[0] > 5);
        return stepped.GPR_A1;
}

CASE(odd, a_hypercall_can_be_single_stepped, "7.2-03 8.2-03 A-09")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(step_through(t, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm)),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(step_through(t, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sel_alloc(0))),
                  NOVA_BAD_CAP);
}

CASE(odd, a_call_can_be_single_stepped, "7.2-03 8.2-03 3.2-20")
{
        struct thread *t = server(boot_cpu), *s = server(boot_cpu);
        EXPECT_EQ(step_through(t, nova_hypercall_id(NOVA_CALL, 0, s->pt)), NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 1);
        EXPECT_EQ(s->event, NO_EVENT); /* the callee is not single-stepped */
        EXPECT_EQ(t->value[1], 1);
}
