/* SPDX-License-Identifier: BSD-2-Clause */
/* Long operations of low threads, which higher ones interrupt in the middle. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define ROUNDS 20

/* What the low thread does, and what the high one does when the timer has gone off. */
static struct {
        nova_sel_t timer, ended, spare;
        word_t (*low)(void);
        void (*high)(void);
        nova_crd_t crd, other_crd;
        nova_sel_t pd;
        unsigned after; /* microseconds; 0: no timer */
        volatile word_t low_ended, low_status, too_late;
        uint64_t low_time, high_time;
} test;

static void low_thread(struct thread *t)
{
        (void)t;
        const uint64_t begin = tsc();
        if (test.after)
                timer_shot(test.after);
        test.low_status = test.low();
        test.low_time = tsc() - begin;
        test.low_ended = 1;
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

static void high_thread(struct thread *t)
{
        (void)t;
        hc_sm_ctrl(test.timer, NOVA_SM_DN_OP);
        test.too_late = test.low_ended;
        const uint64_t begin = tsc();
        test.high();
        test.high_time = tsc() - begin;
}

/* Runs low, with an interruption by high after so many microseconds; 0: without. */
static void run_both(word_t (*low)(void), void (*high)(void), unsigned after)
{
        test.low = low;
        test.high = high;
        test.after = after;
        test.low_ended = 0;
        if (after)
                run_thread(boot_cpu, PRIO_HIGH, high_thread, NULL);
        run_thread(boot_cpu, PRIO_LOW, low_thread, NULL);
        EXPECT_EQ(hc_sm_ctrl(test.ended, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(test.low_status, NOVA_SUCCESS);
}

static void set_up(void)
{
        case_seconds(60);
        test.timer = timer_open();
        test.ended = semaphore(0);
        test.spare = semaphore(0);
}

static unsigned low_microseconds(void)
{
        return (unsigned)(test.low_time * 1000 / tsc_per_ms());
}

/* ---- A high thread's hypercalls do not wait for a low one's ---------------------------------- */

#define OBJECTS_ORDER 6
#define COPIES        200

static nova_sel_t objects; /* 2^OBJECTS_ORDER semaphores */

static void make_objects(void)
{
        objects = sel_alloc(OBJECTS_ORDER);
        for (unsigned i = 0; i < 1 << OBJECTS_ORDER; i++)
                EXPECT_EQ(hc_create_sm(objects + i, ROOT_PD, 0), NOVA_SUCCESS);
}

/* A child that holds many capabilities. */
static nova_sel_t rich_child(void)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        for (word_t i = 0; i < COPIES; i++)
                give(t, nova_crd(NOVA_CRD_OBJ, objects, OBJECTS_ORDER, ALL),
                     CHILD_FREE_SEL + (i << OBJECTS_ORDER));
        return c->pd;
}

static word_t destroy(void)
{
        return hc_pd_destroy(test.pd);
}

static word_t revoke(void)
{
        return hc_revoke(test.crd, 0);
}

static void use_semaphore(void)
{
        hc_sm_ctrl(test.spare, NOVA_SM_UP_OP);
        hc_sm_ctrl(test.spare, NOVA_SM_DN_OP);
}

static void create_and_revoke(void)
{
        const nova_sel_t sel = sel_alloc(0);
        hc_create_sm(sel, ROOT_PD, 0);
        hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
}

/* The timer goes off in the middle of low's work; what high then does takes none of its time. */
static void expect_no_delay(word_t (*low)(void), void (*high)(void), void (*prepare)(void))
{
        uint64_t shortest = ~(uint64_t)0;
        prepare();
        run_both(low, high, 0);
        const uint64_t whole = test.low_time;
        for (unsigned i = 0; i < 5; i++) {
                prepare();
                run_both(low, high, (unsigned)(whole * 1000 / tsc_per_ms() / 4) + 1);
                if (!test.too_late && test.high_time < shortest)
                        shortest = test.high_time;
        }
        EXPECT(shortest < whole / 4 || !~shortest);
}

static void prepare_destroy(void)
{
        test.pd = rich_child();
}

static void prepare_revoke(void)
{
        prepare_destroy();
        test.crd = nova_crd(NOVA_CRD_OBJ, objects, OBJECTS_ORDER, ALL);
}

CASE_ON(long, a_semaphore_is_used_in_the_middle_of_a_low_threads_pd_destroy, "3.1-08 3.1-14",
        needs_pd_destroy)
{
        set_up();
        make_objects();
        expect_no_delay(destroy, use_semaphore, prepare_destroy);
}

CASE(long, a_semaphore_is_used_in_the_middle_of_a_low_threads_revoke, "3.1-08 3.1-14")
{
        set_up();
        make_objects();
        expect_no_delay(revoke, use_semaphore, prepare_revoke);
}

CASE(long, an_object_is_made_and_dropped_in_the_middle_of_a_low_threads_revoke, "3.1-08 3.6-11")
{
        set_up();
        make_objects();
        expect_no_delay(revoke, create_and_revoke, prepare_revoke);
}

CASE_ON(long, a_revoke_does_not_wait_for_a_low_threads_pd_destroy, "3.1-08 3.6-11",
        needs_pd_destroy)
{
        set_up();
        make_objects();
        expect_no_delay(destroy, create_and_revoke, prepare_destroy);
}

/* ---- Two revocations of one range ------------------------------------------------------------ */

#define RANGE_ORDER 4
#define HALF        (1u << (RANGE_ORDER - 1))
#define LOWER       200
#define UPPER       50

static word_t parent_page, child_page, grandchildren;

/* parent -> child -> grandchildren of the lower half, then of the upper one. */
static void make_family(void)
{
        give_self(mem(parent_page, RANGE_ORDER, ALL), child_page);
        for (unsigned i = 0; i < LOWER + UPPER; i++)
                give_self(mem(child_page + (i < LOWER ? 0 : HALF), RANGE_ORDER - 1, ALL),
                          grandchildren + i * HALF);
        test.crd = mem(child_page, RANGE_ORDER, ALL);
}

static void expect_no_grandchildren(void)
{
        for (unsigned i = 0; i < (LOWER + UPPER) * HALF; i++)
                EXPECT_EQ(look(NOVA_CRD_MEM, grandchildren + i), 0);
}

static void revoke_other(void)
{
        hc_revoke(test.other_crd, 0);
}

static void give_and_revoke_other(void)
{
        hc_revoke(test.other_crd, 0);
        hc_revoke(test.other_crd + ((nova_crd_t)HALF / 2 << NOVA_CRD_BASE_SHIFT), 0);
}

/* The child takes back everything while other_crd is taken from it. */
static void two_revocations(nova_crd_t other, void (*high)(void))
{
        set_up();
        test.other_crd = other;
        make_family();
        run_both(revoke, high, 0);
        expect_no_grandchildren();
        const unsigned longest = low_microseconds();
        for (unsigned i = 0; i < ROUNDS; i++) {
                make_family();
                run_both(revoke, high, 1 + longest * (i + 1) / (ROUNDS + 1));
                expect_no_grandchildren();
                hc_revoke(mem(parent_page, RANGE_ORDER, ALL), 0);
                EXPECT_EQ(look(NOVA_CRD_MEM, child_page + HALF), 0);
        }
}

static void make_pages(void)
{
        parent_page = page_of(memory(RANGE_ORDER));
        child_page = page_alloc(RANGE_ORDER);
        grandchildren = page_alloc(11);
}

CASE(long, a_revocation_is_complete_when_its_parent_takes_the_lower_half_away, "3.6-04 3.6-08")
{
        make_pages();
        two_revocations(mem(parent_page, RANGE_ORDER - 1, ALL), revoke_other);
}

CASE(long, a_revocation_is_complete_when_its_parent_takes_the_upper_half_away, "3.6-04 3.6-08")
{
        make_pages();
        two_revocations(mem(parent_page + HALF, RANGE_ORDER - 1, ALL), revoke_other);
}

CASE(long, a_revocation_is_complete_when_its_parent_takes_quarters_away, "3.6-04 3.6-08")
{
        make_pages();
        two_revocations(mem(parent_page, RANGE_ORDER - 2, ALL), give_and_revoke_other);
}

CASE(long, a_revocation_is_complete_when_its_parent_takes_all_away, "3.6-04 3.6-08")
{
        make_pages();
        two_revocations(mem(parent_page, RANGE_ORDER, ALL), revoke_other);
}

CASE(long, a_revocation_is_complete_when_its_parent_takes_writing_away, "3.6-04 3.6-08")
{
        make_pages();
        two_revocations(mem(parent_page, RANGE_ORDER - 1, NOVA_MEM_W), revoke_other);
}
