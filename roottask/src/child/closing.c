/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources of children that have ended. A handler may have been suspended after it received a
 * message through a portal of such a child. It uses the portal's number later, and its answer may
 * contain pages of the child. Another program gets this answer if the child gave it the portal. As
 * long as that is possible, the child is closed: no other child gets its selectors or its memory. A
 * handler that has received another message since then has answered the earlier one. */
#include "child/child.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/selector.h"

static nova_word_t closings; /* number of the last closing; written under the mutex, read without */

nova_word_t novart_child_closings(void)
{
        return __atomic_load_n(&closings, __ATOMIC_ACQUIRE);
}

void novart_child_close(struct nova_child *child)
{
        const uint64_t cpus = child->stale;

        /* without its portals, the child gets no further answer */
        nova_revoke(nova_crd_obj(child->block, child->block_order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        child->state = CHILD_CLOSED;
        child->closing = closings + 1;
        __atomic_store_n(&closings, child->closing, __ATOMIC_RELEASE);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (cpus >> cpu & 1)
                        novart_child_server_flush(cpu);
        if (!cpus)
                novart_child_reclaim(child);
}

void novart_child_flushed(nova_word_t cpu, nova_word_t count)
{
        for (struct nova_child *child = novart_child_first; child; child = child->next) {
                if (child->state != CHILD_CLOSED)
                        continue;
                if (child->closing <= count)
                        child->stale &= ~(UINT64_C(1) << cpu);
                if (!child->stale)
                        novart_child_reclaim(child);
        }
}
