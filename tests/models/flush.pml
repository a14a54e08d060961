// SPDX-License-Identifier: BSD-2-Clause
// The TLB shoot-down of hypervisor/src/arch/x86/tlb.c and arch/x86_64/pcid.c: no CPU uses a
// translation to memory that has been freed, and all flushes end.
//
// Three CPUs begin with the address space A loaded or not, with or without its translations. They
// load and leave A up to LOADS times each, and may cache translations whenever it is loaded. Two
// of them revoke a page of A each, or both revoke the same page (SAME): they clear its entry in the
// tables if it is still there, flush, and free the page. A store of current_pd stays in the CPU's
// store buffer until a fence or a write of CR3, as on x86.
//
// holds:
// holds: LOADS=1 SAME
// holds: PCID LOADS=1
// holds: PCID LOADS=1 SAME
// holds: PCID LOADS=1 ALL
// fails: FREE_EARLY -> not-used-freed
// fails: READ_BEFORE_CHANGE -> not-used-freed
// fails: LOADS=1 LATE_NUMBER -> not-used-freed
// fails: LOADS=1 NO_ANSWER -> deadlock
// fails: SAME TRUSTS_OTHERS -> not-used-freed
// fails: SAME BEGINS_LATE -> not-used-freed
// fails: SAME ENDS_EARLY -> not-used-freed
// fails: SAME ROUNDS_ONLY -> not-used-freed
// fails: SAME OWN_LAST -> not-used-freed
// fails: PCID LOADS=1 NO_FENCE -> not-used-freed
// fails: PCID LOADS=1 NO_STALE -> not-used-freed
// fails: PCID ALL LATE_CLEAR -> not-used-freed

#define CPUS     3
#define FLUSHERS 2
#ifndef LOADS
#define LOADS 2
#endif

#define B 0 /* any other address space */
#define A 1

#define BIT(n) (1 << (n))

byte page[FLUSHERS];      /* the page that CPU n revokes */
byte mapped = 3;          /* bit n: page n is in the tables of A */
byte freed;               /* bit n: page n is free memory */
bit current_pd[CPUS];     /* as the other CPUs see it */
bit loaded[CPUS];         /* CR3 */
byte cached[CPUS];        /* bit n: the CPU caches the translation of page n of A */
byte stale;               /* with PCID, bit n: CPU n may cache translations that A has lost */
byte wanted[CPUS];        /* flush_wanted */
byte done[CPUS];          /* flush_done */
bool flush_all[CPUS];
byte begun;               /* flushes_begun */
byte rounds[CPUS];        /* flush_round */
bit switches[CPUS];       /* the CPU is between the store of current_pd and the write of CR3 */

/* Called after each change that can make a CPU use a translation, or free a page. A CPU that
 * switches still has the old space loaded, but uses none of its user addresses any more. */
inline check(c)
{
        assert(!(loaded[c] == A && !switches[c] && (cached[c] & freed))) /* claim: not-used-freed */
}

inline check_all()
{
        check(0);
        check(1);
        check(2)
}

/* switch_pd() and pcid_load(). */
inline load(c, pd)
{
        /* Others see the store at once, or when the fence or the write of CR3 drains the buffer. */
        if
        :: atomic { switches[c] = 1; current_pd[c] = pd }
        :: switches[c] = 1
        fi;
#if defined(PCID) && !defined(NO_FENCE)
        current_pd[c] = pd;
#endif
#ifdef PCID
        if
        :: atomic { pd == A && (stale & BIT(c)) -> keep = 0 }
        :: atomic { else -> keep = 1 }
        fi;
        if
        :: atomic { !keep -> stale = stale & ~BIT(c); current_pd[c] = pd }
        :: else
        fi;
#endif
        atomic { /* the write of CR3 */
                current_pd[c] = pd;
                loaded[c] = pd;
                switches[c] = 0;
                if
                :: keep
                :: else -> cached[c] = 0
                fi;
                check(c);
                keep = 0
        }
}

/* write_cr3(read_cr3()): with PCID it flushes only the translations of the loaded space. */
inline flush_loaded(c)
{
#ifdef PCID
        if
        :: loaded[c] == A -> cached[c] = 0
        :: else
        fi
#else
        cached[c] = 0
#endif
}

/* flush_answer(). */
inline answer(c)
{
        if
        :: atomic { wanted[c] != done[c] -> number = wanted[c] }
           if
           :: flush_all[c] ->
#ifdef LATE_CLEAR
                cached[c] = 0;
                flush_all[c] = false
#else
                flush_all[c] = false;
                cached[c] = 0
#endif
           :: else -> atomic { flush_loaded(c) }
           fi;
#ifdef LATE_NUMBER
           done[c] = wanted[c];
#else
           done[c] = number;
#endif
           number = 0
        :: else
        fi
}

/* Asks the CPU `other` for a flush if it may have the space A loaded; with ALL, in any case. */
inline ask(other)
{
#ifdef ALL
        flush_all[other] = true;
        atomic { wanted[other]++; asked = asked | BIT(other) }
#else
        if
        :: current_pd[other] == A -> atomic { wanted[other]++; asked = asked | BIT(other) }
        :: else
        fi
#endif
}

