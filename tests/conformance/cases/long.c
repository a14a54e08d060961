/* SPDX-License-Identifier: BSD-2-Clause */
/* Long operations of threads of low priority, interrupted by threads of higher priority. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define ROUNDS 20

/* The low thread's operation, and the high thread's action when the timer fires. */
static struct {
        struct thread *thread; /* the thread of low priority */
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
        test.thread = t;
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
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

/* Runs low. The timer starts high after a number of microseconds; 0: no timer. */
static void meet(word_t (*low)(void), void (*high)(void), unsigned after)
{
        test.low = low;
        test.high = high;
        test.after = after;
        test.low_ended = 0;
        if (after)
                run_thread(boot_cpu, PRIO_HIGH, high_thread, NULL);
        run_thread(boot_cpu, PRIO_LOW, low_thread, NULL);
        for (unsigned threads = after ? 2 : 1; threads; threads--)
                EXPECT_EQ(hc_sm_ctrl(test.ended, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

static void run_both(word_t (*low)(void), void (*high)(void), unsigned after)
{
        meet(low, high, after);
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

/* Makes a child that holds many capabilities. */
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

/* Expects that the high operation does not wait for the end of low's work if the timer fires in the
 * middle of this work. */
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

/* Delegates the parent's pages to the child, and from there to the grandchildren: first the lower
 * half LOWER times, then the upper half UPPER times. */
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

/* Revokes the child's whole range from the grandchildren. Meanwhile, a thread of higher priority
 * revokes @p other from the child. */
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

/* ---- A partner of a long message ends -------------------------------------------------------- */

#define ITEMS_ORDER  6
#define WINDOW_ORDER (OBJECTS_ORDER + ITEMS_ORDER)
#define ENOUGH_US    100000

/* Selectors of a child that calls. */
#define CHILD_PORTAL (CHILD_FREE_SEL + (1 << OBJECTS_ORDER))
#define CHILD_SM     (CHILD_PORTAL + 1)

static struct child *child;
static struct thread *receiver, *other;
static nova_sel_t window;

static word_t send_objects(struct nova_utcb *u, nova_sel_t from, nova_sel_t pt)
{
        for (unsigned i = 0; i < 1 << ITEMS_ORDER; i++) {
                u->word[nova_utcb_item_index(i)] = nova_crd(NOVA_CRD_OBJ, from, OBJECTS_ORDER, ALL);
                u->word[nova_utcb_item_index(i) + 1] =
                        item_upper(NOVA_ITEM_DELEGATE, i << OBJECTS_ORDER);
        }
        u->items = nova_utcb_items(0, 1 << ITEMS_ORDER);
        const word_t status = hc_call(pt, 0);
        u->items = 0;
        return status;
}

/* Sends the objects to the receiver, then expects that the caller can make another call. Returns
 * the status of the first call. */
static word_t call_receiver(void)
{
        const word_t status = send_objects(test.thread->utcb, objects, receiver->pt);
        EXPECT_EQ(hc_call(other->pt, 0), NOVA_SUCCESS);
        return status;
}

static void end_child(void)
{
        hc_pd_destroy(test.pd);
}

/* Returns the delay of the next interrupt: a longer one than @p after, or a shorter one if @p after
 * was too long. */
static unsigned next_time(unsigned after, bool late)
{
        return late ? after - after / 4 : after + after / 8 + 1;
}

/* Makes the next child, with the portals of the last one. */
static void make_child(void)
{
        child->pd = sel_alloc(0);
        child->threads = 0;
        EXPECT_EQ(hc_create_pd(child->pd, ROOT_PD,
                               nova_crd(NOVA_CRD_OBJ, child->portals, CHILD_ORDER, ALL)),
                  NOVA_SUCCESS);
        test.pd = child->pd;
}

static void make_receiver(void)
{
        make_child();
        receiver = child_server(child);
        windows(receiver, 0, nova_crd(NOVA_CRD_OBJ, CHILD_FREE_SEL, WINDOW_ORDER, ALL));
        receiver->calls = 0;
}

/* Statuses of a call that was made before, during or after the end of the callee's PD. */
static bool is_possible(word_t status)
{
        return status == NOVA_SUCCESS || status == NOVA_COM_ABT || status == NOVA_BAD_CAP ||
               status == NOVA_COM_TIM;
}

CASE_ON(long, a_call_whose_message_is_on_its_way_gives_COM_ABT_when_the_callee_ends, "5.2.1-11",
        needs_pd_destroy)
{
        unsigned cut = 0;
        set_up();
        make_objects();
        child = child_new(boot_cpu);
        other = server(boot_cpu);
        make_receiver();
        run_both(call_receiver, NULL, 0);
        EXPECT_EQ(receiver->calls, 1);
        unsigned after = low_microseconds() / 8 + 1;
        for (unsigned i = 0; i < ROUNDS; i++) {
                receiver->events = 0;
                make_receiver();
                meet(call_receiver, end_child, after);
                after = next_time(after, receiver->calls);
                cut += test.low_status == NOVA_COM_ABT && !receiver->calls;
                EXPECT(is_possible(test.low_status));
        }
        EXPECT(cut > 0);
}

static void begin(struct thread *t)
{
        hc_sm_ctrl(CHILD_SM, NOVA_SM_UP_OP);
        t->value[1] = (word_t)tsc();
}

static void calls_receiver(struct thread *t)
{
        begin(t);
        send_objects(t->utcb, CHILD_FREE_SEL, CHILD_PORTAL);
        t->value[2] = (word_t)tsc() - t->value[1];
}

static void takes_back(struct thread *t)
{
        send_objects(t->utcb, CHILD_FREE_SEL, CHILD_PORTAL);
        begin(t);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, CHILD_FREE_SEL, OBJECTS_ORDER, ALL), 0);
        t->value[2] = (word_t)tsc() - t->value[1];
}

static void ends_child(struct thread *t)
{
        (void)t;
        hc_sm_ctrl(test.timer, NOVA_SM_DN_OP);
        end_child();
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

/* Ends a child a number of microseconds after its start. @return the duration of its work; 0 if it
 * was interrupted */
static word_t run_child(thread_fn *fn, unsigned after)
{
        make_child();
        struct thread *s = child_server(child), *t = child_global(child, fn, NULL);
        give(s, nova_crd(NOVA_CRD_OBJ, objects, OBJECTS_ORDER, ALL), CHILD_FREE_SEL);
        give(s, obj(receiver->pt, ALL), CHILD_PORTAL);
        give(s, obj(test.spare, ALL), CHILD_SM);
        receiver->calls = 0;
        run_thread(boot_cpu, PRIO_HIGH, ends_child, NULL);
        thread_start(t, PRIO_LOW, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(test.spare, NOVA_SM_DN_OP), NOVA_SUCCESS);
        timer_shot(after);
        EXPECT_EQ(hc_sm_ctrl(test.ended, NOVA_SM_DN_OP), NOVA_SUCCESS);
        s->events = t->events = 0;
        return t->value[2];
}

static void make_window(void)
{
        set_up();
        make_objects();
        child = child_new(boot_cpu);
        receiver = server(boot_cpu);
        window = sel_far(WINDOW_ORDER);
        windows(receiver, 0, nova_crd(NOVA_CRD_OBJ, window, WINDOW_ORDER, ALL));
}

static void expect_no_copies(void)
{
        for (unsigned i = 0; i < 1 << WINDOW_ORDER; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, window + i), 0);
        EXPECT(look(NOVA_CRD_OBJ, objects) != 0);
}

/* Runs a child to the end of its work. Returns the duration. On a busy host the emulator may get so
 * little time that the timer ends the child too early. Then another child tries. */
static word_t run_whole(thread_fn *fn)
{
        word_t whole = 0;

        for (unsigned tries = 0; !whole && tries < ROUNDS; tries++)
                whole = run_child(fn, ENOUGH_US);
        return whole;
}

/* Ends a child at each stage of its work. Returns the number of rounds in which the work was
 * interrupted after this number of calls to the receiver. */
static unsigned cut_rounds(thread_fn *fn, word_t calls)
{
        const word_t whole = run_whole(fn);
        unsigned cut = 0, after = (unsigned)((uint64_t)whole * 1000 / tsc_per_ms() / 8) + 1;
        EXPECT(whole > 0);
        expect_no_copies();
        for (unsigned i = 0; i < ROUNDS; i++) {
                const bool late = run_child(fn, after) || receiver->calls != calls;
                after = next_time(after, late);
                cut += !late;
                expect_no_copies();
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(receiver->pt, 0), NOVA_SUCCESS);
        }
        return cut;
}

CASE_ON(long, a_callee_waits_for_requests_again_when_its_caller_ends_in_the_middle_of_a_message,
        "5.2.1-11 3.6-08", needs_pd_destroy)
{
        make_window();
        EXPECT(cut_rounds(calls_receiver, 0) > 0);
}

CASE_ON(long, a_revocation_is_complete_when_its_caller_ends, "3.6-04 3.6-08", needs_pd_destroy)
{
        make_window();
        EXPECT(cut_rounds(takes_back, 1) > 0);
}

/* ---- A second thread destroys a PD while the first one is interrupted ------------------------ */

#define DESTROYS 10 /* the harness has enough threads for these rounds */

/* A page of the child, the copy that the child delegated to the root PD, and the second thread's
 * result. */
static struct {
        word_t page, copy;
        volatile word_t status, left, done;
} second;

static void destroy_second(void)
{
        second.status = hc_pd_destroy(test.pd);
        second.left = look(NOVA_CRD_MEM, second.copy);
        second.done = 1;
}

/* Lets a thread on another CPU destroy the PD, and keeps the low thread from running meanwhile. */
static void let_other_cpu_destroy(void)
{
        hc_sm_ctrl(test.spare, NOVA_SM_UP_OP);
        EXPECT(wait_for(&second.done, 1));
}

static void destroys_when_let(struct thread *t)
{
        (void)t;
        hc_sm_ctrl(test.spare, NOVA_SM_DN_OP);
        destroy_second();
}

/* Makes a child that holds many capabilities and has delegated a page. The end of a PD empties the
 * memory space last. */
static void prepare_second(struct thread *s)
{
        make_child();
        struct thread *t = child_server(child);

        second.done = 0;
        for (word_t i = 1; i <= COPIES; i++)
                give(t, nova_crd(NOVA_CRD_OBJ, objects, OBJECTS_ORDER, ALL),
                     CHILD_FREE_SEL + (i << OBJECTS_ORDER));
        give(t, mem(second.page, 0, ALL), second.page);
        give(t, obj(s->pt, ALL), CHILD_FREE_SEL);
        windows(s, 0, mem(second.copy, 0, ALL));
        send_from(t, CHILD_FREE_SEL, s, mem(second.page, 0, ALL), NOVA_ITEM_DELEGATE);
        EXPECT(look(NOVA_CRD_MEM, second.copy) != 0);
}

/* Destroys a PD by two threads, and expects that each pd_destroy returns only when the PD has
 * ended. */
static void destroy_twice(void (*high)(void), unsigned cpu)
{
        unsigned met = 0;
        struct thread *s = server(boot_cpu);
        set_up();
        make_objects();
        child = child_new(boot_cpu);
        second.page = page_of(memory(0));
        second.copy = page_alloc(0);
        prepare_second(s);
        run_both(destroy, NULL, 0);
        unsigned after = low_microseconds() / 4 + 1;
        for (unsigned i = 0; i < DESTROYS; i++) {
                prepare_second(s);
                if (cpu != boot_cpu)
                        run_thread(cpu, PRIO_CASE, destroys_when_let, NULL);
                meet(destroy, high, after);
                after = next_time(after, second.status == NOVA_BAD_CAP);
                EXPECT(test.low_status == NOVA_SUCCESS || second.status == NOVA_SUCCESS);
                EXPECT_EQ(second.left, 0);
                met += test.low_status == NOVA_SUCCESS && second.status == NOVA_SUCCESS;
        }
        EXPECT(met > 0);
}

CASE_ON(long, a_pd_destroy_of_higher_priority_ends_a_pd_that_a_low_thread_is_destroying,
        "3.6-08 3.6-11", needs_pd_destroy)
{
        destroy_twice(destroy_second, boot_cpu);
}

CASE_ON(long, a_pd_destroy_ends_a_pd_that_an_interrupted_thread_of_another_cpu_is_destroying,
        "3.6-08 3.6-11", needs_pd_destroy_and_2_cpus)
{
        destroy_twice(let_other_cpu_destroy, cpu_numbers[1]);
}
