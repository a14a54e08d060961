/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts as semaphores: the PIT raises edge-triggered interrupts, the HPET level-triggered
 * ones. */
#include "harness.h"

#define ALL NOVA_PERM_ALL

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

static void counts_downs(struct thread *t)
{
        while (hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP) == NOVA_SUCCESS)
                t->value[1]++;
}

static struct thread *waiter(unsigned cpu, nova_sel_t sm, unsigned prio)
{
        struct thread *t = global(cpu, counts_downs, NULL);
        t->value[0] = sm;
        thread_start(t, prio, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        return t;
}

/* ---- Edges: the PIT -------------------------------------------------------------------------- */

CASE(interrupt, down_waits_for_the_interrupt, "2.5-02 3.4-02 6.1.1-06")
{
        const nova_sel_t sm = timer_open();
        for (unsigned us = 5000; us <= 40000; us *= 2) {
                const uint64_t begin = tsc();
                timer_shot(us);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT(tsc() - begin > tsc_per_ms() * us / 1250);
        }
}

CASE(interrupt, an_interrupt_is_an_up, "3.4-03 3.4-02")
{
        const nova_sel_t sm = timer_open();
        struct thread *t = waiter(boot_cpu, sm, PRIO_HIGH);
        for (unsigned i = 1; i <= 10; i++) {
                timer_shot(300);
                EXPECT(wait_for(&t->value[1], i));
                spin_us(1000);
                EXPECT_EQ(t->value[1], i);
        }
}

/* Raises five interrupts. Returns the number of them that a thread sees if it waits only after the
 * last one. */
static word_t count_five(nova_sel_t sm, unsigned pause_us)
{
        for (unsigned i = 0; i < 5; i++) {
                timer_shot(300);
                spin_us(pause_us);
        }
        struct thread *t = waiter(boot_cpu, sm, PRIO_HIGH);
        const word_t count = t->value[1];
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->value[1], count + 1);
        drop(t->sc);
        drop(t->ec);
        return count;
}

CASE(interrupt, interrupts_without_a_waiter_are_counted, "3.4-03 2.5-02")
{
        const nova_sel_t sm = timer_open();
        word_t count = 0;
        /* On a busy host, a pause may end before the timer has fired. Then use longer pauses. */
        for (unsigned pause_us = 3000; count != 5 && pause_us < 1600000; pause_us *= 4) {
                count = count_five(sm, pause_us);
                EXPECT(count <= 5);
        }
        EXPECT_EQ(count, 5);
}

CASE(interrupt, an_interrupt_preempts_a_lower_thread_at_once, "3.4-03 3.1-08 2.3-06")
{
        const nova_sel_t sm = timer_open();
        struct thread *t = waiter(boot_cpu, sm, PRIO_CASE + 1);
        timer_shot(2000);
        /* This thread neither makes a hypercall nor causes a page fault, so only the interrupt can
         * let the other thread run. */
        EXPECT(wait_for(&t->value[1], 1));
}

CASE(interrupt, an_interrupt_does_not_preempt_a_higher_thread, "3.4-03 3.1-09")
{
        const nova_sel_t sm = timer_open();
        struct thread *t = global(boot_cpu, counts_downs, NULL);
        t->value[0] = sm;
        thread_start(t, PRIO_LOW, QUANTUM);
        timer_shot(2000);
        spin_us(50000);
        EXPECT_EQ(t->value[1], 0);
        EXPECT_EQ(t->started, 0);
}

CASE(interrupt, the_thread_that_has_waited_longest_gets_the_interrupt, "3.4-03 5.4.3-06")
{
        const nova_sel_t sm = timer_open();
        struct thread *a = waiter(boot_cpu, sm, PRIO_CASE + 1);
        struct thread *b = waiter(boot_cpu, sm, PRIO_CASE + 2);
        timer_shot(1000);
        EXPECT(wait_for(&a->value[1], 1));
        EXPECT_EQ(b->value[1], 0);
        timer_shot(1000);
        EXPECT(wait_for(&b->value[1], 1));
        EXPECT_EQ(a->value[1], 1);
}

CASE(interrupt, the_next_waiter_gets_the_interrupt_when_a_waiting_thread_ends, "3.4-03 3.6-11")
{
        const nova_sel_t sm = timer_open();
        struct thread *a = waiter(boot_cpu, sm, PRIO_HIGH), *b = waiter(boot_cpu, sm, PRIO_HIGH);
        drop(a->sc);
        drop(a->ec);
        timer_shot(1000);
        EXPECT(wait_for(&b->value[1], 1));
        EXPECT_EQ(a->value[1], 0);
}

