/* SPDX-License-Identifier: BSD-2-Clause */
/* Process-context identifiers (see pcid.h). */
#include "pcid.h"

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/tlb.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/spinlock.h"

#define PCIDS 4096

static struct spinlock lock = SPINLOCK(LOCK_PCID); /* protects used */
static uint64_t used[PCIDS / 64];                  /* bit n: taken */

word_t pcid_alloc(void)
{
        word_t pcid = 0;

        if (!pcid_used())
                return 0;
        spin_lock(&lock);
        used[0] |= 1; /* identifier 0 is shared */
        for (unsigned i = 0; i < array_size(used) && !pcid; i++)
                if (~used[i]) {
                        const unsigned bit = bit_lowest_u64(~used[i]);
                        used[i] |= (uint64_t)1 << bit;
                        pcid = i * 64 + bit;
                }
        spin_unlock(&lock);
        return pcid;
}

void pcid_free(word_t pcid)
{
        if (!pcid)
                return;
        spin_lock(&lock);
        used[pcid / 64] &= ~((uint64_t)1 << pcid % 64);
        spin_unlock(&lock);
}

void pcid_note(const struct flush *flush, const struct cpu *self)
{
        if (!pcid_used())
                return;
        for (unsigned i = 0; i < flush->count && i < FLUSH_PDS; i++) {
                uint64_t mask = ~(uint64_t)0;

                if (flush->pd[i] == self->current_pd)
                        mask &= ~((uint64_t)1 << self->id); /* this CPU flushes it at once */
                __atomic_fetch_or(&flush->pd[i]->memory.tables.stale, mask, __ATOMIC_SEQ_CST);
        }
}

void pcid_flush_all(void)
{
        const word_t cr4 = read_cr4();

        write_cr4(cr4 ^ CR4_PGE); /* also flushes global translations (SDM 3A, 4.10.4.1) */
        write_cr4(cr4);
}
