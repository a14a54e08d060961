// SPDX-License-Identifier: BSD-2-Clause
// The grace period of hypervisor/src/object/reclaim.c: no CPU uses an object after it has been
// freed, and each ended object is freed eventually.
//
// Each CPU executes operations without end. An operation finds an object by its capability, uses
// it without a reference, and forgets it. An interrupt that arrives meanwhile sets a mark
// (CPU_PENDING_GRACE). The CPU answers the request after the operation, even if it then idles. CPUs
// 0 and 1 end one object each: they remove its capability, and then pass it to reclaim_object().
// Object 0 is a PD, whose address space stays loaded after an operation that used the PD. CPU 0
// also passes a frame to reclaim_frame(), as entry 2. Each entry is in the batch of its CPU, which
// frees one entry in each step. Object 1 may have mail, and then waits for another period.
//
// holds: live
// fails: HANDS_OVER_FIRST -> not-loaded-freed
// fails: BEGINS_UNDER_WAY -> not-in-use
// fails: ANSWERS_AT_WORK -> not-in-use
// fails: FIRST_ANSWER_FREES -> not-in-use
// fails: live FORGETS_LATE -> progress
// fails: live FORGETS_OTHERS -> progress
// fails: live IDLES_WITH_MARK -> progress
// fails: live PASSES_SILENTLY -> progress
// fails: live FORGETS_STEP -> progress
// fails: live FORGETS_POSTPONED -> progress
// fails: IGNORES_MAIL -> not-mailed-freed
// fails: KEEPS_DEAD_PD -> not-loaded-freed

#define CPUS    3
#define OBJECTS 2 /* CPU n ends object n */
#define NONE    3

#define BIT(n)   (1 << (n))
#define MINE(c)  ((c) == 0 -> 5 : ((c) == 1 -> 2 : 0)) /* entries of the batches of CPU c */
#define FRAME    4

byte capability = 3; /* bit n: object n can be found */
byte freed;          /* bit n: entry n has been freed */
bool loaded[CPUS];   /* the CPU has loaded the address space of object 0 */
bool mailed;         /* object 1 has mail, until its first period ends */
byte uses[CPUS];     /* the object that the CPU has found, or NONE */

byte filling, waiting; /* bit n: entry n is in the batch of its CPU */
byte period;           /* modulo 8, more than the number of periods here */
bool under_way, late;
byte freer = NONE;
byte seen[CPUS];
bool asked[CPUS]; /* an IPI is pending */
bool mark[CPUS];  /* CPU_PENDING_GRACE */
bool watched;     /* the timer watches the filling batch */

/* reclaim_begin(), under the lock. */
inline begin()
{
#ifndef BEGINS_UNDER_WAY
        assert(!under_way && waiting == 0); /* claim: one-period */
#endif
        waiting = waiting | filling;
        filling = 0;
        under_way = true;
        late = false;
        watched = false;
        period = (period + 1) % 8;
        asked[0] = true;
        asked[1] = true;
        asked[2] = true
}

#define ALL_SEEN (seen[0] == period && seen[1] == period && seen[2] == period)

/* reclaim_pass_on(), under the lock, by CPU c. */
inline pass_on(c)
{
        if
        :: waiting & MINE(0) -> freer = 0
        :: !(waiting & MINE(0)) && waiting & MINE(1) -> freer = 1
        :: waiting == 0 ->
                freer = NONE;
                under_way = false;
                if
                :: late -> begin()
                :: else
                fi
        fi;
#ifndef PASSES_SILENTLY
        if
        :: freer != NONE && freer != c -> asked[freer] = true
        :: else
        fi
#endif
}

/* The timer of reclaim_added(): the first entry has waited for too long. */
inline timer()
{
        atomic {
                watched = false;
                if
#ifdef BEGINS_UNDER_WAY
                :: begin()
#else
                :: !under_way -> begin()
#ifndef FORGETS_LATE
                :: else -> late = true
#else
                :: else
#endif
#endif
                fi
        }
}