/* tlb_await() for one CPU: waits until the CPU has answered the requests that it has now.
 * Meanwhile, cpu_wait() answers other flushes. */
inline wait_for(c, other)
{
        at = wanted[other];
        do
        :: atomic { done[other] >= at -> at = 0; break }
#ifndef NO_ANSWER
        :: atomic { done[other] < at && wanted[c] != done[c] }
           answer(c)
#endif
        od
}

inline wait_if_asked(c, other)
{
        if
        :: asked & BIT(other) -> wait_for(c, other)
        :: else
        fi
}

/* tlb_begin(). */
inline begin_flush(c)
{
        begun++;
        rounds[c]++
}

/* A step of a revocation under the lock. The page may have been revoked already. */
inline unmap(c)
{
        atomic {
                if
                :: mapped & BIT(page[c]) ->
#ifndef READ_BEFORE_CHANGE
                        mapped = mapped & ~BIT(page[c]);
#endif
#ifndef BEGINS_LATE
                        begin_flush(c);
#endif
                        mine = 1
                :: else
                fi
        }
}

/* flush_perform(), after the page was removed from the tables of A. ALL: more than FLUSH_PDS spaces
 * have changed. In this case all CPUs flush, and the mask stale is not written. */
inline perform(c)
{
#ifdef BEGINS_LATE
        atomic { begin_flush(c) };
#endif
#ifdef ENDS_EARLY
        rounds[c]++;
#endif
#ifdef PCID
#ifndef NO_STALE
#ifndef ALL
        if
        :: atomic { current_pd[c] == A -> stale = stale | (7 & ~BIT(c)) }
        :: atomic { else -> stale = stale | 7 }
        fi;
#endif
#endif
#endif
        atomic {
#ifdef ALL
                cached[c] = 0
#else
                if
                :: current_pd[c] == A -> flush_loaded(c)
                :: else
                fi
#endif
        };
        ask((c + 1) % CPUS);
        ask((c + 2) % CPUS);
#ifdef READ_BEFORE_CHANGE
        mapped = mapped & ~BIT(page[c]);
#endif
#ifndef ENDS_EARLY
        rounds[c]++;
#endif
#ifdef FREE_EARLY
        atomic { freed = freed | BIT(page[c]); check_all() };
#endif
        wait_if_asked(c, (c + 1) % CPUS);
        wait_if_asked(c, (c + 2) % CPUS);
        asked = 0;
        begun--
}

/* Waits until another CPU has sent the requests of a flush that it has begun. */
inline wait_for_round(c, other)
{
        at = rounds[other];
        do
        :: atomic { !(at & 1) || rounds[other] != at -> at = 0; break }
#ifndef NO_ANSWER
        :: atomic { (at & 1) && rounds[other] == at && wanted[c] != done[c] }
           answer(c)
#endif
        od
}

/* tlb_wait_for_others(). */
inline wait_for_others(c)
{
#ifdef OWN_LAST
        answer(c);
#endif
        wait_for_round(c, (c + 1) % CPUS);
        wait_for_round(c, (c + 2) % CPUS);
#ifndef OWN_LAST
        answer(c);
#endif
#ifndef ROUNDS_ONLY
        wait_for(c, (c + 1) % CPUS);
        wait_for(c, (c + 2) % CPUS)
#endif
}

/* mapping_remove_utcb(), for example: the page is freed when flush_run() has returned. */
inline revoke(c)
{
        unmap(c);
        if
        :: atomic { mine -> mine = 0 }
           perform(c)
        :: else
        fi;
#ifndef TRUSTS_OTHERS
        if
        :: begun -> wait_for_others(c)
        :: else
        fi;
#endif
        atomic { freed = freed | BIT(page[c]); check_all() }
}

proctype cpu(byte c)
{
        byte asked, at, number, loads;
        bit keep, revoked, mine;

end:    do
        :: loads < LOADS && loaded[c] == B -> loads++; load(c, A)
        :: loads < LOADS && loaded[c] == A -> loads++; load(c, B)
        :: wanted[c] != done[c] -> answer(c)
        :: atomic { c < FLUSHERS && !revoked -> revoked = 1 }
           revoke(c)
        od
}

/* The page walker of a CPU, which may fill the TLB at any time. In the worst case it caches all. */
proctype walker(byte c)
{
end:    do
        :: atomic { loaded[c] == A && (mapped & ~cached[c]) ->
                cached[c] = cached[c] | mapped;
                check(c)
           }
        od
}

/* Chooses how a CPU begins. Without PCIDs a CPU caches translations of the loaded space only. */
inline begin(c)
{
        if
        :: loaded[c] = A; current_pd[c] = A
        :: loaded[c] = B
        fi;
        if
#ifdef PCID
        :: cached[c] = 3
#else
        :: loaded[c] == A -> cached[c] = 3
#endif
        :: cached[c] = 0
        fi
}

init {
        atomic {
                loaded[0] = A;
                current_pd[0] = A;
                cached[0] = 3;
#ifndef SAME
                page[1] = 1;
#endif
                begin(1);
                begin(2);
                run cpu(0); run cpu(1); run cpu(2);
                run walker(0); run walker(1); run walker(2)
        }
}
