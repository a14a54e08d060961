/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that ends its VM while the handler of a call of that VM makes ultracalls. The ultravisor's
 * thread runs on the time of a virtual CPU, and may hold a lock when this CPU is destroyed. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "second.h"

#define SAFE   0x600000u
#define FRESH  0x500000u /* page that moves out; the guest uses page OTHER after it */
#define OTHER  0x700000u
#define ROUNDS 12u
#define STEP   200000u /* nanoseconds */

static bool loops;     /* the handler makes ultracalls; atomic */
static unsigned calls; /* ultracalls with success; atomic */

static enum nova_u_status snapshot(void)
{
        return nova_uv_page_out(&uv, SAFE, FRESH, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE);
}

static void repeat(struct call *call)
{
        if (call->number != NOVA_H_PORT)
                return;
        while (__atomic_load_n(&loops, __ATOMIC_SEQ_CST)) {
                if (!snapshot())
                        __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
        }
}

/* Lets the guest have a page that can move out. Tries again, because the answer of an earlier
 * guest, which was ended, may come late. */
static bool prepare(void)
{
        for (unsigned i = 0; i < WAITS; i++) {
                guest(PROBE_WRITE, FRESH, 1);
                guest(PROBE_WRITE, OTHER, 1);
                if (!snapshot())
                        return true;
        }
        return false;
}

/* Returns true if the VM ends while its handler makes ultracalls. */
static bool ends_after(unsigned delay)
{
        bool ends;

        if (honest_become_secure() || !prepare())
                return false;
        __atomic_store_n(&calls, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&loops, true, __ATOMIC_SEQ_CST);
        honest_attack = repeat;
        drive_begin(PROBE_READ, OTHER, 0);
        for (unsigned i = 0; i < WAITS && __atomic_load_n(&calls, __ATOMIC_SEQ_CST) < 2; i++)
                nova_sleep(WAIT_NS);
        nova_sleep(delay);
        ends = honest_end() == NOVA_U_SUCCESS && calls >= 2;
        __atomic_store_n(&loops, false, __ATOMIC_SEQ_CST); /* the handler stops its loop at the next
                                                            * call */
        honest_attack = NULL;
        return ends;
}

int main(void)
{
        unsigned ended = 0;

        if (!honest_start_on(3, SECOND))
                return 1;
        for (unsigned i = 0; i < ROUNDS; i++)
                ended += ends_after(i * STEP);
        check(ended == ROUNDS, "a VM ends while the handler of its call makes ultracalls");
        check(honest_next_runs(), "and the next VM runs");
        return tap_end();
}
