/* SPDX-License-Identifier: BSD-2-Clause */
/* A client in the style of 2012. Threads register and end through nested services, and the whole
 * chain of calls runs on their time. A server holds a lock while its donated time is revoked.
 * Shared memory and semaphores are revoked under a waiting client. An exception handler ends a
 * child, on the child's own time. */
#include "internal.h"
#include "stress.h"

#define PRIO_CHILD (PRIO_CASE + 1) /* the child runs as soon as it can */
#define WAIT_MS    5000            /* longer only if something hangs */

/* The worker's selectors. In the root PD they are relative to w->sel; in the worker's other PDs the
 * same objects begin at selector 0. The first ones are event portals. */
enum { SEM_DONE = 32, SEM_GO, SEM_LOCK, SEM_GATE, SEM_SLEEP, SEM_NEVER };
enum { PT_ROOT = 40, PT_PARENT, PT_SERVER, PD_PARENT, PD_CHILD };
enum { EC_OF = 46, SC_OF = 54 };

/* Slots: the root's service and handler, the parent's service and server, the child's threads. */
enum { ROOT, HANDLER, PARENT, SERVER, ENDER, CALLER, SLEEPER };

enum { REGISTER, END }; /* a thread's requests to its parent, and the parent's to the root */

/* The state of the workers' rounds, visible in all of their PDs. */
static struct round {
        word_t registered, ended; /* counted by the root's service */
        word_t status;            /* status of the sleeper's down */
        word_t lost;              /* whether the sleeper's memory was gone */
        word_t killed;
        volatile word_t page; /* the shared page */
        word_t keeps_quiet;   /* the handler does not reply */
} rounds[WORKERS];

static struct worker *worker_of(const struct thread *t)
{
        for (unsigned i = 0; i < WORKERS; i++)
                if ((const char *)t >= (const char *)workers[i].slot &&
                    (const char *)t < (const char *)(workers[i].slot + SLOTS))
                        return &workers[i];
        return &workers[0];
}

static struct round *round_of(const struct worker *w)
{
        return &rounds[w->index];
}

static word_t drop(nova_sel_t sel)
{
        return hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
}

/* ---- The root's side ------------------------------------------------------------------------- */

/* Body of the last service of a chain. To end a thread it drops the thread's SC, on which the
 * service itself runs. */
static void root_serves(struct thread *t)
{
        struct worker *w = worker_of(t);

        t->fn = root_serves;
        if (t->rx_word[0] == END) {
                round_of(w)->ended += drop(w->sel + SC_OF + ENDER) == NOVA_SUCCESS;
                round_of(w)->ended += drop(w->sel + SC_OF + ENDER) == NOVA_SUCCESS; /* again */
        } else {
                round_of(w)->registered++;
        }
}

static void answer(struct nova_utcb *u, nova_mtd_t mtd, word_t ip)
{
        u->state.ip = ip;
        u->state.mtd = mtd;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

/* Delegates the shared page to its reader, as long as there is one. */
static void answer_shared(const struct worker *w, struct nova_utcb *u)
{
        const word_t page = round_of(w)->page;

        if (!page) {
                answer(u, NOVA_MTD_EIP, (word_t)probe_failed);
                return;
        }
        u->state.mtd = 0;
        u->word[nova_utcb_item_index(0)] = mem(page, 0, ALL);
        u->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, page);
        u->items = nova_utcb_items(1, 1);
}

/* Drops the objects of a thread that has reached the end that it requested. */
static void bury(const struct worker *w, unsigned slot)
{
        drop(w->sel + EC_OF + slot);
        drop(w->sel + SC_OF + slot);
}

/* Ends the whole child, and with the child the SC on which this code runs. The child's last thread
 * has ended before. Afterwards the code still takes and releases locks and waits for other
 * threads. */
static void kill_child(struct worker *w)
{
        hc_sm_ctrl(w->sel + SEM_LOCK, NOVA_SM_DN_OP);
        drop(w->sel + PD_CHILD);
        for (unsigned slot = ENDER; slot <= SLEEPER; slot++)
                bury(w, slot);
        hc_sm_ctrl(w->sel + SEM_LOCK, NOVA_SM_UP_OP);
        hc_sm_ctrl(w->sel + SEM_DONE, NOVA_SM_UP_OP);
        hc_sm_ctrl(w->sel + SEM_GO, NOVA_SM_DN_OP);
        round_of(w)->killed++;
        hc_sm_ctrl(w->sel + SEM_DONE, NOVA_SM_UP_OP);
        if (round_of(w)->keeps_quiet)
                hc_sm_ctrl(w->sel + SEM_NEVER, NOVA_SM_DN_OP);
}

