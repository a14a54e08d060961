// SPDX-License-Identifier: BSD-2-Clause
// The life of a scheduling context that calls have donated, as in hypervisor/src/object/sc.c and
// ec.c. R1 to R4 are the first four rules of decision 8.
//
// The EC 0 owns the SC. On it, EC 0 calls EC 1, and EC 1 calls EC 2, as often as they like within
// a bound. The EC that runs may remove the last capability of the SC or of EC 0, or end by a
// fault. A thread with another SC, on the same CPU or on another one, may remove these
// capabilities at any time, too; with DESTROYS it may end each EC at once, as pd_destroy() does.
// Each step is one visit of the kernel.
//
// holds:
// holds: DESTROYS
// fails: OLD_RULE
// fails: NEVER_STAYS
// fails: FORGETS_DUE
// fails: ENDS_AT_ONCE
// fails: KEEPS_LEFT

#define ECS   3
#define OWNER 0
#define NONE  3
#define CALLS 3 /* maximum number of calls in a run */

mtype = { READY, REPLY, REQUEST, DEAD };

mtype state[ECS];
byte caller[ECS], callee[ECS];

byte bound = OWNER;          /* sc.ec */
bool sc_dead;
bool sc_held = true;         /* it has a capability */
bool owner_held = true;      /* EC 0 has a capability */
bool stays, is_left;         /* sc.stays, sc.left: the SC is in a list of its owner */
bool pending_end, ends_later, ended; /* of EC 0 */
bool by_itself;              /* the SC was dropped by an EC that ran on it */
bool destroyed;              /* an EC was ended by force, so that replies may be missing */

#define DONATED (state[OWNER] == REPLY && bound != OWNER)

/* sc_end(). R1: the callee keeps a donated SC. R2: an SC that was revoked on itself ends with its
 * owner; R4: the owner may end when the reply comes. */
inline sc_end()
{
        assert(!sc_dead);
        assert(destroyed || !DONATED || state[bound] == DEAD);
        assert(destroyed || !by_itself || state[OWNER] == DEAD || ends_later);
        sc_dead = true;
        is_left = false
}

/* Gives the SC back, to an EC above or to its owner; ec_search_sc(). */
inline give_back(to)
{
        if
        :: to != NONE && state[to] != DEAD -> bound = to
        :: else -> bound = OWNER
        fi
}

/* Whether the SC is bound to ec or to an EC below it in the chain of calls. */
#define HOLDS(ec) (bound == ec || (state[ec] == REPLY && (bound == callee[ec] || \
        (state[callee[ec]] == REPLY && bound == callee[callee[ec]]))))

/* ec_shut_down(). */
inline shut_down(ec)
{
        if
        :: state[ec] == DEAD
        :: else ->
                if
                :: !sc_dead && HOLDS(ec) -> give_back(caller[ec])
                :: else
                fi;
                if
                :: state[ec] == REPLY -> caller[callee[ec]] = NONE
                :: else
                fi;
                if
                :: caller[ec] != NONE -> state[caller[ec]] = READY; callee[caller[ec]] = NONE
                :: else
                fi;
                state[ec] = DEAD;
                caller[ec] = NONE;
                callee[ec] = NONE
        fi
}

/* ec_end() of EC 0. */
inline end_owner()
{
        if
        :: ended
        :: else ->
                shut_down(OWNER);
#ifndef KEEPS_LEFT
                if
                :: is_left -> sc_end()
                :: else
                fi;
#endif
                ended = true
        fi
}

/* ec_drop() of EC 0, whose last reference is gone. */
inline drop_owner()
{
        if
#ifndef ENDS_AT_ONCE
        :: state[OWNER] == REPLY && is_left -> pending_end = true; ends_later = true
        :: else -> end_owner()
#else
        :: end_owner()
#endif
        fi
}

