/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB shoot-down: what a step of a memory operation leaves to be flushed, and the flush. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "lib/types.h"

struct cpu;
struct pd;

#define FLUSH_PDS     4
#define FLUSH_DMA_ALL 0xffff /* several domains */

/* Collected under a space lock, run after it was dropped. */
struct flush {
        struct pd *pd[FLUSH_PDS]; /* whose mappings lost rights */
        union {
                struct {
                        uint32_t frames; /* index of the first page table to be freed then, or 0 */
                        uint16_t count;  /* PDs; above FLUSH_PDS: any PD */
                        uint16_t dma;    /* domain of I/O MMUs that lost rights, or 0 */
                };
                uint64_t any; /* 0: nothing to do */
        };
};

_Static_assert(sizeof(struct flush) - offsetof(struct flush, any) == sizeof(uint64_t),
               "any is all of frames, count and dma");

/** Begins an empty collection. */
static inline void flush_init(struct flush *flush)
{
        flush->any = 0;
}

/** Notes that translations of a PD must go. */
void flush_add(struct flush *flush, struct pd *pd);

/** Notes that translations of a domain must go from the I/O MMUs; 0: no device has them. */
static inline void flush_add_dma(struct flush *flush, unsigned domain)
{
        if (domain)
                flush->dma = !flush->dma || flush->dma == domain ? (uint16_t)domain : FLUSH_DMA_ALL;
}

/** Notes a table that is no longer linked; it is freed after the flush. The caller also notes whose
 *  it was, even if it was empty: a CPU may have kept what led to it (SDM 3A, 4.10.3). */
void flush_add_frame(struct flush *flush, void *frame);

/** What flush_run() does when there is something to do. */
void flush_perform(struct flush *flush);

/** Removes the translations on all CPUs that have one of the PDs loaded and from the I/O MMUs,
 * waits for that, frees the tables. No lock is held. */
static inline void flush_run(struct flush *flush)
{
        if (unlikely(flush->any))
                flush_perform(flush);
}

/** Answers a flush request to this CPU. */
void flush_answer(struct cpu *cpu);

#endif
