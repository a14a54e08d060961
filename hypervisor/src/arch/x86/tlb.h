/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB shoot-down: translations that a step of a memory operation makes invalid, and the flush. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "lib/types.h"

struct cpu;
struct pd;

#define FLUSH_PDS     4
#define FLUSH_DMA_ALL 0xffff /* more than one domain */

/* A request for flushes, collected under a space lock and executed after the lock was released. */
struct flush {
        struct pd *pd[FLUSH_PDS]; /* PDs with mappings that lost permissions */
        union {
                struct {
                        uint32_t frames; /* index of the first page table to free after the flush,
                                            or 0 */
                        uint16_t count;  /* number of PDs; above FLUSH_PDS: flush for all PDs */
                        uint16_t dma;    /* domain of I/O MMUs that lost permissions, or 0 */
                };
                uint64_t any; /* 0: nothing to do */
        };
};

_Static_assert(sizeof(struct flush) - offsetof(struct flush, any) == sizeof(uint64_t),
               "any is all of frames, count and dma");

/** Initialises an empty collection. */
static inline void flush_init(struct flush *flush)
{
        flush->any = 0;
}

/** Records that translations of a PD must be flushed. */
void flush_add(struct flush *flush, struct pd *pd);

/** Records that translations of a domain must be flushed in the I/O MMUs; 0: no device has them. */
static inline void flush_add_dma(struct flush *flush, unsigned domain)
{
        if (domain)
                flush->dma = !flush->dma || flush->dma == domain ? (uint16_t)domain : FLUSH_DMA_ALL;
}

/** Records an unlinked page table, to be freed after the flush. The caller also records its PD,
 * even if the table was empty: a CPU may cache entries that led to it (SDM 3A, 4.10.3). */
void flush_add_frame(struct flush *flush, void *frame);

/** Executes a request that is not empty, for flush_run(). */
void flush_perform(struct flush *flush);

/** Flushes the translations in the I/O MMUs and on all CPUs that have one of the PDs loaded, waits
 * for the end of the flushes, and frees the tables. The caller holds no lock. */
static inline void flush_run(struct flush *flush)
{
        if (unlikely(flush->any))
                flush_perform(flush);
}

/** Answers a flush request to this CPU. */
void flush_answer(struct cpu *cpu);

#endif
