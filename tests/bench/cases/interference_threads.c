/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks of bench-interference: as many threads and SCs as the account pays for, in a chain of
 * calls, as helpers of one thread, and in a queue. */
#include "interference.h"
#include "nova/abi/event.h"

#define MOST       64 /* maximum number of threads; the account pays for fewer */
#define MOST_ORDER 6
#define SCS_ORDER  12
#define UTCBS      0x71000000

enum {
        LINK = FAR + 0x2000, /* local threads */
        LINK_PORTAL = LINK + MOST,
        HELPER = LINK_PORTAL + MOST, /* global threads */
        HELPER_SC = HELPER + MOST,
        HELPER_EVENTS = HELPER_SC + MOST
};

static word_t link_calls[MOST]; /* the hypercall of each link */
static word_t top;              /* number of the link that callers call */

/* Lets the attacker's threads of lower priority run until they wait. */
static void wait_for_threads(void)
{
        attack_expect(hc_sm_until(OWN_SM, NOVA_SM_DN_OP, tsc() + 50 * attack.soon), NOVA_COM_TIM);
}

static void revoke_objects(nova_sel_t first, unsigned order)
{
        attack_must(hc_revoke(nova_crd(NOVA_CRD_OBJ, first, order, ALL), NOVA_REVOKE_SR));
}

/* ---- Global threads -------------------------------------------------------------------------- */

/* Replies to the first event of a global thread. */
static void begin_loop(struct thread *t)
{
        t->fn = begin_loop;
        t->utcb->state.mtd = NOVA_MTD_EIP;
        t->utcb->state.ip = (word_t)loop_deadlines;
        t->utcb->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

/* Lets global threads made by make_helper() repeat a hypercall. */
static void make_loop(word_t call)
{
        bench_wait = call;
        attack.taker->fn = begin_loop;
        attack_must(hc_create_pt(HELPER_EVENTS + NOVA_EXC_STARTUP, OWN_PD, OWN_THREAD, NOVA_MTD_EIP,
                                 (word_t)portal_entry));
}

static word_t make_context(unsigned sc, unsigned ec)
{
        return hc_create_sc(sc, OWN_PD, ec, nova_qpd(PRIO_LOW, QUANTUM));
}

static word_t make_helper(const struct thread *t, unsigned n)
{
        const word_t utcb = (UTCBS + (MOST + n) * NOVA_PAGE_SIZE) | t->cpu;
        const word_t status = hc_create_ec(HELPER + n, OWN_PD, utcb, (word_t)&link_calls[n],
                                           HELPER_EVENTS, NOVA_EC_GLOBAL);

        return status == NOVA_SUCCESS ? make_context(HELPER_SC + n, HELPER + n) : status;
}

static void end_loop(void)
{
        revoke_objects(HELPER, MOST_ORDER);
        attack_must(hc_revoke(obj(HELPER_EVENTS + NOVA_EXC_STARTUP, ALL), NOVA_REVOKE_SR));
        attack.taker->fn = NULL;
}

/* Makes a global thread that ends itself. The loop passes the deadline 0, which is also the number
 * of the operation, NOVA_EXT_THREAD_EXIT. */
void attack_thread_exit(struct thread *t)
{
        const word_t seen = bench_deadlines;

        for (unsigned i = 0; i < attack.times; i++) {
                make_loop(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0));
                attack_must(make_helper(t, 0));
                wait_for_threads();
                attack_expect(bench_deadlines, seen); /* the call has not returned */
                end_loop();
                revoke_objects(HELPER_SC, MOST_ORDER);
        }
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* Makes a local thread that makes one hypercall for each call, then replies. */
static word_t make_link(const struct thread *t, unsigned n, word_t call)
{
        const word_t utcb = (UTCBS + n * NOVA_PAGE_SIZE) | t->cpu;

        link_calls[n] = call;
        const word_t status = hc_create_ec(LINK + n, OWN_PD, utcb, (word_t)&link_calls[n], 0, 0);
        if (status != NOVA_SUCCESS)
                return status;
        return hc_create_pt(LINK_PORTAL + n, OWN_PD, LINK + n, 0, (word_t)portal_forward);
}

/* Makes the link at the end, which waits for OWN_END. */
static void make_end(const struct thread *t)
{
        attack_must(make_link(t, 0, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, OWN_END)));
        top = 0;
}

/* Lets the callers of the chain wait, wakes its end once, and then ends all links and callers. */
static void end_links(void)
{
        wait_for_threads();
        attack_must(hc_sm_ctrl(OWN_END, NOVA_SM_UP_OP));
        wait_for_threads();
        revoke_objects(LINK, MOST_ORDER);
        wait_for_threads();
        revoke_objects(HELPER_SC, MOST_ORDER);
        end_loop();
        revoke_objects(LINK_PORTAL, MOST_ORDER);
}

/* Lets two threads call into the chain again and again: one waits at its end, the other one helps.
 * The end wakes, and the two change places. Then all links end. */
void attack_chain(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                make_loop(0);
                attack_must(make_helper(t, 0));
                attack_must(make_helper(t, 1));
                make_end(t);
                for (unsigned n = 1; n < MOST; n++) {
                        const word_t id = nova_hypercall_id(NOVA_CALL, 0, LINK_PORTAL + top);
                        if (make_link(t, n, id) != NOVA_SUCCESS)
                                break;
                        top = n;
                }
                attack.links = top + 1;
                bench_wait = nova_hypercall_id(NOVA_CALL, 0, LINK_PORTAL + top);
                end_links();
        }
}

/* ---- Helpers --------------------------------------------------------------------------------- */

/* Lets many threads call one thread, which waits: one call is in progress, and the other callers
 * help the thread. The thread wakes, then ends. */
void attack_helpers(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                word_t n = 0;
                make_end(t);
                make_loop(nova_hypercall_id(NOVA_CALL, 0, LINK_PORTAL));
                while (n < MOST && make_helper(t, (unsigned)n) == NOVA_SUCCESS)
                        n++;
                attack.helpers = n;
                end_links();
        }
}

/* ---- Scheduling contexts --------------------------------------------------------------------- */

static word_t make_contexts(nova_sel_t ec)
{
        word_t n = 0;

        while (n < 1 << SCS_ORDER && make_context((unsigned)(FAR + n), ec) == NOVA_SUCCESS)
                n++;
        return n;
}

/* Lets all SCs of a thread sleep with it. The thread wakes and waits again, then ends. */
void attack_contexts(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                make_loop(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, OWN_END));
                attack_must(make_helper(t, 0));
                attack.contexts = make_contexts(HELPER) + 1;
                wait_for_threads();
                attack_must(hc_sm_ctrl(OWN_END, NOVA_SM_UP_OP));
                wait_for_threads();
                end_loop();
                wait_for_threads();
                revoke_objects(HELPER_SC, MOST_ORDER);
                revoke_objects(FAR, SCS_ORDER);
        }
}

/* Puts all SCs of a thread on the second CPU into the queue there, with a low priority. */
void attack_contexts_far(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                make_contexts(FAR_THREAD);
                revoke_objects(FAR, SCS_ORDER);
        }
}
