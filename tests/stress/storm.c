/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects are created, used and destroyed from all CPUs at the same time, at random. */
#include "stress.h"

#define PRIO_STORM 90

enum { OP_SM, OP_PT, OP_EC, OP_SC, OP_PD, OP_REVOKE, OP_DESTROY, OP_UP, OP_RECALL, OP_CALL, OPS };

static nova_sel_t any(struct worker *w)
{
        return group + GROUP_OBJECTS + random_below(w, OBJECTS);
}

/* Does six random steps: delays, and hypercalls on the objects that a thread of the storm sees at
 * base and above. */
static void act(struct thread *t, uint64_t *seed)
{
        const nova_sel_t base = t->value[0];
        for (unsigned i = 0; i < 6; i++) {
                const word_t r = random_next(seed);
                const nova_sel_t sel = base + (r >> 8 & (OBJECTS - 1));
                switch (r & 7) {
                case 0:
                        /* Only global threads do a down. A local thread that waits also stops its
                         * caller. This may be a worker, and perhaps no other thread is left that
                         * does an up. */
                        hc_sm_ctrl(sel, t->global ? NOVA_SM_DN_OP : NOVA_SM_UP_OP);
                        break;
                case 1:
                        hc_sm_ctrl(sel, NOVA_SM_UP_OP);
                        break;
                case 2:
                        hc_revoke(nova_crd(NOVA_CRD_OBJ, sel, r >> 16 & 3, ALL), NOVA_REVOKE_SR);
                        break;
                case 3:
                        delay_us(r >> 16 & 0x7f);
                        break;
                default:
                        t->utcb->word[nova_utcb_item_index(0)] =
                                nova_crd(NOVA_CRD_OBJ, base + (r >> 16 & 0x70), 4, ALL);
                        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
                        t->utcb->items = nova_utcb_items(3, r >> 24 & 1);
                        hc_call(sel, r >> 25 & NOVA_CALL_DL);
                        break;
                }
        }
        t->utcb->items = 0;
}

static void storm_body(struct thread *t)
{
        uint64_t seed = t->value[1] | 1;
        act(t, &seed);
        t->value[1] = (word_t)seed;
        if (!t->global)
                t->fn = storm_body; /* the harness clears t->fn at each call */
}

static void create_ec(struct worker *w, nova_sel_t sel)
{
        const unsigned slot = (unsigned)random_below(w, SLOTS);
        struct worker *home = &workers[random_below(w, WORKERS)];
        const bool global = slot % 2, child = random_below(w, 2); /* the kind belongs to the slot */
        struct thread *t = &home->slot[slot].thread;
        if (!home->work)
                return;
        t->cpu = home->cpu;
        t->global = global;
        t->win_d = nova_crd(NOVA_CRD_OBJ, 0x800 * (child ? 1 : 0x20), 8, ALL);
        t->value[0] = child ? GROUP_OBJECTS : group + GROUP_OBJECTS;
        t->value[1] = random_next(&w->seed);
        const word_t sp = slot_prepare(home, slot, storm_body);
        hc_create_ec(sel, child ? any(w) : ROOT_PD, utcb_of(home, slot) | home->cpu, sp,
                     events_of(child ? 0 : group, home->index), global ? NOVA_EC_GLOBAL : 0);
}

static void create_any(struct worker *w, unsigned op)
{
        switch (op) {
        case OP_SM:
                hc_create_sm(any(w), ROOT_PD, random_below(w, 3));
                break;
        case OP_PT:
                hc_create_pt(any(w), ROOT_PD, any(w), 0, (word_t)portal_entry);
                break;
        case OP_EC:
                create_ec(w, any(w));
                break;
        case OP_SC:
                hc_create_sc(any(w), ROOT_PD, any(w),
                             nova_qpd(50 + random_below(w, 1000),
                                      PRIO_STORM + (unsigned)random_below(w, 8)));
                break;
        default:
                hc_create_pd(any(w), ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, GROUP_ORDER, ALL));
                break;
        }
}

static void use_any(struct worker *w, unsigned op)
{
        switch (op) {
        case OP_REVOKE:
                hc_revoke(nova_crd(NOVA_CRD_OBJ, any(w), (unsigned)random_below(w, 5), ALL),
                          random_below(w, 4) ? NOVA_REVOKE_SR : 0);
                break;
        case OP_DESTROY:
                hc_pd_destroy(any(w));
                break;
        case OP_UP:
                hc_sm_ctrl(any(w), NOVA_SM_UP_OP);
                break;
        case OP_RECALL:
                hc_ec_ctrl(any(w));
                break;
        default:
                hc_call(any(w), NOVA_CALL_DB);
                break;
        }
}

static void storm(struct worker *w)
{
        /* Operations that fail for many selectors are tried more often. */
        static const uint8_t often[OPS] = {1, 8, 4, 8, 1, 1, 4, 4, 4, 4};
        const unsigned op = (unsigned)random_below(w, OPS);
        w->phase = op;
        for (unsigned i = 0; i < often[op]; i++) {
                if (op < OP_REVOKE)
                        create_any(w, op);
                else
                        use_any(w, op);
        }
        delay_us((unsigned)random_below(w, 200));
}

CASE(storm, objects_come_and_go_on_all_CPUs, "D-04 3.6-11")
{
        stress_begin();
        stress_tolerant = true; /* slots are reused while their threads run */
        const word_t before = memory_left();
        for (unsigned i = 0; i < 4; i++) {
                stress_run(storm);
                stress_clear();
                memory_check(before);
        }
}
