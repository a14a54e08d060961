/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors of children that are gone. A desk may have been stopped just after a message of such a
 * child arrived, and speak of the child's portal much later; until then no other child may have
 * the same number. A desk whose handler has answered anything else since then is free of it. */
#include <stdlib.h>

#include "child/child.h"
#include "novart/selector.h"

struct limbo {
        struct limbo *next;
        nova_sel_t block;
        unsigned order;
        uint64_t cpus;      /* bit n: the desk of CPU n may still speak of it */
        nova_word_t number; /* counted from 1 */
};

static struct limbo *first;
static nova_word_t blocks; /* changes under the mutex, is read without it */

nova_word_t novart_retired_selectors_count(void)
{
        return __atomic_load_n(&blocks, __ATOMIC_ACQUIRE);
}

bool novart_retired_selectors_add(nova_sel_t block, unsigned order, uint64_t cpus)
{
        struct limbo *const entry = cpus ? malloc(sizeof(*entry)) : NULL;

        if (!cpus)
                nova_sel_free(block, order);
        if (!entry)
                return !cpus;
        *entry = (struct limbo){first, block, order, cpus, blocks + 1};
        first = entry;
        __atomic_store_n(&blocks, entry->number, __ATOMIC_RELEASE);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (cpus >> cpu & 1)
                        novart_child_server_flush(cpu);
        return true;
}

void novart_retired_selectors_release(nova_word_t cpu, nova_word_t count)
{
        for (struct limbo **link = &first; *link;) {
                struct limbo *const entry = *link;

                if (entry->number <= count)
                        entry->cpus &= ~(UINT64_C(1) << cpu);
                if (entry->cpus) {
                        link = &entry->next;
                        continue;
                }
                *link = entry->next;
                nova_sel_free(entry->block, entry->order);
                free(entry);
        }
}
