/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: many callers of one server, helping, deep and circular chains, recalls at random. */
#include "stress.h"

#define CALLERS 6
#define DEPTH   100
#define BUSY_US 50
#define RESTS   1000 /* waits of 1 ms for a thread that has not ended yet */
#define FAR_SEL 0x6000

enum { SERVER_EC, SERVER_PT, NAP, EC_OF = 8, SC_OF = 24 };

static struct thread *mirrors[WORKERS];

/* Serves a call: returns the message, sometimes after a sleep on the caller's time. */
static void serves(struct thread *t)
{
        struct nova_utcb *u = t->utcb;
        t->value[0]++;
        if (t->value[0] % 7 == 0)
                delay_us(BUSY_US);
        if (t->value[0] % 64 == 0)
                hc_sm_ctrl(t->value[1], NOVA_SM_DN_OP);
        u->word[0] = t->rx_word[0] + 1;
        u->items = nova_utcb_items(1, 0);
        t->fn = serves;
}

/* Calls without end; value[0] counts the calls, value[2] records an error. */
static void asks(struct thread *t)
{
        struct nova_utcb *u = t->utcb;
        uint64_t seed = (word_t)t | 1;
        for (;;) {
                const word_t r = random_next(&seed);
                const word_t flags = r & (NOVA_CALL_DB | NOVA_CALL_DL);
                u->word[0] = r;
                u->word[nova_utcb_item_index(0)] = obj(t->value[1], 1 + (r >> 8) % 31);
                u->word[nova_utcb_item_index(0) + 1] = r >> 16 & 1;
                u->items = nova_utcb_items(1 + (r >> 20) % 200, r >> 24 & 1);
                const word_t status = hc_call(t->value[3], flags);
                if (status != NOVA_SUCCESS && !(status == NOVA_COM_TIM && flags & NOVA_CALL_DB) &&
                    !t->value[4])
                        t->value[2] = status << 8 | 1;
                if (status == NOVA_SUCCESS && u->word[0] != r + 1)
                        t->value[2] = 2;
                /* A thread that runs for ever at a higher priority than the worker would keep the
                 * worker from ending others. */
                if (t->value[4] && status == NOVA_BAD_CAP)
                        thread_exit();
                t->value[0]++;
        }
}

/* Makes thread n. A thread whose recall is being handled when a round ends keeps its UTCB until the
 * handler replies; the handler runs on that thread's time (decision 8). So creation in the next
 * round may fail at first, and the worker tries again. */
static void make(struct worker *w, unsigned n, thread_fn *fn, word_t flags)
{
        struct thread *t = &w->slot[n].thread;
        const word_t sp = slot_prepare(w, n, fn);
        word_t status = NOVA_BAD_PAR;

        t->cpu = w->cpu;
        t->value[0] = t->value[2] = t->value[4] = 0;
        for (unsigned i = 0; i < RESTS && status == NOVA_BAD_PAR; i++) {
                if (i)
                        hc_sm_until(w->sel + NAP, NOVA_SM_DN_OP, tsc() + tsc_per_ms());
                status = hc_create_ec(w->sel + EC_OF + n, ROOT_PD, utcb_of(w, n) | w->cpu, sp,
                                      events_of(group, w->index), flags);
        }
        CHECK_EQ(w, status, NOVA_SUCCESS);
}

static void start(struct worker *w, unsigned n, unsigned prio, unsigned quantum)
{
        CHECK_EQ(w,
                 hc_create_sc(w->sel + SC_OF + n, ROOT_PD, w->sel + EC_OF + n,
                              nova_qpd(quantum, prio)),
                 NOVA_SUCCESS);
}

static void clear(struct worker *w)
{
        hc_revoke(nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL), NOVA_REVOKE_SR);
}

/* Makes a server that has callers whose priorities are below, equal to and above the worker's. The
 * worker wakes the server and recalls threads at random. */
