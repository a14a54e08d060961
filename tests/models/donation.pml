// SPDX-License-Identifier: BSD-2-Clause
// The life of a scheduling context that calls have donated, as in hypervisor/src/object/sc.c and
// ec.c. R1 to R4 are the first four rules of decision 8.
//
// EC 0 owns the SC. On this SC, EC 0 calls EC 1, and EC 1 calls EC 2, up to CALLS times in total.
// The EC that runs may remove the last capability for the SC or for EC 0, or end by a fault. A
// thread with another SC, on any CPU, may also remove these capabilities at any time. With
// DESTROYS, this thread may also end each EC at once, as pd_destroy() does. Each step is one run of
// the kernel without an interruption.
//
// A helper with an SC of its own calls EC 1. While EC 1 is busy, this SC runs the EC at the end of
// EC 1's chain of calls, and does not become donated. The helper and its SC may end at any time.
// The helper's call, once EC 1 is free, is not part of the model.
//
// holds:
// holds: DESTROYS
// fails: OLD_RULE -> R1
// fails: NEVER_STAYS -> R2
// fails: FORGETS_DUE -> R3
// fails: ENDS_AT_ONCE -> all-answered
// fails: KEEPS_LEFT -> R4
// fails: BY_SC -> R2
// fails: KEEPS_HELPER_SC -> helps-with-capability
// fails: DESTROYS KEEPS_HELPING -> helps-alive

#define ECS   3
#define OWNER 0
#define NONE  3
#define CALLS 3 /* maximum number of calls in a run */
#define HELPS 2 /* maximum number of times that the helper begins to help */

mtype = { READY, REPLY, REQUEST, DEAD };

mtype state[ECS];
byte caller[ECS], callee[ECS];

byte bound = OWNER;          /* sc.ec */
bool sc_dead;
bool sc_held = true;         /* a capability for the SC exists */
bool owner_held = true;      /* a capability for EC 0 exists */
bool stays, is_left;         /* sc.stays, sc.left: the SC is in a list of its owner */
bool pending_end, ends_later, ended; /* of EC 0 */
bool by_itself;              /* an EC that worked for EC 0 dropped the donated SC */
bool destroyed;              /* an EC was ended by force, so that replies may be missing */

bool helps;                  /* the helper's SC is lent to the chain of EC 1 */
bool helper_dead, help_sc_dead;
bool helper_held = true, help_sc_held = true;
byte calls, helpings;

#define DONATED (state[OWNER] == REPLY && bound != OWNER)

/* sc_end(). R1: the callee keeps a donated SC. R2: if an EC that worked for the owner dropped the
 * donated SC, the SC ends with its owner. R4: the owner may end when the reply comes. */
inline sc_end()
{
        assert(!sc_dead); /* claim: ends-once */
        assert(destroyed || !DONATED || state[bound] == DEAD); /* claim: R1 */
        assert(destroyed || !by_itself || state[OWNER] == DEAD || ends_later); /* claim: R2 */
        sc_dead = true;
        is_left = false
}

/* ec_search_sc(). Returns the SC to an EC, or to its owner if that EC has ended or is NONE. */
inline give_back(to)
{
        if
        :: to != NONE && state[to] != DEAD -> bound = to
        :: else -> bound = OWNER
        fi
}

/* True if the SC is bound to ec or to an EC below it in the chain of calls. */
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

/* True if the chain of calls from an EC leads to the EC `to`. */
#define LEADS(ec, to) (ec == to || (state[ec] == REPLY && (callee[ec] == to || \
        (state[callee[ec]] == REPLY && callee[callee[ec]] == to))))

/* sc_note_drop() and sc_drop(). serves: the kernel concludes that the EC that removed the
 * capability works for the owner. works: that EC really works for the owner. */
