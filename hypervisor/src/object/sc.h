/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling contexts: the priority and time with which the owner runs, and the ECs that serve the
 * owner's calls. @spec 2.3 */
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
        SC_NOWHERE,  /* not started, or its owner never runs again */
        SC_READY,    /* the current SC of its CPU, or in the run queue */
        SC_SLEEPING, /* among the sleepers of a blocked EC */
};

/* After creation only the SC's CPU writes the fields, except the common part and the mail node. */
struct sc {
        struct kobject object;
        struct mail mail; /* work for its CPU */
        struct cpu *cpu;
        uint64_t quantum; /* TSC ticks */
        struct sc *prev;  /* run queue ring, with next */
        /* The fields that a scheduling decision reads, in one cache line. */
        struct ec *ec;    /* the EC to which the SC is bound. While the SC runs the end of its
                           * owner's chain of calls, it is bound to no callee: ec is the owner,
                           * and cpu.special lacks SPECIAL_LENT */
        struct ec *owner; /* the EC for which the SC was created; holds a reference */
        struct list link; /* sleepers */
        struct sc *next;
        uint64_t used;      /* TSC ticks in all, up to the last switch */
        uint64_t round_end; /* value of used at which the quantum of this round is used up */
        uint8_t place;      /* enum sc_place */
        uint8_t prio;
        bool stays; /* dropped by an EC that worked for the owner: ends with the owner */
        bool left;  /* no capability refers to it; it stays in a list of its owner */
};

/** Returns true if the quantum of this round is used up. */
static always_inline bool sc_is_spent(const struct sc *sc)
{
        return sc->used >= sc->round_end;
}

/** Begins a new round if the quantum of this round is used up. @return true if it was */
static inline bool sc_refill(struct sc *sc)
{
        if (!sc_is_spent(sc))
                return false;
        sc->round_end = sc->used + sc->quantum;
        return true;
}

/** Returns the TSC value at which an SC that has run since `start` will have used up its
 * quantum. */
static always_inline uint64_t sc_slice_end(const struct sc *sc, uint64_t start)
{
        return start - sc->used + sc->round_end;
}

/** Prepares the slab cache of SCs. Call once, at boot. */
void sc_boot(void);

/** Creates an SC of ec and charges it to an account; sc_start() makes it ready.
 *  @return BAD_CAP if ec is ending */
enum nova_status sc_create(struct account *account, struct ec *ec, unsigned prio, word_t quantum_us,
                           struct sc **out);

/** Binds an SC to its owner, or to an EC to which the owner's calls lead. */
void sc_bind(struct sc *sc, struct ec *ec);

/** Makes a new SC ready, on the CPU of its EC. May be called on any CPU. */
void sc_start(struct sc *sc);

/** Returns the time that an SC of any CPU has used, in microseconds. The time includes the running
 * slice. */
uint64_t sc_time_us(const struct sc *sc);

/** Records whether the EC that drops the last capability works for the SC's owner. If it does, the
 * SC stays with the owner. May be called on any CPU and under any lock. */
void sc_note_drop(struct sc *sc);

/** Handles an SC without references. Ends the SC, or adds it to its owner's list of such SCs if it
 * is donated or stays with its owner. Call on the SC's CPU. */
void sc_drop(struct sc *sc);

/** Ends an SC. Call on the SC's CPU. */
void sc_end(struct sc *sc);

#endif