/* reclaim_quiescent(). */
inline quiescent(c)
{
        atomic { asked[c] = false; mark[c] = false; now = period }
        if
        :: seen[c] != now ->
#ifndef KEEPS_DEAD_PD
                if /* reclaim_leave_dead_pd() */
                :: !(capability & 1) -> loaded[c] = false
                :: else
                fi;
#endif
                seen[c] = now;
                atomic { /* under the lock */
                        if
#ifdef FIRST_ANSWER_FREES
                        :: under_way && freer == NONE -> pass_on(c)
#else
                        :: under_way && freer == NONE && ALL_SEEN -> pass_on(c)
#endif
                        :: else
                        fi
                }
        :: else
        fi;
        now = 0;
        if
        :: freer == c -> free_waiting(c)
        :: else
        fi
}

/* reclaim_added(), for an entry. */
inline add(entries)
{
        if
        :: filling == 0 -> watched = true
        :: else
        fi;
        filling = filling | entries
}

/* reclaim_free_object() of CPU c's object. */
inline free_object(c)
{
        waiting = waiting & ~BIT(c);
        if
#ifndef IGNORES_MAIL
        :: c == 1 && mailed ->
                mailed = false; /* the mail arrives */
#ifndef FORGETS_POSTPONED
                add(BIT(c))
#else
                filling = filling | BIT(c)
#endif
#endif
        :: else -> freed = freed | BIT(c); check(c)
        fi
}

/* reclaim_free_waiting(): frees the frame in the first step, and the object in the next one. */
inline free_waiting(c)
{
        if
        :: atomic { c == 0 && waiting & FRAME ->
                waiting = waiting & ~FRAME;
                freed = freed | FRAME;
#ifndef FORGETS_STEP
                asked[c] = true
#endif
           }
        :: atomic { !(c == 0 && waiting & FRAME) -> free_object(c) }
           free_pass(c)
        fi
}

inline free_pass(c)
{
        atomic { /* under the lock */
#ifdef FORGETS_OTHERS
                freer = NONE;
                under_way = false;
                if
                :: late -> begin()
                :: else
                fi
#else
                pass_on(c)
#endif
        }
}

inline check(object)
{
        assert(uses[0] != object && uses[1] != object && uses[2] != object); /* claim: not-in-use */
        assert(object != 1 || !mailed); /* claim: not-mailed-freed */
        assert(object || !(loaded[0] || loaded[1] || loaded[2])) /* claim: not-loaded-freed */
}

/* Uses an object, forgets it, and answers the interrupts that came meanwhile. */
inline operation(c)
{
        do
        :: atomic {
                assert(!(freed & BIT(uses[c]))); /* claim: not-used-freed */
                uses[c] = NONE;
                break
           }
#ifdef ANSWERS_AT_WORK
        :: asked[c] -> quiescent(c)
#else
        :: atomic { asked[c] -> asked[c] = false; mark[c] = true }
#endif
        od;
        if
        :: mark[c] -> quiescent(c)
#ifdef IDLES_WITH_MARK
        :: mark[c] /* halts, and continues with the next operation */
#endif
        :: !mark[c]
        fi
}

proctype cpu(byte c)
{
        byte now;
        bit ended;

end:    do
        /* An operation begins in user mode, finds an object, and uses it. In user mode a CPU takes
         * an interrupt before anything else. */
        :: atomic { !asked[c] && capability & 1 -> uses[c] = 0; loaded[c] = true }
           operation(c)
        :: atomic { !asked[c] && capability & 2 -> uses[c] = 1 }
           operation(c)
        /* Another operation ends the CPU's object. */
        :: !asked[c] && c < OBJECTS && !ended ->
                ended = 1;
#ifndef HANDS_OVER_FIRST
                capability = capability & ~BIT(c);
#endif
                atomic { add(MINE(c)) };
#ifdef HANDS_OVER_FIRST
                capability = capability & ~BIT(c)
#endif
        /* An interrupt, in user mode. */
        :: asked[c] -> quiescent(c)
        od
}

proctype clock()
{
end:    do
        :: watched -> timer()
        od
}

init {
        atomic {
                uses[0] = NONE;
                uses[1] = NONE;
                uses[2] = NONE;
                if
                :: mailed = true
                :: mailed = false
                fi;
                run cpu(0);
                run cpu(1);
                run cpu(2);
                run clock()
        }
}

#ifdef live
#define WAITS(n) ((filling | waiting) & BIT(n))
ltl { [] ((WAITS(0) -> <> (freed & BIT(0))) && (WAITS(1) -> <> (freed & BIT(1)))) }
#endif
