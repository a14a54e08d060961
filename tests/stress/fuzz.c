/* SPDX-License-Identifier: BSD-2-Clause */
/* Random hypercalls with plausible selectors, on all CPUs, from PDs that exist only for them. */
#include "stress.h"

#define LIFE_US 20000
#define SEEN    256 /* number of selectors that a new PD gets */

enum { PD, EC, SC, SM };

static word_t value(uint64_t *seed)
{
        const word_t r = random_next(seed);
        switch (r & 7) {
        case 0:
                return 0;
        case 1:
                return ~(word_t)0 >> (r >> 8) % NOVA_WORD_BITS;
        case 2:
        case 3:
        case 4:
                return r >> 8 & (SEEN - 1);
        case 5:
                return nova_crd((unsigned)(r >> 8) & 3, r >> 16 & 0x3ff, r >> 26 & 0xf, 0x1f);
        case 6:
                return (word_t)1 << (r >> 8) % NOVA_WORD_BITS;
        default:
                return r;
        }
}

/* Returns a random identifier of a hypercall. The selector is mostly one of the first SEEN, where
 * objects are or can be created. */
static word_t identifier(uint64_t *seed)
{
        const word_t r = random_next(seed);
        const nova_sel_t sel = r & 0x700 ? r >> 12 & (SEEN - 1) : value(seed);
        return (r & 0xff) | sel << NOVA_ID_SEL_SHIFT;
}

static void fuzzes(struct thread *t)
{
        uint64_t seed = t->value[1] | 1;
        struct nova_utcb *u = t->utcb;
        for (;;) {
                struct args a = {identifier(&seed), value(&seed), value(&seed), value(&seed),
                                 value(&seed)};
                const unsigned number = nova_id_number(a.a1);
                /* A thread of higher priority than the worker could keep the CPU for ever. */
                if (number == NOVA_CREATE_SC)
                        a.a4 = nova_qpd(a.a4 >> 12 & 0xfff, a.a4 % PRIO_CASE);
                if (number == NOVA_REPLY && a.a2 & 7)
                        continue;
                if (number == NOVA_CALL) {
                        const word_t r = random_next(&seed);
                        for (unsigned i = 0; i < 4; i++) {
                                u->word[nova_utcb_item_index(i)] = value(&seed);
                                u->word[nova_utcb_item_index(i) + 1] = value(&seed);
                        }
                        u->items = r & 3 ? nova_utcb_items(r >> 8 & 7, r >> 16 & 3) : r;
                }
                const word_t status = hypercall(&a);
                if (status > NOVA_DEADLOCK)
                        t->value[2] = status;
                t->value[0]++;
        }
}

/* Creates shared objects at random places, and drops some. A few objects of each kind are
 * permanent. */
static void furnish(struct worker *w)
{
        for (unsigned i = 0; i < 24; i++) {
                const nova_sel_t sel = group + GROUP_OBJECTS + random_below(w, OBJECTS);
                const nova_sel_t other = group + GROUP_OBJECTS + random_below(w, OBJECTS);
                const unsigned slot = 4 + (unsigned)random_below(w, SLOTS - 4);
                struct worker *home = &workers[random_below(w, worker_count)];
                switch (random_below(w, 6)) {
                case 0:
                        hc_create_sm(sel, ROOT_PD, 1);
                        break;
                case 1:
                        hc_create_pd(sel, ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, GROUP_ORDER, ALL));
                        break;
                case 2:
                        home->slot[slot].thread.cpu = home->cpu;
                        hc_create_ec(sel, other, utcb_of(home, slot) | home->cpu,
                                     slot_prepare(home, slot, fuzzes), events_of(0, home->index),
                                     random_below(w, 2) ? NOVA_EC_GLOBAL : 0);
                        break;
                case 3:
                        hc_create_sc(sel, ROOT_PD, other, nova_qpd(500, PRIO_CASE - 1));
                        break;
                case 4:
                        hc_create_pt(sel, ROOT_PD, other, random_next(&w->seed),
                                     (word_t)portal_entry);
                        break;
                default:
                        hc_revoke(nova_crd(NOVA_CRD_OBJ, sel, 3, ALL), NOVA_REVOKE_SR);
                        break;
                }
        }
}

/* Creates a PD with a thread that makes random hypercalls, and destroys the PD after a while. */
static void lets_one_loose(struct worker *w)
{
        struct thread *t = &w->slot[1].thread;
        w->phase = 1;
        furnish(w);
        CHECK_EQ(
                w,
                hc_create_pd(w->sel + PD, ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, GROUP_ORDER, ALL)),
                NOVA_SUCCESS);
        t->cpu = w->cpu;
        t->value[0] = t->value[2] = 0;
        t->value[1] = random_next(&w->seed);
        w->phase = 2;
        CHECK_EQ(w,
                 hc_create_ec(w->sel + EC, w->sel + PD, utcb_of(w, 1) | w->cpu,
                              slot_prepare(w, 1, fuzzes), events_of(0, w->index), NOVA_EC_GLOBAL),
                 NOVA_SUCCESS);
        /* The thread has the same priority as the worker, so the two run in turns. */
        CHECK_EQ(w, hc_create_sc(w->sel + SC, ROOT_PD, w->sel + EC, nova_qpd(LIFE_US, PRIO_CASE)),
                 NOVA_SUCCESS);
        w->phase = 3;
        delay_us(LIFE_US);
        w->phase = 4;
        hc_pd_destroy(w->sel + PD);
        w->phase = 5;
        hc_revoke(nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL), NOVA_REVOKE_SR);
        CHECK_EQ(w, t->value[2], 0);
        w->value += t->value[0];
}

#define CALLS_MIN 1000
#define RUNS_MIN  3
#define RUNS_MAX  9 /* a busy host needs more runs for CALLS_MIN calls */

static word_t calls_of_all(void)
{
        word_t calls = 0;

        for (unsigned i = 0; i < worker_count; i++)
                calls += workers[i].value;
        return calls;
}

CASE(fuzz, random_hypercalls_from_all_CPUs, "5.1-19 5.1-24")
{
        stress_begin();
        stress_tolerant = true;
        const word_t before = memory_left();
        for (unsigned i = 0; i < RUNS_MIN || (i < RUNS_MAX && calls_of_all() <= CALLS_MIN); i++) {
                stress_run(lets_one_loose);
                stress_clear();
                memory_check(before);
        }
        console_string("# random hypercalls: ");
        console_dec(calls_of_all());
        console_string("\n");
        EXPECT(calls_of_all() > CALLS_MIN);
}