/* Handles all events of the child and its parent. */
static void handles(struct thread *t)
{
        struct worker *w = worker_of(t);
        struct nova_utcb *u = t->utcb;
        const word_t address = (word_t)u->state.qual[1];
        const unsigned slot =
                (unsigned)(((word_t)u->state.sp - (word_t)w->slot) / sizeof(w->slot[0]));

        t->fn = handles;
        if (t->portal - w->sel == NOVA_EXC_STARTUP) {
                answer(u, NOVA_MTD_EIP, (word_t)global_entry);
                return;
        }
        if (address == round_of(w)->page || address >> NOVA_PAGE_BITS == w->value) {
                answer_shared(w, u);
                return;
        }
        if (event_answer_image(u, address))
                return;
        if (slot == SLEEPER)
                kill_child(w);
        else
                bury(w, slot);
        /* The thread of the event was dropped, so it no longer runs, whatever the reply is. */
        answer(u, 0, 0);
}

/* ---- The others' side ------------------------------------------------------------------------ */

static void asks(const struct thread *t, nova_sel_t pt, word_t what)
{
        t->utcb->word[0] = what;
        t->utcb->items = nova_utcb_items(1, 0);
        hc_call(pt, 0);
}

static void parent_serves(struct thread *t)
{
        t->fn = parent_serves;
        asks(t, PT_ROOT, t->rx_word[0]);
        t->utcb->items = 0;
}

/* Holds the lock while it waits, on its caller's time. */
static void server_locks(struct thread *t)
{
        t->fn = server_locks;
        hc_sm_ctrl(SEM_LOCK, NOVA_SM_DN_OP);
        hc_sm_ctrl(SEM_DONE, NOVA_SM_UP_OP);
        hc_sm_ctrl(SEM_GATE, NOVA_SM_DN_OP);
        hc_sm_ctrl(SEM_LOCK, NOVA_SM_UP_OP);
}

static _Noreturn void end_of_thread(void)
{
        ((void (*)(void))NOVA_USER_END)();
        for (;;)
                ;
}

static void ends(struct thread *t)
{
        asks(t, PT_PARENT, REGISTER);
        asks(t, PT_PARENT, END);
        hc_sm_ctrl(SEM_DONE, NOVA_SM_UP_OP);
        end_of_thread();
}

static void calls(struct thread *t)
{
        asks(t, PT_SERVER, 0);
        end_of_thread();
}

static void sleeps(struct thread *t)
{
        struct worker *w = worker_of(t);
        const volatile void *const shared = (const volatile void *)(w->value << NOVA_PAGE_BITS);

        probe_read(shared);
        hc_sm_ctrl(SEM_DONE, NOVA_SM_UP_OP);
        round_of(w)->status = hc_sm_ctrl(SEM_SLEEP, NOVA_SM_DN_OP);
        round_of(w)->lost = (word_t)probe_read(shared);
        end_of_thread();
}

/* ---- A round --------------------------------------------------------------------------------- */

static word_t wait_done(const struct worker *w)
{
        return hc_sm_until(w->sel + SEM_DONE, 0, tsc() + WAIT_MS * tsc_per_ms());
}

static word_t make_ec(struct worker *w, unsigned slot, nova_sel_t pd, thread_fn *fn, word_t flags)
{
        w->slot[slot].thread.cpu = w->cpu;
        return hc_create_ec(w->sel + EC_OF + slot, pd, utcb_of(w, slot) | w->cpu,
                            slot_prepare(w, slot, fn),
                            pd == ROOT_PD ? events_of(group, w->index) : 0, flags);
}

static word_t make_pt(const struct worker *w, nova_sel_t sel, unsigned slot, nova_mtd_t mtd)
{
        return hc_create_pt(w->sel + sel, ROOT_PD, w->sel + EC_OF + slot, mtd,
                            (word_t)portal_entry);
}

static word_t start(const struct worker *w, unsigned slot)
{
        return hc_create_sc(w->sel + SC_OF + slot, ROOT_PD, w->sel + EC_OF + slot,
                            nova_qpd(QUANTUM, PRIO_CHILD));
}

