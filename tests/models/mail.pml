// SPDX-License-Identifier: BSD-2-Clause
// Mail of hypervisor/src/sched/wake.c: no wake and no end is lost, no mail is in a list twice, and
// an EC is not freed while its mail is pending.
//
// Two ECs belong to CPU 0. Each waits repeatedly in a semaphore's queue. CPUs 1 and 2 take an EC
// out of the queue and wake it by mail. CPU 2 also ends the first EC by mail and waits for its end,
// as ec_do_elsewhere() does.
//
// holds:
// fails: STORES_ZERO -> has-ended
// fails: PUSHES_AGAIN -> listed-once
// fails: READS_NEXT_LATE -> received-live
// fails: INTERRUPTS_FIRST -> all-woken
// fails: FREES_EARLY -> received-live
// fails: RECEIVES_ALL -> bounded
// fails: FORGETS_REST -> all-woken

#define ECS   2
#define NONE  2
#define WAKE  1
#define END   2
#define WAITS 2 /* maximum number of waits of an EC */
#define STEP  1 /* MAIL_STEP */

mtype = { RUNS, BLOCKED, DEAD };

mtype state[ECS];
bool queued[ECS];  /* the EC is in the semaphore's queue */
byte work[ECS];    /* mail.work */
byte next[ECS];    /* mail.next */
bool listed[ECS];  /* the mail is in the list, or was taken from it and is not handled yet */
bool freed[ECS];
byte waking[ECS];  /* number of CPUs with a pointer to the EC that they took out of the queue */
byte list = NONE;  /* cpu.mail */
bool interrupt;    /* an IPI is pending at CPU 0 */

#ifdef PUSHES_AGAIN
#define PUSHES true
#else
#define PUSHES (old == 0)
#endif

/* mail_send(). */
inline send(ec, bits)
{
        assert(!freed[ec]); /* claim: sent-to-live */
        atomic { old = work[ec]; work[ec] = work[ec] | bits }
        if
#ifndef PUSHES_AGAIN
        :: old != 0
#endif
        :: PUSHES ->
#ifdef INTERRUPTS_FIRST
                interrupt = true;
#endif
                first = list;
                do
                :: next[ec] = first;
                   if
                   :: atomic { list == first ->
                        assert(!listed[ec]); /* claim: listed-once */
                        listed[ec] = true;
                        list = ec;
                        break
                      }
                   :: atomic { list != first -> first = list }
                   fi
                od;
#ifndef INTERRUPTS_FIRST
                interrupt = true;
#endif
                skip
        fi;
        atomic { old = 0; first = 0 }
}

/* wake_ec_mail(). */
inline act(ec, bits)
{
        if
        :: bits & WAKE && state[ec] == BLOCKED -> state[ec] = RUNS
        :: else
        fi;
        if
        :: bits & END -> state[ec] = DEAD; queued[ec] = false
        :: else
        fi
}

/* wake_receive_one(). */
inline receive_one(ec)
{
        atomic {
                assert(!freed[ec] && work[ec] != 0); /* claim: received-live */
                now = work[ec];
                did = 0
        }
        do
        :: atomic { act(ec, (now & ~did)); did = did | now }
#ifdef STORES_ZERO
           atomic { work[ec] = 0; listed[ec] = false; break }
#else
           if
           :: atomic { work[ec] == now -> work[ec] = 0; listed[ec] = false; break }
           :: atomic { work[ec] != now -> now = work[ec] }
           fi
#endif
        od;
        atomic { now = 0; did = 0 }
}

#define HAS_MAIL (rest != NONE || list != NONE)

#ifdef RECEIVES_ALL
#define MAY_RECEIVE true
#else
#define MAY_RECEIVE (received < STEP)
#endif

/* CPU 0: runs its ECs, and receives up to STEP mails when it gets the IPI, with mail_receive(). It
 * sends itself an IPI for the rest. */
proctype receiver()
{
        byte rest = NONE, one = NONE, now, did, received, waits[ECS];

end:    do
        :: interrupt ->
                interrupt = false;
                received = 0;
                do
                :: HAS_MAIL && MAY_RECEIVE ->
                        if
                        :: atomic { rest == NONE -> rest = list; list = NONE }
                        :: else
                        fi;
                        one = rest;
#ifndef READS_NEXT_LATE
                        rest = next[one];
#endif
                        receive_one(one);
#ifdef READS_NEXT_LATE
                        rest = next[one];
#endif
                        one = NONE;
                        received++;
                        assert(received <= STEP) /* claim: bounded */
                :: else -> break
                od;
#ifndef FORGETS_REST
                if
                :: HAS_MAIL -> interrupt = true
                :: else
                fi
#endif
        /* sm_down(): into the queue, under the semaphore's lock. */
        :: atomic { !interrupt && state[0] == RUNS && waits[0] < WAITS ->
                waits[0]++; state[0] = BLOCKED; queued[0] = true
           }
        :: atomic { !interrupt && state[1] == RUNS && waits[1] < WAITS ->
                waits[1]++; state[1] = BLOCKED; queued[1] = true
           }
        od
}

/* CPUs 1 and 2: up. Only the CPU that takes an EC out of the queue wakes it. */
proctype sender(bool ends)
{
        byte old, first;
        bool ended;

end:    do
        :: atomic { queued[0] -> queued[0] = false; waking[0]++ }
           send(0, WAKE);
           waking[0]--
        :: atomic { queued[1] -> queued[1] = false; waking[1]++ }
           send(1, WAKE);
           waking[1]--
        :: ends && !ended ->
                ended = true;
                send(0, END);
#ifndef FREES_EARLY
                !(work[0] & END); /* ec_do_elsewhere() */
                assert(state[0] == DEAD); /* claim: has-ended */
                waking[0] == 0; /* the grace period */
                work[0] == 0;
#endif
                freed[0] = true
        od
}

/* When nothing else can happen, each EC has been woken or has ended. */
proctype monitor()
{
end:    timeout ->
        assert(state[0] != BLOCKED && state[1] != BLOCKED); /* claim: all-woken */
        assert(!interrupt && list == NONE) /* claim: all-received */
}

init {
        atomic {
                state[0] = RUNS;
                state[1] = RUNS;
                run monitor();
                run receiver();
                run sender(false);
                run sender(true)
        }
}
