/* SPDX-License-Identifier: BSD-2-Clause */
/* Process-context identifiers (SDM 3A, 4.10.1): a PD's translations survive the load of another PD.
 *
 * A PD has an identifier for its lifetime, or the identifier 0. All PDs without an identifier of
 * their own share 0, and each load of CR3 flushes it. A PD's mask names the CPUs that may still
 * cache translations that the PD has lost. The CPU that flushes sets the bits of all CPUs and then
 * interrupts the CPUs that have the PD loaded. A CPU that loads the PD stores current_pd and then
 * reads the mask. A fence separates the two steps on both sides, so that at least one CPU sees the
 * other's store. */
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

/** Returns an identifier that no other PD has, or 0 if there is none. */
word_t pcid_alloc(void);

/** Frees an identifier. The mask of its next owner starts with all bits set. */
void pcid_free(word_t pcid);

/** Returns the value of CR3 for a PD that has an identifier and is current_pd already. Inline,
 * because otherwise all switches would save registers for a call that most of them do not make. */
static always_inline word_t pcid_load(const struct cpu *cpu, struct address_space *space)
{
        const uint64_t bit = (uint64_t)1 << cpu->id;

        atomic_fence(); /* current_pd is seen before the mask is read */
        if (!(load_once(space->stale) & bit))
                return space->cr3 | CR3_KEEP;
        __atomic_fetch_and(&space->stale, ~bit, __ATOMIC_SEQ_CST);
        return space->cr3;
}

/** Returns the value of CR3 for a PD that is current_pd already. */
static always_inline word_t pcid_cr3(struct cpu *cpu, struct pd *pd)
{
        const word_t cr3 = pd->memory.tables.cr3;

        return unlikely(cr3 & CR3_PCID) ? pcid_load(cpu, &pd->memory.tables) : cr3;
}

/** Records which CPUs may cache translations of PDs that they have not loaded. Call after a change
 * of the tables and a fence. */
void pcid_note(const struct flush *flush, const struct cpu *self);

/** Flushes all translations of this CPU, for all identifiers. */
void pcid_flush_all(void);

#endif