CASE(interrupt, an_interrupt_semaphore_outlives_its_capabilities, "3.4-03 6.1.1-06 3.6-13")
{
        nova_sel_t sm = timer_open();
        struct thread *t = waiter(boot_cpu, sm, PRIO_HIGH);
        drop(sm);
        timer_shot(1000);
        EXPECT(wait_for(&t->value[1], 1));
        drop(t->sc);
        drop(t->ec);
        sm = timer_open();
        timer_shot(1000);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(interrupt, a_child_can_wait_for_an_interrupt_that_it_was_given, "3.4-02 2.5-02")
{
        const nova_sel_t sm = timer_open();
        struct child *c = child_new(boot_cpu);
        give(child_server(c), obj(sm, NOVA_SM_DN), CHILD_FREE_SEL);
        struct thread *t = child_global(c, counts_downs, NULL);
        t->value[0] = CHILD_FREE_SEL;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->started, 1);
        timer_shot(1000);
        EXPECT(wait_for(&t->value[1], 1));
        hc_revoke(obj(sm, ALL), 0);
}

/* ---- Levels: the HPET ------------------------------------------------------------------------ */

#define HPET_PAGE    0xfed00
#define HPET_PERIOD  (0x04 / 4) /* femtoseconds */
#define HPET_CONFIG  (0x10 / 4)
#define HPET_STATUS  (0x20 / 4)
#define HPET_COUNTER (0xf0 / 4)
#define HPET_TIMER   (0x100 / 4)
#define HPET_ROUTES  (0x104 / 4)
#define HPET_COMPARE (0x108 / 4)
#define HPET_ENABLE  1u
#define TIMER_LEVEL  0x2u
#define TIMER_ENABLE 0x4u
#define TIMER_32     0x100u
#define TIMER_ROUTE  9
#define FIRST_LEVEL  16 /* the first line that is not an ISA line */

static volatile uint32_t *hpet;

/* Sets the first timer of the HPET to level-triggered interrupts. Returns their semaphore. */
static nova_sel_t level_open(void)
{
        const word_t page = page_alloc(0);
        if (!request(mem(HPET_PAGE, 0, NOVA_MEM_R | NOVA_MEM_W), page) || !look(NOVA_CRD_MEM, page))
                NOT_RAISED("no HPET");
        hpet = (volatile uint32_t *)(page << NOVA_PAGE_BITS);
        if (!hpet[HPET_PERIOD] || hpet[HPET_PERIOD] == ~0u)
                NOT_RAISED("no HPET");
        unsigned route = FIRST_LEVEL;
        while (route < 32 && !(hpet[HPET_ROUTES] & 1u << route))
                route++;
        if (route == 32)
                NOT_RAISED("the HPET has no level interrupt");
        hpet[HPET_CONFIG] = HPET_ENABLE;
        hpet[HPET_STATUS] = 1;
        hpet[HPET_TIMER] = TIMER_LEVEL | TIMER_32 | route << TIMER_ROUTE;
        const nova_sel_t sm = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + route, ALL), sm);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_SUCCESS);
        return sm;
}

static void level_quiet(void)
{
        hpet[HPET_TIMER] &= ~TIMER_ENABLE;
        hpet[HPET_STATUS] = 1;
}

/* Lets the timer fire in us microseconds. On a busy host the emulator may stop between these
 * accesses until that moment has passed. The timer would then fire only when its counter wraps. In
 * that case, tries again with a longer time. */
static void level_shot(unsigned us)
{
        for (;; us *= 2) {
                const uint64_t ticks = (uint64_t)us * 1000000 / (hpet[HPET_PERIOD] / 1000);
                const uint32_t moment = hpet[HPET_COUNTER] + (uint32_t)ticks;

                hpet[HPET_COMPARE] = moment;
                hpet[HPET_TIMER] |= TIMER_ENABLE;
                if ((int32_t)(hpet[HPET_COUNTER] - moment) < 0 || (hpet[HPET_STATUS] & 1))
                        return;
                level_quiet();
        }
}

/* Waits until the line is up. The emulator may raise it late. */
static bool level_is_up(void)
{
        for (unsigned i = 0; i < 10000; i++) {
                if (hpet[HPET_STATUS] & 1)
                        return true;
                spin_us(1000);
        }
        return false;
}

CASE(interrupt, a_level_interrupt_wakes_its_waiter_once, "3.4-02 3.4-03")
{
        const nova_sel_t sm = level_open();
        for (unsigned i = 0; i < 5; i++) {
                const uint64_t begin = tsc();
                level_shot(5000);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT(tsc() - begin > tsc_per_ms() * 4);
                level_quiet();
        }
}

CASE(interrupt, a_line_that_stays_up_counts_once_until_the_next_down, "3.4-02 3.4-03 6.1.1-07 C-19")
{
        const nova_sel_t sm = level_open();
        level_shot(1000);
        EXPECT(level_is_up());
        spin_us(5000);
        level_quiet();
        struct thread *t = waiter(boot_cpu, sm, PRIO_HIGH);
        spin_us(5000);
        EXPECT_EQ(t->value[1], 1);
}

CASE(interrupt, a_line_that_is_still_up_ends_the_next_down_at_once, "3.4-02 6.1.1-07 C-19")
{
        const nova_sel_t sm = level_open();
        level_shot(1000);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        level_quiet();
        struct thread *t = waiter(boot_cpu, sm, PRIO_HIGH);
        spin_us(5000);
        /* The line may have raised one more interrupt after the last down. */
        EXPECT(t->value[1] <= 1);
}
