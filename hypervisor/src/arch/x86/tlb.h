/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB shoot-down: what a step of a memory operation leaves to be flushed, and the flush. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "lib/types.h"

struct cpu;
struct pd;

#define FLUSH_PDS 4

/* Collected under a space lock, run after it was dropped. */
struct flush {
        struct pd *pd[FLUSH_PDS]; /* whose mappings lost rights */
        unsigned count;           /* above FLUSH_PDS: any PD */
        uint32_t frames;          /* index of the first page table to be freed after the flush */
};

/** Begins an empty collection. */
static inline void flush_init(struct flush *flush)
{
        flush->count = 0;
        flush->frames = UINT32_MAX;
}

/** Notes that translations of a PD must go. */
void flush_add(struct flush *flush, struct pd *pd);

/** Notes a table that is no longer linked; it is freed once no CPU can hold it. */
void flush_add_frame(struct flush *flush, void *frame);

/** Removes the translations on all CPUs that have one of the PDs loaded, waits for them, frees the
 *  tables. No lock is held. */
void flush_run(struct flush *flush);

/** Answers a flush request to this CPU. */
void flush_answer(struct cpu *cpu);

#endif