inline drop_sc(serves, works)
{
        sc_held = false;
        by_itself = DONATED && works;
#ifndef NEVER_STAYS
        stays = DONATED && serves;
#endif
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

/* ec_shut_down() of the helper, with ec_stop_helping(). */
inline end_helper()
{
        helper_dead = true;
#ifdef KEEPS_HELPER_SC
        help_sc_dead = help_sc_dead || !help_sc_held;
#endif
#ifndef KEEPS_HELPING
        helps = false
#endif
}

/* sc_drop() of the helper's SC. The helper waits for no reply, so the SC is not donated. */
inline drop_help_sc(runs_on_it)
{
        help_sc_held = false;
#ifdef KEEPS_HELPER_SC
        help_sc_dead = !runs_on_it;
#else
        help_sc_dead = true;
#endif
        if
        :: !helper_held && !helper_dead -> end_helper()
        :: else
        fi
}

/* Removes the last capability for the helper. */
inline drop_helper()
{
        helper_held = false;
        if
        :: !help_sc_held && !helper_dead -> end_helper()
        :: else
        fi
}

/* Removes a capability, as any EC may do. own: the EC runs on the owner's SC, else on the helper's
 * SC. */
inline drop_any(ec, own)
{
        if
#ifdef BY_SC
        :: sc_held -> drop_sc(own, LEADS(OWNER, ec))
#else
        :: sc_held -> drop_sc(LEADS(bound, ec), LEADS(OWNER, ec))
#endif
        :: owner_held && !sc_held -> owner_held = false; drop_owner()
        :: help_sc_held -> drop_help_sc(!own)
        :: helper_held -> drop_helper()
        fi
}

/* A call of EC 2 by EC 1. An SC that is bound to the caller, and runs it, goes to the callee. */
inline call_2(own)
{
        calls++;
        state[1] = REPLY; callee[1] = 2; caller[2] = 1; state[2] = READY;
        if
        :: own && bound == 1 -> bound = 2
        :: else
        fi
}

/* The reply of an EC. An SC that is bound to it goes back. */
inline reply(ec)
{
        to = caller[ec];
        state[ec] = REQUEST;
        caller[ec] = NONE;
        if
        :: to != NONE -> callee[to] = NONE; state[to] = READY
        :: else -> assert(destroyed) /* claim: has-caller */
        fi;
        if
        :: bound == ec && to != NONE -> bound = to
        :: bound == ec && to == NONE -> bound = OWNER
        :: else
        fi;
        to = 0
}

#define RUNS(ec) (!sc_dead && LEADS(bound, ec) && state[ec] == READY)

/* The ECs that run on the SC. */
proctype running()
{
        byte to;

end:    do
        :: atomic { RUNS(OWNER) && pending_end -> pending_work() }
        /* R3: an SC without a capability does not run its owner, except in the case of R2. */
        :: atomic { RUNS(OWNER) && !pending_end ->
                assert(sc_held || stays); /* claim: R3 */
                if
                :: calls < CALLS && state[1] == REQUEST ->
                        calls++; state[0] = REPLY; callee[0] = 1; caller[1] = 0; state[1] = READY;
                        bound = 1
                :: shut_down(OWNER)
                :: sc_held -> drop_sc(true, true)
                fi
           }
        :: atomic { RUNS(1) ->
                if
                :: calls < CALLS && state[2] == REQUEST -> call_2(true)
                :: shut_down(1)
                :: drop_any(1, true)
                :: reply(1)
                fi
           }
        :: atomic { RUNS(2) ->
                if
                :: shut_down(2)
                :: drop_any(2, true)
                :: reply(2)
                fi
           }
        od
}

#define LENDS(ec) (helps && !help_sc_dead && LEADS(1, ec) && state[ec] == READY)

inline check_helper()
{
        assert(!helper_dead); /* claim: helps-alive */
        assert(help_sc_held) /* claim: helps-with-capability */
}

/* The helper, and the ECs that run on its SC. */
proctype helping()
{
        byte to;

end:    do
        :: atomic { !helper_dead && !help_sc_dead && !helps && helpings < HELPS &&
                    (state[1] == READY || state[1] == REPLY) -> helpings++; helps = true }
        /* EC 1 has become free, or has ended. */
        :: atomic { helps && (state[1] == REQUEST || state[1] == DEAD) -> helps = false }
        :: atomic { LENDS(1) ->
                check_helper();
                if
                :: calls < CALLS && state[2] == REQUEST -> call_2(false)
                :: shut_down(1)
                :: drop_any(1, false)
                :: reply(1)
                fi
           }
        :: atomic { LENDS(2) ->
                check_helper();
                if
                :: shut_down(2)
                :: drop_any(2, false)
                :: reply(2)
                fi
           }
        od
}

/* A thread with its own SC. With DESTROYS it also ends ECs by force. */
proctype other()
{
end:    do
        :: atomic { sc_held -> drop_sc(false, false) }
        :: atomic { help_sc_held -> drop_help_sc(false) }
        :: atomic { helper_held -> drop_helper() }
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
        :: atomic { !helper_dead -> end_helper() }
#endif
        od
}

/* When nothing else can happen, the owner, the helper and their SCs have ended, and no EC waits for
 * a reply. */
proctype monitor()
{
end:    timeout ->
        assert(ended && sc_dead); /* claim: R4 */
        assert(helper_dead && help_sc_dead); /* claim: helper-ends */
        assert(state[1] != REPLY) /* claim: all-answered */
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
                run helping();
                run other()
        }
}