static void crowd(struct worker *w)
{
        w->phase = 1;
        CHECK_EQ(w, hc_create_sm(w->sel + NAP, ROOT_PD, 0), NOVA_SUCCESS);
        make(w, 0, serves, 0);
        w->slot[0].thread.value[1] = w->sel + NAP;
        w->slot[0].thread.win_d = nova_crd(NOVA_CRD_OBJ, FAR_SEL, 4, ALL);
        CHECK_EQ(w,
                 hc_create_pt(w->sel + SERVER_PT, ROOT_PD, w->sel + EC_OF, 0, (word_t)portal_entry),
                 NOVA_SUCCESS);
        for (unsigned n = 1; n <= CALLERS; n++) {
                struct thread *t = &w->slot[n].thread;
                make(w, n, asks, NOVA_EC_GLOBAL);
                t->value[1] = w->sel + NAP;
                t->value[3] = w->sel + SERVER_PT;
                /* Callers whose priority is above the worker's let the worker run while the server
                 * sleeps. */
                start(w, n, PRIO_CASE - 2 + n / 2, 100 + 200 * n);
        }
        w->phase = 2;
        for (unsigned i = 0; i < 50 && !w->failed; i++) {
                hc_sm_ctrl(w->sel + NAP, NOVA_SM_UP_OP);
                const struct worker *other = &workers[random_below(w, worker_count)];
                hc_ec_ctrl(other->sel + EC_OF + random_below(w, CALLERS + 1));
                delay_us((unsigned)random_below(w, 100));
        }
        w->phase = 3;
        for (unsigned n = 1; n <= CALLERS; n++)
                w->slot[n].thread.value[4] = 1; /* from now on calls may fail */
        clear(w);
        for (unsigned n = 1; n <= CALLERS; n++)
                CHECK_EQ(w, w->slot[n].thread.value[2], 0);
}

CASE(ipc, crowds_call_one_server_and_are_recalled, "5.2.1 5.4.1")
{
        stress_begin();
        const word_t before = memory_left();
        for (unsigned i = 0; i < 3; i++) {
                stress_run(crowd);
                memory_check(before);
        }
}

/* ---- Chains ------------------------------------------------------------------------------------
 */

/* A link needs a stack of its own, but not a large one. */
struct link {
        struct thread thread;
        char stack[1024] __attribute__((aligned(16)));
};

static struct link links[WORKERS][DEPTH];
static nova_sel_t chain[WORKERS];
#define CHAIN_UTCB 0x78000000

static void passes_on(struct thread *t)
{
        t->utcb->items = nova_utcb_items(1, 0);
        t->value[2] = hc_call(t->value[0], t->value[1]);
        t->utcb->word[0]++;
        t->utcb->items = nova_utcb_items(1, 0);
        t->fn = passes_on;
}

static void ends_chain(struct thread *t)
{
        t->utcb->word[0] = 1;
        t->utcb->items = nova_utcb_items(1, 0);
        t->fn = ends_chain;
}

static void make_chain(struct worker *w, unsigned depth)
{
        for (unsigned i = 0; i < depth; i++) {
                struct link *l = &links[w->index][i];
                struct thread *t = &l->thread;
                const word_t utcb = CHAIN_UTCB + (w->index * DEPTH + i) * NOVA_PAGE_SIZE;
                const nova_sel_t sel = chain[w->index] + 2 * i;
                t->utcb = (struct nova_utcb *)utcb;
                t->cpu = w->cpu;
                t->sp = (word_t)l->stack + sizeof(l->stack) - 64;
                *(struct thread **)t->sp = t;
                t->fn = i + 1 < depth ? passes_on : ends_chain;
                t->value[0] = sel + 3;
                t->value[1] = 0;
                CHECK_EQ(w,
                         hc_create_ec(sel, ROOT_PD, utcb | w->cpu, t->sp,
                                      events_of(group, w->index), 0),
                         NOVA_SUCCESS);
                CHECK_EQ(w, hc_create_pt(sel + 1, ROOT_PD, sel, 0, (word_t)portal_entry),
                         NOVA_SUCCESS);
        }
}

