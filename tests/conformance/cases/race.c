/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that one CPU uses end on another CPU, again and again. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define ROUNDS 300
#define OTHERS 3
#define CHAIN  150

static volatile word_t generation;

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

static unsigned others(void)
{
        return cpu_count - 1 < OTHERS ? cpu_count - 1 : OTHERS;
}

/* Returns a delay, in microseconds, that differs from round to round. */
static unsigned jitter(unsigned i)
{
        return i * 37 % 61;
}

/* ---- Semaphores ------------------------------------------------------------------------------ */

static void downs_each_generation(struct thread *t)
{
        for (word_t seen = 1; seen <= ROUNDS; seen++) {
                while (generation < seen)
                        __asm__ volatile("pause");
                t->value[1] = hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
                t->value[2] = seen;
        }
}

CASE_ON(race, no_thread_waits_for_a_semaphore_that_was_dropped, "3.6-11 D-04.5", needs_2_cpus)
{
        struct thread *t[OTHERS];
        const nova_sel_t sm = sel_alloc(0);
        const unsigned count = others();
        case_seconds(60);
        generation = 0;
        for (unsigned i = 0; i < count; i++) {
                t[i] = global(cpu_numbers[1 + i], downs_each_generation, NULL);
                t[i]->value[0] = sm;
                thread_start(t[i], PRIO_CASE, QUANTUM);
        }
        for (unsigned round = 1; round <= ROUNDS; round++) {
                EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_SUCCESS);
                generation = round;
                spin_us(jitter(round));
                drop(sm);
                for (unsigned i = 0; i < count; i++) {
                        EXPECT(wait_for(&t[i]->value[2], round));
                        EXPECT_EQ(t[i]->value[1], NOVA_BAD_CAP);
                }
        }
}

/* ---- SCs ------------------------------------------------------------------------------------- */

static word_t chain_stack[CHAIN][2];

/* Makes portals of which each calls the next one; the last one waits. Returns the first portal. */
static nova_sel_t make_chain(unsigned cpu, nova_sel_t sm)
{
        word_t id = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm);
        nova_sel_t pt = 0;
        for (unsigned i = 0; i < CHAIN; i++) {
                const nova_sel_t ec = sel_alloc(0);
                pt = sel_alloc(0);
                chain_stack[i][0] = id;
                EXPECT_EQ(
                        hc_create_ec(ec, ROOT_PD, utcb_alloc() | cpu, (word_t)chain_stack[i], 0, 0),
                        NOVA_SUCCESS);
                EXPECT_EQ(hc_create_pt(pt, ROOT_PD, ec, 0, (word_t)portal_forward), NOVA_SUCCESS);
                id = nova_hypercall_id(NOVA_CALL, 0, pt);
        }
        return pt;
}

static void calls_for_ever(struct thread *t)
{
        t->utcb->items = 0;
        for (;;) {
                hc_call(t->value[0], 0);
                t->value[1]++;
        }
}

/* SCs that help a long chain are dropped while their CPU looks for the end of the chain. */
CASE_ON(race, an_sc_that_helps_a_long_chain_is_dropped, "3.6-11 D-04.3 3.2-09", needs_2_cpus)
{
        case_seconds(60);
        const nova_sel_t sm = semaphore(0);
        const nova_sel_t pt = make_chain(cpu_numbers[1], sm);
        struct thread *a = global(cpu_numbers[1], calls_for_ever, NULL);
        struct thread *b = global(cpu_numbers[1], calls_for_ever, NULL);
        a->value[0] = b->value[0] = pt;
        thread_start(a, PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < ROUNDS; i++) {
                b->sc = sel_alloc(0);
                EXPECT_EQ(hc_create_sc(b->sc, ROOT_PD, b->ec, nova_qpd(100, PRIO_CASE)),
                          NOVA_SUCCESS);
                spin_us(jitter(i));
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
                spin_us(jitter(i + 1));
                drop(b->sc);
        }
        const word_t calls = a->value[1];
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        for (unsigned ms = 0; ms < 3000 && a->value[1] == calls; ms++)
                spin_us(1000);
        EXPECT(a->value[1] > calls);
}

/* ---- Messages -------------------------------------------------------------------------------- */

#define PIECES   100
#define MEETINGS 40

static void gives_many(struct thread *t)
{
        struct nova_utcb *u = t->utcb;
        for (unsigned i = 0; i < PIECES; i++) {
                u->word[nova_utcb_item_index(i)] = obj(t->ec, ALL);
                u->word[nova_utcb_item_index(i) + 1] = item_upper(NOVA_ITEM_DELEGATE, i);
        }
        u->items = nova_utcb_items(0, PIECES);
}

