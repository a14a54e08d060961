/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling contexts: priority and time of an EC, or of whom it is donated to. @spec 2.3 */
#ifndef OBJECT_SC_H
#define OBJECT_SC_H

#include "lib/list.h"
#include "nova/abi/qpd.h"
#include "nova/abi/status.h"
#include "object/object.h"
#include "sched/mail.h"

struct cpu;
struct ec;

enum sc_place {
        SC_NOWHERE,  /* not started, or its owner will never run again */
        SC_READY,    /* its CPU's current one, or in the run queue */
        SC_SLEEPING, /* among the sleepers of a blocked EC */
};

/* All fields belong to the SC's CPU, but for the common part and what is fixed at creation. */
struct sc {
        struct kobject object;
        struct mail mail; /* work for its CPU */
        struct cpu *cpu;
        uint64_t quantum; /* TSC ticks */
        struct sc *prev;  /* run queue ring, with next */
        /* What a decision looks at: one cache line. */
        struct ec *ec;    /* bound to, unless it runs the end of its owner's chain of calls: then
                           * the owner; cpu.special says so (SPECIAL_LENT) */
        struct ec *owner; /* created for; holds a reference */
        struct list link; /* sleepers */
        struct sc *next;
        uint64_t used;      /* TSC ticks in all, up to the last switch */
        uint64_t round_end; /* value of used at which the quantum of this round is spent */
        uint8_t place;      /* enum sc_place */
        uint8_t prio;
        bool stays; /* the owner itself had the last capability dropped: both end together */
        bool left;  /* has no capability, and lives on in its owner's list */
};

/** Whether the quantum of this round is spent. */
static always_inline bool sc_is_spent(const struct sc *sc)
{
        return sc->used >= sc->round_end;
}

/** Begins a round if the last one's quantum is spent; whether it was. */
static inline bool sc_refill(struct sc *sc)
{
        if (!sc_is_spent(sc))
                return false;
        sc->round_end = sc->used + sc->quantum;
        return true;
}

/** The TSC when the quantum of an SC is spent that runs since start. */
static always_inline uint64_t sc_slice_end(const struct sc *sc, uint64_t start)
{
        return start - sc->used + sc->round_end;
}

/** Prepares the cache. Once, at boot. */
void sc_boot(void);

/** An SC of ec, charged to an account; sched_start() makes it run. BAD_CAP: ec is ending. */
enum nova_status sc_create(struct account *account, struct ec *ec, unsigned prio, word_t quantum_us,
                           struct sc **out);

/** Binds an SC to an EC that its owner's calls lead to, or to its owner. */
void sc_bind(struct sc *sc, struct ec *ec);

/** Makes a new SC ready, on whatever CPU its EC lives. */
void sc_start(struct sc *sc);

/** Time used in microseconds, the running slice included; of an SC of any CPU. */
uint64_t sc_time_us(const struct sc *sc);

/** Notes who drops the last capability: an SC on which its owner had that done stays with the
 * owner. On any CPU, under any lock. */
void sc_note_drop(struct sc *sc);

/** Nothing but its owner refers to an SC any more: ends it, or leaves it to the owner (left) while
 * it is donated, or if it stays. On its own CPU. */
void sc_drop(struct sc *sc);

/** Ends an SC; on its own CPU. */
void sc_end(struct sc *sc);

#endif