/* Calls down the whole chain. Then the last link calls a random link of the chain. This call must
 * time out, or report the deadlock if its flags request that. */
static void goes_deep(struct worker *w)
{
        const unsigned depth = 2 + (unsigned)random_below(w, DEPTH - 1);
        struct nova_utcb *u = w->self->utcb;
        struct thread *last = &links[w->index][depth - 1].thread;
        w->phase = 1;
        make_chain(w, depth);
        if (w->failed)
                return;
        w->phase = 2;
        u->items = 0;
        CHECK_EQ(w, hc_call(chain[w->index] + 1, 0), NOVA_SUCCESS);
        CHECK_EQ(w, u->word[0], depth);
        w->phase = 3;
        last->value[0] = chain[w->index] + 1 + 2 * random_below(w, depth);
        last->value[1] = random_below(w, 2) ? NOVA_CALL_DL : 0;
        last->fn = passes_on;
        u->items = 0;
        CHECK_EQ(w, hc_call(chain[w->index] + 1, 0), NOVA_SUCCESS);
        CHECK_EQ(w, last->value[2], last->value[1] ? NOVA_DEADLOCK : NOVA_COM_TIM);
        w->phase = 4;
        hc_revoke(nova_crd(NOVA_CRD_OBJ, chain[w->index], 8, ALL), NOVA_REVOKE_SR);
}

CASE(ipc, chains_of_100_calls_and_cycles, "5.2.1 D-28")
{
        stress_begin();
        for (unsigned i = 0; i < worker_count; i++)
                chain[i] = sel_alloc(8);
        const word_t before = memory_left();
        stress_run(goes_deep);
        for (unsigned i = 0; i < worker_count; i++)
                hc_revoke(nova_crd(NOVA_CRD_OBJ, chain[i], 8, ALL), NOVA_REVOKE_SR);
        memory_check(before);
}

/* ---- Random messages ---------------------------------------------------------------------------
 */

/* Sends items that are all random; no item can do harm, because the window is far away. */
static void babbles(struct worker *w)
{
        struct thread *t = mirrors[w->index];
        struct nova_utcb *u = w->self->utcb;
        for (unsigned i = 0; i < 16; i++) {
                u->word[nova_utcb_item_index(i)] = random_next(&w->seed);
                u->word[nova_utcb_item_index(i) + 1] = random_next(&w->seed) & ~(word_t)NOVA_ITEM_H;
        }
        switch (random_below(w, 3)) {
        case 0:
                t->win_d = nova_crd(NOVA_CRD_OBJ, FAR_SEL, (unsigned)random_below(w, 12), ALL);
                break;
        case 1:
                t->win_d = nova_crd(NOVA_CRD_MEM, 0x90000, (unsigned)random_below(w, 15), ALL);
                break;
        default:
                t->win_d = nova_crd(NOVA_CRD_IO, 0x2000, (unsigned)random_below(w, 9), ALL);
                break;
        }
        t->win_t = random_next(&w->seed);
        u->items = random_below(w, 4) ? nova_utcb_items((unsigned)random_below(w, 1024), 16)
                                      : random_next(&w->seed);
        CHECK_EQ(w, hc_call(t->pt, 0), NOVA_SUCCESS);
        if (random_below(w, 8) == 0) {
                hc_revoke(nova_crd(NOVA_CRD_OBJ, FAR_SEL, 12, ALL), NOVA_REVOKE_SR);
                hc_revoke(nova_crd(NOVA_CRD_MEM, 0x90000, 15, ALL), NOVA_REVOKE_SR);
        }
}

CASE(ipc, random_messages_do_no_harm, "5.2.1-05 4.6.2.2-09")
{
        stress_begin();
        for (unsigned i = 0; i < worker_count; i++)
                mirrors[i] = server(cpu_numbers[i]);
        const word_t before = memory_left();
        stress_run(babbles);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, FAR_SEL, 12, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_MEM, 0x90000, 15, ALL), NOVA_REVOKE_SR);
        memory_check(before);
}