static void calls_once(struct thread *t)
{
        t->utcb->items = 0;
        t->utcb->delegate_window = nova_crd(NOVA_CRD_OBJ, CHILD_FREE_SEL, 8, ALL);
        t->value[1] = 1;
        hc_call(t->value[0], 0);
}

/* A PD is destroyed while a long reply to one of its threads is in progress. */
CASE_ON(race, the_receiver_of_a_long_answer_ends, "5.2.1-11 3.6-11 5.1-19", needs_2_cpus)
{
        case_seconds(60);
        struct thread *s = server(cpu_numbers[1]);
        struct child *c = child_new(cpu_numbers[1]);
        give_self(obj(s->pt, ALL), c->portals + 2);
        for (unsigned i = 0; i < MEETINGS; i++) {
                if (i) {
                        c->pd = sel_alloc(0);
                        c->threads = 0;
                        EXPECT_EQ(
                                hc_create_pd(c->pd, ROOT_PD,
                                             nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, ALL)),
                                NOVA_SUCCESS);
                }
                struct thread *t = child_global(c, calls_once, NULL);
                t->value[0] = 2;
                s->fn = gives_many;
                thread_start(t, PRIO_CASE, QUANTUM);
                EXPECT(wait_for(&t->value[1], 1));
                spin_us(jitter(i) * 4);
                EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
                t->events = 0; /* the next child uses these portals, too */
        }
        struct thread *last = global(cpu_numbers[1], calls_for_ever, NULL);
        last->value[0] = s->pt;
        thread_start(last, PRIO_CASE, QUANTUM);
        for (unsigned ms = 0; ms < 3000 && !last->value[1]; ms++)
                spin_us(1000);
        EXPECT(last->value[1] > 0);
}

/* ---- create_pd ------------------------------------------------------------------------------- */

static void makes_pds(struct thread *t)
{
        const nova_sel_t sel = t->value[1];
        while (!t->value[2]) {
                if (hc_create_pd(sel, t->value[0], 0) != NOVA_SUCCESS)
                        continue;
                t->value[3]++;
                t->value[4] += nova_crd_perms(look(NOVA_CRD_OBJ, sel)) == 0;
                hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
        }
}

CASE_ON(race, a_pd_is_never_made_without_permissions_when_its_owner_goes, "5.3.1-12 5.3.1-13",
        needs_2_cpus)
{
        case_seconds(60);
        const nova_sel_t owner = sel_alloc(0);
        struct thread *t = global(cpu_numbers[1], makes_pds, NULL);
        t->value[0] = owner;
        t->value[1] = sel_alloc(0);
        thread_start(t, PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < ROUNDS; i++) {
                give_self(obj(ROOT_PD, ALL), owner);
                spin_us(100 + jitter(i));
                drop(owner);
        }
        t->value[2] = 1;
        EXPECT(wait_for(&t->done, 1));
        EXPECT(t->value[3] > 0);
        EXPECT_EQ(t->value[4], 0);
}

/* ---- Threads that end themselves while another CPU ends them --------------------------------- */

#define ENDS 20

static void ends_itself(struct thread *t)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0),
                         NOVA_EXT_THREAD_EXIT, 0, 0, 0};
        t->value[0] = 1;
        hypercall(&a);
}

CASE_ON(race, a_thread_that_ends_itself_is_dropped_by_another_cpu, "X-EXIT D-04", needs_exit)
{
        if (cpu_count < 2)
                NOT_RAISED("needs 2 CPUs");
        case_seconds(60);
        for (unsigned i = 0; i < ENDS; i++) {
                struct thread *t = run_thread(cpu_numbers[1], PRIO_CASE, ends_itself, NULL);
                EXPECT(wait_for(&t->value[0], 1));
                for (volatile unsigned wait = 0; wait < jitter(i) * 8; wait++)
                        ;
                drop(t->ec);
                drop(t->sc);
        }
        /* Checks that no frame was freed twice: the new message buffers are all different. */
        struct thread *t[8];
        for (unsigned i = 0; i < 8; i++) {
                t[i] = server(boot_cpu);
                t[i]->utcb->tls = 0x100 + i;
        }
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(t[i]->utcb->tls, 0x100 + i);
}

/* ---- Threads that end in the middle of a revoke ------------------------------------------------
 */

#define CUT_ORDER  11
#define CUT_PAGES  ((word_t)1 << CUT_ORDER)
#define CUT_ROUNDS 10

