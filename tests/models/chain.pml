// SPDX-License-Identifier: BSD-2-Clause
// A walk along a chain of calls to the EC that an SC can run, as chain_end() and sched_runnable()
// in hypervisor/src/sched/schedule.c make it. ECs may end in the walk's windows (decision 347).
//
// EC 0 owns the SC and calls EC 1. EC 1 helps EC 2, which is busy: EC 2 waits for the reply of
// EC 3, or EC 3 is sending a message to EC 2. EC 3 calls EC 4, which is blocked or runs. Ends and
// ups come as mail or interrupts, and so may also come in a window of the walk. Between two walks
// other threads run, and ECs reply. The kernel opens a window after some links; here it opens one
// after each link. Each step is atomic.
//
// holds:
// fails: FORGETS_END -> sleeps-at-end
// fails: FORGETS_RECEIVER -> sleeps-at-end
// fails: VISITS_FREE -> sleeps-at-end
// fails: KEEPS_ASLEEP -> sleeps-at-end

#define ECS  5
#define NONE 5
#define UPS  2 /* maximum number of ups in a run */

mtype = { READY, REPLY, RECEIVES, BLOCKED, REQUEST, DEAD };

mtype state[ECS];
byte callee[ECS];  /* EC for whose reply or message an EC waits */
byte helping[ECS];
bool passed[ECS];  /* ec.walk == cpu.walk: the walk has passed the EC */
bool broken;       /* cpu.walk is no longer the number of the walk */

bool walking;      /* the CPU is in a walk: no other thread runs */
bool asleep;       /* the SC sleeps with EC place; else it is ready, or lent to that EC */
byte place;
byte last, steps;  /* results of find_end() */

/* True if an EC helps a busy EC. */
#define HELPS(ec) (helping[ec] != NONE && state[helping[ec]] != REQUEST && \
        state[helping[ec]] != DEAD)

/* The EC at the end of the chain from an EC. */
inline find_end(from)
{
        last = from;
        steps = 0;
        do
        :: callee[last] != NONE -> last = callee[last]; steps++
        :: callee[last] == NONE && HELPS(last) -> last = helping[last]; steps++
        :: else -> break
        od;
        assert(steps < ECS); /* claim: no-circle */
        steps = 0
}

/* A sleeping SC sleeps with the end of its chain, which a later up or end wakes. */
inline check()
{
        if
        :: asleep ->
                find_end(0);
                assert(last == place && state[last] == BLOCKED); /* claim: sleeps-at-end */
                last = 0
        :: else
        fi
}

bool begun; /* the chain is complete */

/* sched_runnable() with chain_end(). */
active proctype decision()
{
        byte at, next;

end:    do
        :: atomic { begun && !asleep && !walking ->
                walking = true; at = 0;
                passed[0] = true; passed[1] = false; passed[2] = false; passed[3] = false;
                passed[4] = false
           }
        :: atomic { walking && broken -> walking = false; broken = false; at = 0 }
        :: atomic { walking && !broken ->
                next = callee[at];
                if
                :: next == NONE && helping[at] != NONE ->
#ifdef VISITS_FREE
                        next = helping[at]
#else
                        if
                        :: HELPS(at) -> next = helping[at]
                        :: else
                        fi
#endif
                :: else
                fi;
                if
                :: next != NONE -> at = next; passed[at] = true
                :: else ->
                        walking = false;
                        if
                        :: state[at] == READY || state[at] == DEAD
                        :: else -> asleep = true; place = at; check()
                        fi;
                        at = 0
                fi;
                next = 0
           }
        od
}

/* ec_shut_down() of an EC, ec_leave_caller(), ec_lose_caller() and ec_go_below(). */
inline shut_down(ec)
{
#ifndef FORGETS_END
        if
        :: walking && passed[ec] -> broken = true
        :: else
        fi;
#endif
#ifndef KEEPS_ASLEEP
        find_end(ec);
        if
        :: asleep && place == last -> asleep = false; place = 0
        :: else
        fi;
        last = 0;
#endif
        other = 0;
        do
        :: other < ECS && callee[other] == ec && state[other] == REPLY ->
                state[other] = READY; callee[other] = NONE; other++
        :: other < ECS && callee[other] == ec && state[other] == RECEIVES ->
#ifndef FORGETS_RECEIVER
                if
                :: walking && passed[other] -> broken = true
                :: else
                fi;
#endif
                if /* runs the portal if an item has arrived */
                :: state[other] = REQUEST
                :: state[other] = READY
                fi;
                callee[other] = NONE; other++
        :: other < ECS && callee[other] != ec ->
                if
                :: helping[other] == ec -> helping[other] = NONE
                :: else
                fi;
                other++
        :: other == ECS -> break
        od;
        other = 0;
        state[ec] = DEAD;
        callee[ec] = NONE;
        helping[ec] = NONE
}

/* Mail and interrupts, at any time, and other threads, between two walks. */
active proctype events()
{
        byte ec, other, ups;

        atomic {
                state[0] = REPLY; state[1] = READY;
                callee[0] = 1; callee[1] = NONE; callee[4] = NONE;
                helping[0] = NONE; helping[1] = 2; helping[2] = NONE; helping[3] = NONE;
                helping[4] = NONE;
                callee[2] = 3;
                if
                :: state[2] = REPLY
                :: state[2] = RECEIVES
                fi;
                if
                :: state[3] = READY; callee[3] = NONE; state[4] = REQUEST
                :: state[2] == REPLY -> state[3] = REPLY; callee[3] = 4; state[4] = BLOCKED
                fi;
                begun = true
        }
end:    do
        :: atomic {
                select(ec : 1 .. 4);
                if
                :: state[ec] != DEAD -> shut_down(ec)
                :: else
                fi;
                check();
                ec = 0
           }
        :: atomic { state[4] == BLOCKED && ups < UPS ->
                ups++;
                state[4] = READY;
                if
                :: asleep && place == 4 -> asleep = false; place = 0
                :: else
                fi;
                check()
           }
        :: atomic { !walking && state[4] == READY && ups < UPS -> state[4] = BLOCKED; check() }
        :: atomic { !walking && callee[2] == 3 && state[2] == REPLY && state[3] == READY ->
                state[2] = READY; callee[2] = NONE; state[3] = REQUEST; check()
           }
        :: atomic { !walking && callee[3] == 4 && state[3] == REPLY && state[4] == READY ->
                state[3] = READY; callee[3] = NONE; state[4] = REQUEST; check()
           }
        :: atomic { !walking && state[2] == READY -> state[2] = REQUEST; check() }
        od
}
