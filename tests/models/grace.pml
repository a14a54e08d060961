// SPDX-License-Identifier: BSD-2-Clause
// The grace period of hypervisor/src/object/reclaim.c: no CPU uses an object after it has been
// freed, and each ended object is freed eventually.
//
// Each CPU executes operations without end. An operation finds an object by its capability, uses
// it without a reference, and forgets it. An interrupt that arrives meanwhile sets a mark
// (CPU_PENDING_GRACE). The CPU answers the request after the operation, even if it then idles. CPUs
// 0 and 1 end one object each: they remove its capability, and then pass it to reclaim_object().
// Each object is in the batch of its CPU, which frees this batch in one step.
//
// holds: live
// fails: HANDS_OVER_FIRST -> not-in-use
// fails: BEGINS_UNDER_WAY -> not-in-use
// fails: ANSWERS_AT_WORK -> not-in-use
// fails: FIRST_ANSWER_FREES -> not-in-use
// fails: live FORGETS_LATE -> progress
// fails: live FORGETS_OTHERS -> progress
// fails: live IDLES_WITH_MARK -> progress
// fails: live PASSES_SILENTLY -> progress

#define CPUS    3
#define OBJECTS 2 /* CPU n ends object n */
#define NONE    3

#define BIT(n)  (1 << (n))

byte capability = 3; /* bit n: object n can be found */
byte freed;          /* bit n: object n has been freed */
byte uses[CPUS];     /* the object that the CPU has found, or NONE */

byte filling, waiting; /* bit n: object n is in the batch of CPU n */
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
        :: waiting & 1 -> freer = 0
        :: !(waiting & 1) && waiting & 2 -> freer = 1
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

/* reclaim_free_waiting(). */
inline free_waiting(c)
{
        atomic { waiting = waiting & ~BIT(c); freed = freed | BIT(c); check(c) };
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
        assert(uses[0] != object && uses[1] != object && uses[2] != object) /* claim: not-in-use */
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
        :: atomic { !asked[c] && capability & 1 -> uses[c] = 0 }
           operation(c)
        :: atomic { !asked[c] && capability & 2 -> uses[c] = 1 }
           operation(c)
        /* Another operation ends the CPU's object. */
        :: !asked[c] && c < OBJECTS && !ended ->
                ended = 1;
#ifndef HANDS_OVER_FIRST
                capability = capability & ~BIT(c);
#endif
                atomic {
                        if
                        :: filling == 0 -> watched = true
                        :: else
                        fi;
                        filling = filling | BIT(c)
                };
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