/* Makes the root's services, the parent, the server and the child, which does not run yet. */
static void set_up(struct worker *w)
{
        const nova_crd_t all = nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL);
        const nova_sel_t parent = w->sel + PD_PARENT, child = w->sel + PD_CHILD;

        for (unsigned sem = SEM_DONE; sem <= SEM_NEVER; sem++)
                CHECK_EQ(w, hc_create_sm(w->sel + sem, ROOT_PD, sem == SEM_LOCK), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, ROOT, ROOT_PD, root_serves, 0), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, HANDLER, ROOT_PD, handles, 0), NOVA_SUCCESS);
        CHECK_EQ(w, make_pt(w, PT_ROOT, ROOT, 0), NOVA_SUCCESS);
        for (unsigned n = NOVA_EXC_GP; n <= NOVA_EXC_PF; n++)
                CHECK_EQ(w, make_pt(w, n, HANDLER, NOVA_MTD_EXCEPTION), NOVA_SUCCESS);
        CHECK_EQ(w, make_pt(w, NOVA_EXC_STARTUP, HANDLER, NOVA_MTD_EXCEPTION), NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_pd(parent, ROOT_PD, all), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, PARENT, parent, parent_serves, 0), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, SERVER, parent, server_locks, 0), NOVA_SUCCESS);
        CHECK_EQ(w, make_pt(w, PT_PARENT, PARENT, 0), NOVA_SUCCESS);
        CHECK_EQ(w, make_pt(w, PT_SERVER, SERVER, 0), NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_pd(child, ROOT_PD, all), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, ENDER, child, ends, NOVA_EC_GLOBAL), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, CALLER, child, calls, NOVA_EC_GLOBAL), NOVA_SUCCESS);
        CHECK_EQ(w, make_ec(w, SLEEPER, child, sleeps, NOVA_EC_GLOBAL), NOVA_SUCCESS);
}

/* Lets a thread ask its parent to end it. All of this runs on the thread's own time, up to the last
 * moment. */
static void end_through_services(struct worker *w)
{
        w->phase = 1;
        CHECK_EQ(w, start(w, ENDER), NOVA_SUCCESS);
        CHECK_EQ(w, wait_done(w), NOVA_SUCCESS);
        CHECK_EQ(w, round_of(w)->registered, 1);
        CHECK_EQ(w, round_of(w)->ended, 2);
        CHECK_EQ(w, look(NOVA_CRD_OBJ, w->sel + EC_OF + ENDER), 0);
}

/* Revokes a caller's SC while the server that runs on this SC holds a lock. */
static void take_donated_time(struct worker *w)
{
        w->phase = 2;
        CHECK_EQ(w, start(w, CALLER), NOVA_SUCCESS);
        CHECK_EQ(w, wait_done(w), NOVA_SUCCESS);
        drop(w->sel + SC_OF + CALLER);
        hc_sm_ctrl(w->sel + SEM_GATE, NOVA_SM_UP_OP);
        CHECK_EQ(w, hc_sm_until(w->sel + SEM_LOCK, 0, tsc() + WAIT_MS * tsc_per_ms()),
                 NOVA_SUCCESS);
        hc_sm_ctrl(w->sel + SEM_LOCK, NOVA_SM_UP_OP);
}

/* Revokes memory and a semaphore while a client waits for the semaphore. Then the client's handler
 * ends the child. */
static void take_under_sleeper(struct worker *w)
{
        w->phase = 3;
        CHECK_EQ(w, start(w, SLEEPER), NOVA_SUCCESS);
        CHECK_EQ(w, wait_done(w), NOVA_SUCCESS);
        round_of(w)->page = 0;
        hc_revoke(mem(w->value, 0, ALL), 0);
        drop(w->sel + SEM_SLEEP);
        w->phase = 4;
        CHECK_EQ(w, wait_done(w), NOVA_SUCCESS);
        CHECK_EQ(w, round_of(w)->status, NOVA_BAD_CAP);
        CHECK_EQ(w, round_of(w)->lost, 1);
        hc_sm_ctrl(w->sel + SEM_GO, NOVA_SM_UP_OP);
        CHECK_EQ(w, wait_done(w), NOVA_SUCCESS);
        CHECK_EQ(w, round_of(w)->killed, 1);
}

static void client_round(struct worker *w)
{
        *round_of(w) = (struct round){.page = w->value, .keeps_quiet = w->rounds & 1};
        w->phase = 0;
        set_up(w);
        if (!w->failed)
                end_through_services(w);
        if (!w->failed)
                take_donated_time(w);
        if (!w->failed)
                take_under_sleeper(w);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL), NOVA_REVOKE_SR);
}

#define ROUNDS_LONG  10000
#define ROUNDS_SHORT 200
#define RUNS         64 /* maximum number of runs, enough for the slowest machine */

CASE(client, threads_and_children_end_as_in_2012, "C-22 D-40 D-40.2 D-40.4 3.6-11")
{
        const word_t wanted = stress_ms > 5000 ? ROUNDS_LONG : ROUNDS_SHORT;
        word_t rounds_done = 0;

        stress_begin();
        for (unsigned i = 0; i < worker_count; i++)
                workers[i].value = page_of(memory(0));
        const word_t before = memory_left();
        for (unsigned run = 0; run < RUNS && rounds_done < wanted; run++) {
                stress_run(client_round);
                for (unsigned i = 0; i < worker_count; i++)
                        rounds_done += workers[i].rounds;
        }
        EXPECT(rounds_done >= wanted);
        stress_clear();
        memory_check(before);
}
