/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of process-context identifiers for x86-32, which has no such identifiers. */
#ifndef ARCH_PCID_H
#define ARCH_PCID_H

#include "object/pd.h"

struct cpu;
struct flush;

static inline bool pcid_used(void)
{
        return false;
}

/** Returns the value of CR3 for a PD. */
static inline word_t pcid_cr3(struct cpu *cpu, struct pd *pd)
{
        (void)cpu;
        return pd->memory.tables.cr3;
}

static inline void pcid_note(const struct flush *flush, const struct cpu *self)
{
        (void)flush;
        (void)self;
}

static inline void pcid_flush_all(void)
{
}

#endif