static void takes_from_its_pd(struct thread *t)
{
        t->value[1] = 1;
        hc_revoke(mem(t->value[0], CUT_ORDER, ALL), NOVA_REVOKE_SR);
        t->value[2] = 1;
}

/* The thread revokes a range from its own PD. The kernel also revokes the mappings that are derived
 * from the range, page by page. Meanwhile another thread splits the range, and then ends the first
 * thread. */
CASE_ON(race, no_page_is_left_without_rights_by_a_thread_that_ends, "3.6-08 3.6-11", needs_2_cpus)
{
        case_seconds(120);
        const nova_sel_t from = page_of(memory(CUT_ORDER));
        const nova_sel_t range = page_alloc(CUT_ORDER), below = page_alloc(CUT_ORDER);
        unsigned in_time = 0;
        for (unsigned round = 0; round < CUT_ROUNDS; round++) {
                give_self(mem(from, CUT_ORDER, NOVA_MEM_RWX), range);
                for (word_t i = 0; i < CUT_PAGES; i++)
                        give_self(mem(range + i, 0, NOVA_MEM_RWX), below + (i ^ 1));
                for (word_t i = 0; i < CUT_PAGES; i++)
                        EXPECT_EQ(nova_crd_perms(look(NOVA_CRD_MEM, below + i)), NOVA_MEM_RWX);

                struct thread *t = global(cpu_numbers[1], takes_from_its_pd, NULL);
                t->value[0] = range;
                thread_start(t, PRIO_CASE, QUANTUM);
                EXPECT(wait_for(&t->value[1], 1));
                for (word_t i = 0; i < 20 + 24 * round; i++)
                        hc_revoke(mem(range + CUT_PAGES / 2 + 2 * i, 0, ALL), NOVA_REVOKE_SR);
                in_time += !t->value[2];
                drop(t->sc);
                drop(t->ec);
                for (word_t i = 0; i < CUT_PAGES; i++) {
                        const nova_crd_t crd = look(NOVA_CRD_MEM, range + i);
                        EXPECT(!crd || nova_crd_perms(crd));
                }
                hc_revoke(mem(from, CUT_ORDER, ALL), 0);
                for (word_t i = 0; i < CUT_PAGES; i++) {
                        EXPECT_EQ(look(NOVA_CRD_MEM, range + i), 0);
                        EXPECT_EQ(look(NOVA_CRD_MEM, below + i), 0);
                }
        }
        EXPECT(in_time > 0);
}

/* ---- Threads that run while their PD is being destroyed -------------------------------------- */

#define ENDING 200

static volatile bool churns;

static void spins(struct thread *t)
{
        for (;;)
                t->value[1] = 1;
}

static void churn(struct thread *t)
{
        while (churns) {
                hc_create_sm(t->value[0], ROOT_PD, 0);
                hc_revoke(obj(t->value[0], ALL), NOVA_REVOKE_SR);
                t->value[1] = 1;
        }
}

static const char *needs_pd_destroy_and_3_cpus(void)
{
        return cpu_count < 3 ? "needs 3 CPUs" : needs_pd_destroy();
}

/* Other threads of the PD end first. Meanwhile memory is freed again and again, and each CPU is
 * interrupted for this. The thread keeps its memory, so it gets no page fault. */
CASE_ON(race, a_thread_of_a_pd_that_is_being_destroyed_keeps_its_memory, "5.1-19 3.6-11",
        needs_pd_destroy_and_3_cpus)
{
        case_seconds(120);
        struct child *c = child_new(cpu_numbers[1]);
        for (word_t i = 0; i < ENDING; i++)
                EXPECT_EQ(hc_create_ec(sel_alloc(0), c->pd, 0x10000000 + (i << NOVA_PAGE_BITS), 0,
                                       0, 0),
                          NOVA_SUCCESS);
        struct thread *t = child_global(c, spins, NULL);
        struct thread *churner = global(cpu_numbers[2], churn, NULL);
        thread_start(t, PRIO_CASE, 1000000);
        EXPECT(wait_for(&t->value[1], 1));
        const unsigned events = t->event_count;
        churns = true;
        churner->value[0] = sel_alloc(0);
        thread_start(churner, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&churner->value[1], 1));
        EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
        churns = false;
        EXPECT(wait_for(&churner->done, 1));
        EXPECT_EQ(t->event_count, events);
}

/* ---- All CPUs destroy one PD ----------------------------------------------------------------- */

#define DESTROYS       40
#define BELOW_DESTROYS 30 /* rounds with two PDs; the harness has enough threads for them */

