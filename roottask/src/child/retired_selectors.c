/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors of children that have ended. A handler may have been suspended after it received a
 * message from such a child, and may use the child's portal number later. As long as that is
 * possible, no other child may get the number. A handler that has received another message since
 * then no longer uses the number. */
#include <stdlib.h>

#include "child/child.h"
#include "novart/selector.h"

struct retired_selectors {
        struct retired_selectors *next;
        nova_sel_t block;
        unsigned order;
        uint64_t cpus;      /* bit n: the handler of CPU n may still use a number of the block */
        nova_word_t number; /* number of the block, counted from 1 */
};

static struct retired_selectors *first;
static nova_word_t blocks; /* number of the last block; written under the mutex, read without it */

nova_word_t novart_retired_selectors_count(void)
{
        return __atomic_load_n(&blocks, __ATOMIC_ACQUIRE);
}

bool novart_retired_selectors_add(nova_sel_t block, unsigned order, uint64_t cpus)
{
        struct retired_selectors *const entry = cpus ? malloc(sizeof(*entry)) : NULL;

        if (!cpus)
                nova_sel_free(block, order);
        if (!entry)
                return !cpus;
        *entry = (struct retired_selectors){first, block, order, cpus, blocks + 1};
        first = entry;
        __atomic_store_n(&blocks, entry->number, __ATOMIC_RELEASE);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (cpus >> cpu & 1)
                        novart_child_server_flush(cpu);
        return true;
}

void novart_retired_selectors_release(nova_word_t cpu, nova_word_t count)
{
        for (struct retired_selectors **link = &first; *link;) {
                struct retired_selectors *const entry = *link;

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