/* sc_note_drop() and sc_drop(). serves: the EC that removed the capability runs on the SC. */
inline drop_sc(serves)
{
        sc_held = false;
#ifndef NEVER_STAYS
        stays = DONATED && serves;
#endif
        by_itself = DONATED && serves;
        if
        :: sc_dead
#ifdef OLD_RULE
        :: !sc_dead -> sc_end()
#else
        :: !sc_dead && (DONATED || (stays && state[OWNER] != DEAD)) -> /* ec_leave_sc() */
                is_left = true;
#ifndef FORGETS_DUE
                if
                :: !stays -> pending_end = true
                :: else
                fi
#endif
        :: else -> sc_end()
#endif
        fi;
        if
        :: !owner_held && !ended -> drop_owner()
        :: else
        fi
}

/* ec_end_due(), before EC 0 continues. */
inline pending_work()
{
        pending_end = false;
        if
        :: is_left && (ends_later || !stays) -> sc_end()
        :: else
        fi;
        if
        :: ends_later -> end_owner()
        :: else
        fi
}

#define RUNS(ec) (!sc_dead && bound == ec && state[ec] == READY)

/* The ECs that run on the SC. */
proctype running()
{
        byte calls, to;

end:    do
        :: atomic { RUNS(OWNER) && pending_end -> pending_work() }
        /* R3: an SC without capability does not run its owner, except as R2 says. */
        :: atomic { RUNS(OWNER) && !pending_end ->
                assert(sc_held || stays);
                if
                :: calls < CALLS && state[1] == REQUEST ->
                        calls++; state[0] = REPLY; callee[0] = 1; caller[1] = 0; state[1] = READY;
                        bound = 1
                :: shut_down(OWNER)
                :: sc_held -> drop_sc(true)
                fi
           }
        :: atomic { RUNS(1) ->
                if
                :: calls < CALLS && state[2] == REQUEST ->
                        calls++; state[1] = REPLY; callee[1] = 2; caller[2] = 1; state[2] = READY;
                        bound = 2
                :: shut_down(1)
                :: sc_held -> drop_sc(true)
                :: owner_held && !sc_held -> owner_held = false; drop_owner()
                :: to = caller[1];
                   if
                   :: to != NONE ->
                        caller[1] = NONE; callee[to] = NONE; state[1] = REQUEST; state[to] = READY;
                        bound = to
                   :: else -> assert(destroyed); state[1] = REQUEST; bound = OWNER
                   fi;
                   to = 0
                fi
           }
        :: atomic { RUNS(2) ->
                if
                :: shut_down(2)
                :: sc_held -> drop_sc(true)
                :: owner_held && !sc_held -> owner_held = false; drop_owner()
                :: to = caller[2];
                   if
                   :: to != NONE ->
                        caller[2] = NONE; callee[to] = NONE; state[2] = REQUEST; state[to] = READY;
                        bound = to
                   :: else -> assert(destroyed); state[2] = REQUEST; bound = OWNER
                   fi;
                   to = 0
                fi
           }
        od
}

/* A thread with its own SC. With DESTROYS it also ends ECs by force. */
proctype other()
{
end:    do
        :: atomic { sc_held -> drop_sc(false) }
        :: atomic { owner_held ->
                owner_held = false;
                if
                :: !sc_held && !ended -> drop_owner()
                :: else
                fi
           }
#ifdef DESTROYS
        :: atomic { state[1] != DEAD -> destroyed = true; shut_down(1) }
        :: atomic { state[2] != DEAD -> destroyed = true; shut_down(2) }
        :: atomic { !ended -> destroyed = true; end_owner() }
#endif
        od
}

/* When nothing else can happen, the owner and its SC have ended, and no EC waits for a reply. */
proctype monitor()
{
end:    timeout ->
        assert(ended && sc_dead && state[1] != REPLY)
}

init {
        atomic {
                state[0] = READY;
                state[1] = REQUEST;
                state[2] = REQUEST;
                caller[0] = NONE; caller[1] = NONE; caller[2] = NONE;
                callee[0] = NONE; callee[1] = NONE; callee[2] = NONE;
                run monitor();
                run running();
                run other()
        }
}
