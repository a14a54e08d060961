/* SPDX-License-Identifier: BSD-2-Clause */
/* Process-context identifiers (SDM 3A, 4.10.1): a PD's translations outlive the load of another PD.
 *
 * A PD has an identifier for life, or 0, which all that have none share and which every load of CR3
 * flushes. Each PD has a mask of CPUs that may hold translations it has lost since: the CPU that
 * flushes sets the bits of all CPUs, then interrupts those that have the PD loaded; the CPU that
 * loads it stores current_pd, then looks at the mask. A fence stands in between on both sides, so
 * one of the two sees the other. */
#ifndef ARCH_PCID_H
#define ARCH_PCID_H

#include "arch/x86/features.h"
#include "lib/atomic.h"
#include "object/pd.h"
#include "sched/cpu.h"

struct flush;

#define CR3_PCID 0xfff
#define CR3_KEEP ((word_t)1 << 63) /* do not flush the identifier */

static inline bool pcid_used(void)
{
        return cpu_has(FEATURE_PCID);
}

/** An identifier that no other PD has; 0 when there is none. */
word_t pcid_alloc(void);

/** Gives it back. The next owner's mask has all bits set. */
void pcid_free(word_t pcid);

/** CR3 for a PD with an identifier, which is current_pd already. No function of its own: all ways
 *  to switch would keep registers for the call, which most do not make. */
static always_inline word_t pcid_load(const struct cpu *cpu, struct address_space *space)
{
        const uint64_t bit = (uint64_t)1 << cpu->id;

        atomic_fence(); /* current_pd is seen before the mask is read */
        if (!(load_once(space->stale) & bit))
                return space->cr3 | CR3_KEEP;
        __atomic_fetch_and(&space->stale, ~bit, __ATOMIC_SEQ_CST);
        return space->cr3;
}

/** CR3 for a PD that is current_pd already. */
static always_inline word_t pcid_cr3(struct cpu *cpu, struct pd *pd)
{
        const word_t cr3 = pd->memory.tables.cr3;

        return unlikely(cr3 & CR3_PCID) ? pcid_load(cpu, &pd->memory.tables) : cr3;
}

/** Notes what CPUs hold of PDs that they have not loaded. The tables are changed, a fence has
 *  followed. */
void pcid_note(const struct flush *flush, const struct cpu *self);

/** Removes all translations of this CPU, those of all identifiers. */
void pcid_flush_all(void);

#endif
