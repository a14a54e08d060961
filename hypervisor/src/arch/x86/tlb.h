/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB shoot-down: translations that a step of a memory operation makes invalid, and the flush. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "lib/atomic.h"
#include "lib/types.h"

struct cpu;
struct pd;

#define FLUSH_PDS     16     /* more than a step of a revocation reaches */
#define FLUSH_DMA_ALL 0xffff /* more than one domain */

/* A request for flushes, collected under a space lock and executed after the lock was released.
 *
 * The tables change before the flush, so another CPU can find nothing left to change while a third
 * CPU still uses an old translation. Therefore a request is begun under the lock, by its first
 * entry: it counts in flushes_begun, and the CPU's flush_round is odd until the request has been
 * sent to all CPUs. flush_run() waits for the requests that were begun before its caller took the
 * lock. */
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

/** Initialises an empty request. */
static inline void flush_init(struct flush *flush)
{
        flush->any = 0;
}

/** Records that translations of a PD must be flushed. */
void flush_add(struct flush *flush, struct pd *pd);

/** Records that translations of a domain must be flushed in the I/O MMUs; 0: no device has them. */
void flush_add_dma(struct flush *flush, unsigned domain);

/** Records an unlinked page table, to be freed after the flush. The caller also records its PD,
 * even if the table was empty: a CPU may cache entries that led to it (SDM 3A, 4.10.3). */
void flush_add_frame(struct flush *flush, void *frame);

/** Does the work of flush_run(): executes a request, which may be empty, and waits for the flushes
 * of other CPUs. */
void flush_perform(struct flush *flush);

/** Number of requests that were begun and whose flush is not complete. Increased under a space
 * lock. */
extern uint32_t flushes_begun;

/** Flushes the translations in the I/O MMUs and on all CPUs that have one of the PDs loaded, waits
 * for the end of the flushes, and frees the tables. Also waits for all flushes that other CPUs had
 * begun when the caller took the space lock: those CPUs may have removed an entry that the caller
 * wanted to remove, or whose place the caller has filled. The caller holds no lock. */
static inline void flush_run(struct flush *flush)
{
        if (unlikely(flush->any || load_once(flushes_begun)))
                flush_perform(flush);
}

/** Answers a flush request to this CPU. */
void flush_answer(struct cpu *cpu);

#endif
