// SPDX-License-Identifier: BSD-2-Clause
// The spin lock of hypervisor/src/lib/spinlock.h: one CPU holds the lock, and while a CPU waits,
// each other CPU gets the lock at most once.
//
// Three CPUs take and release the lock without end. Tickets wrap around; here there is one more
// ticket than there are CPUs.
//
// holds:
// fails: OLD_RULE -> bounded
// fails: TEARS_TICKET -> bounded
// fails: FEW_TICKETS -> bounded
// fails: RELEASES_EARLY -> one-holder

#define CPUS 3
#ifdef FEW_TICKETS
#define TICKETS (CPUS - 1)
#else
#define TICKETS (CPUS + 1)
#endif

byte next, serving;  /* struct spinlock */
bool held;           /* OLD_RULE: the only word of the lock */
byte holders;
bool waits[CPUS];
byte passed[CPUS];   /* number of times that others got the lock since the CPU began to wait */

/* Counts for CPU c, if it waits, that another CPU has got the lock. */
inline pass(c)
{
        if
        :: waits[c] ->
                passed[c]++;
                assert(passed[c] < CPUS) /* claim: bounded */
        :: else
        fi
}

/* spin_acquire() ends. */
inline enter(c)
{
        waits[c] = false;
        passed[c] = 0;
        holders++;
        assert(holders == 1); /* claim: one-holder */
        pass((c + 1) % CPUS);
        pass((c + 2) % CPUS)
}

proctype cpu(byte c)
{
        byte ticket;

end:    do
        ::
#ifdef OLD_RULE
           atomic { waits[c] = true };
           atomic { !held -> held = true; enter(c) };
#else
#ifdef TEARS_TICKET
           ticket = next;
           atomic { next = (ticket + 1) % TICKETS; waits[c] = true };
#else
           atomic { ticket = next; next = (next + 1) % TICKETS; waits[c] = true };
#endif
           atomic { serving == ticket -> ticket = 0; enter(c) };
#endif
           /* spin_release(). */
#ifdef RELEASES_EARLY
           serving = (serving + 1) % TICKETS;
           holders--
#else
           atomic {
                holders--;
                held = false;
                serving = (serving + 1) % TICKETS
           }
#endif
        od
}

init {
        atomic {
                run cpu(0);
                run cpu(1);
                run cpu(2)
        }
}