static void destroys_each_generation(struct thread *t)
{
        for (word_t seen = 1; seen <= DESTROYS; seen++) {
                while (generation < seen)
                        __asm__ volatile("pause");
                t->value[1] = hc_pd_destroy(t->value[0]);
                t->value[3] = look(NOVA_CRD_OBJ, t->value[4]);
                t->value[2] = seen;
        }
}

static void expect_destroyed(const struct thread *t)
{
        EXPECT(t->value[1] == NOVA_SUCCESS || t->value[1] == NOVA_BAD_CAP);
        EXPECT_EQ(t->value[3], 0);
}

/* Selectors of the PD that creates a PD. */
#define OWN_PD      0x4000
#define WAY         0x4001
#define NEW_PD      0x4002
#define NEW_PORTALS 0x5000

/* Lets a thread of the creator's PD create c's PD and delegate it to the root PD through s. */
static void create_below(struct child *creator, const struct child *c, struct thread *s)
{
        struct thread *t = child_server(creator);
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, 0, NEW_PD), OWN_PD,
                         nova_crd(NOVA_CRD_OBJ, NEW_PORTALS, CHILD_ORDER, ALL), 0, 0};
        give(t, obj(creator->pd, ALL), OWN_PD);
        give(t, obj(s->pt, ALL), WAY);
        give(t, nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, ALL), NEW_PORTALS);
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_SUCCESS);
        windows(s, 0, obj(c->pd, ALL));
        send_from(t, WAY, s, obj(NEW_PD, ALL), NOVA_ITEM_DELEGATE);
}

/* Gives a child many capabilities, one of which the child delegates to the root PD through s. */
static void fill_child(struct child *c, struct thread *s, nova_sel_t sm, nova_sel_t back)
{
        struct thread *t = child_server(c);
        for (word_t i = 0; i < CHAIN; i++)
                give(t, obj(sm, ALL), CHILD_FREE_SEL + i);
        give(t, obj(s->pt, ALL), CHILD_FREE_SEL + CHAIN);
        windows(s, 0, obj(back, ALL));
        send_from(t, CHILD_FREE_SEL + CHAIN, s, obj(CHILD_FREE_SEL + CHAIN - 1, ALL),
                  NOVA_ITEM_DELEGATE);
        EXPECT(look(NOVA_CRD_OBJ, back) != 0);
}

static void create_again(struct child *c)
{
        c->threads = 0;
        drop(c->pd);
        EXPECT_EQ(
                hc_create_pd(c->pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, ALL)),
                NOVA_SUCCESS);
}

/* Destroys a PD by calls on all CPUs. When any of these calls returns, the PD must have ended, and
 * so must the PD that its thread created (@p below). */
static void destroy_on_all_cpus(bool below)
{
        case_seconds(120);
        struct child *c = child_new(boot_cpu), *lower = below ? child_new(boot_cpu) : c;
        struct thread *s = server(boot_cpu), *t[OTHERS];
        const nova_sel_t back = sel_alloc(0), sm = semaphore(0);
        const unsigned count = others();
        generation = 0;
        for (unsigned i = 0; i < count; i++) {
                t[i] = global(cpu_numbers[1 + i], destroys_each_generation, NULL);
                t[i]->value[0] = c->pd;
                t[i]->value[4] = back;
                thread_start(t[i], PRIO_CASE, QUANTUM);
        }
        for (unsigned round = 1; round <= (below ? BELOW_DESTROYS : DESTROYS); round++) {
                lower->threads = 0;
                drop(lower->pd);
                create_again(c);
                if (below)
                        create_below(c, lower, s);
                fill_child(lower, s, sm, back);
                generation = round;
                spin_us(jitter(round));
                const word_t status = hc_pd_destroy(c->pd);
                EXPECT(status == NOVA_SUCCESS || status == NOVA_BAD_CAP);
                EXPECT_EQ(look(NOVA_CRD_OBJ, back), 0);
                for (unsigned i = 0; i < count; i++) {
                        EXPECT(wait_for(&t[i]->value[2], round));
                        expect_destroyed(t[i]);
                }
        }
}

CASE_ON(race, all_cpus_destroy_one_pd, "3.6-08 3.6-11", needs_pd_destroy_and_2_cpus)
{
        destroy_on_all_cpus(false);
}

CASE_ON(race, all_cpus_destroy_a_pd_whose_thread_created_a_pd, "3.6-08 3.6-11",
        needs_pd_destroy_and_2_cpus)
{
        destroy_on_all_cpus(true);
}
