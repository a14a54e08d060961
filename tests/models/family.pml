// SPDX-License-Identifier: BSD-2-Clause
// The end of a destroyed PD and of the PDs below it (hypervisor/src/object/pd.c): pd_destroy
// returns only after these have ended, even if a CPU that has begun to end one of them does no more
// steps.
//
// A thread of PD A has created PD B, whose thread creates PD C, unless C already exists. The only
// capability for C is in C's own space, and the only capability for B is in A's space. CPU 1
// destroys A. CPU 0 destroys A or B, or drops the capability for B. If B has no thread, B then ends
// without pd.stepping. CPU 0 may stop between two steps: its thread has a lower priority than
// others. An object without references is freed when no CPU is in a step. A CPU chooses any PD of a
// creator's list, not only the first. Each PD has one space, which is emptied in one step.
//
// holds:
// holds: live
// fails: OLD_RULE -> ended-below
// fails: NO_STEPPING -> one-step
// fails: NO_REFERENCE -> not-used-freed
// fails: IGNORES_DEAD -> ended-below
// fails: FORGETS_BELOW -> ended-below
// fails: live WAITS_FOR_DYING -> progress
// fails: PUTS_TWICE -> put-once
// fails: KEEPS_BELOW -> all-freed

#define PDS  3
#define A    0
#define B    1
#define C    2
#define ROOT 3 /* A's creator, which lives */
#define NONE 4

mtype = { AGAIN, CREATED, DONE };

byte creator[PDS] = NONE; /* pd.creator; y is in the list `created` of x if creator[y] == x */
byte below[PDS] = NONE;   /* pd.below */
byte refs[PDS];
bool thread[PDS];         /* the PD has a thread, which refers to it */
bool dead[PDS], destroyed[PDS];
bool with_creator[PDS];   /* pd.ends_with_creator */
bool stepping[PDS];
bool in_step[PDS];        /* a CPU is in pd_do_end_step() */
bool ended[PDS], freed[PDS];
bool given[PDS];          /* the capability in A's or C's own space exists */
bool busy[2];             /* the CPU is in a step: no grace period ends */
bool stopped, returned[2];
byte queued[2] = NONE;    /* OLD_RULE: the PD before A in the CPU's dying list */

#define HAS_CREATED(x) (creator[B] == (x) || creator[C] == (x))

/* object_put(). */
inline put(x)
{
        assert(refs[x] > 0 && !freed[x]); /* claim: put-once */
        refs[x]--
}

/* Sets y to a PD that x created. */
inline choose(x, y)
{
        if
        :: creator[B] == (x) -> y = B
        :: creator[C] == (x) -> y = C
        fi
}

/* pd_destroy_begin() by a direct call, or pd_destroy_with_creator(): under pd.lock. */
inline mark(x, by_creator)
{
        atomic {
                if
                :: !dead[x] ->
                        refs[x]++;
                        first = first || !by_creator;
                        destroyed[x] = true;
                        with_creator[x] = by_creator;
                        dead[x] = true
                :: else
                fi
        }
}

/* pd_set_below(). */
inline set_below(x, y)
{
        atomic {
                was = below[x];
                below[x] = y;
                if
#ifndef NO_REFERENCE
                :: was != NONE -> put(was)
#endif
                :: else
                fi;
                was = NONE
        }
}

/* Empties the space: drops the capabilities in it. */
inline empty_space(x)
{
        if
        :: x == A && given[B] -> given[B] = false; put(B)
        :: x == C && given[C] -> given[C] = false; put(C)
        :: else
        fi
}

/* pd_do_end_step(). */
inline do_step(x)
{
        atomic {
                assert(!in_step[x]); /* claim: one-step */
                assert(!freed[x]); /* claim: not-used-freed */
                in_step[x] = true
        }
        if
        :: atomic { thread[x] -> thread[x] = false; put(x); result = AGAIN }
        :: atomic { !thread[x] && HAS_CREATED(x) -> result = CREATED }
        :: !thread[x] && !HAS_CREATED(x) ->
#ifndef KEEPS_BELOW
                if
                :: below[x] != NONE -> set_below(x, NONE)
                :: else
                fi;
#endif
                atomic {
                        if
                        :: ended[x] -> result = DONE
                        :: else -> empty_space(x); ended[x] = true; result = AGAIN
                        fi
                }
        fi;
        in_step[x] = false
}

/* pd_go_down(), from PD `at`, in a step of x's end by CPU c. */
inline go_down(x, at)
{
        atomic { /* under family_lock */
                if
                :: !HAS_CREATED(at)
                :: else ->
                        choose(at, next);
                        assert(!freed[next]); /* claim: not-used-freed */
                        if
#ifdef IGNORES_DEAD
                        :: dead[next] && refs[next] > 0 -> creator[next] = NONE; next = NONE
                        :: !dead[next] && refs[next] > 0 -> refs[next]++
#else
                        :: refs[next] > 0 -> refs[next]++
#endif
#ifdef WAITS_FOR_DYING
                        :: refs[next] == 0 && !ended[next] -> next = NONE
                        :: refs[next] == 0 && ended[next] -> creator[next] = NONE; next = NONE
#else
#ifndef FORGETS_BELOW
                        :: refs[next] == 0 && HAS_CREATED(next) ->
                                choose(next, lower);
                                creator[lower] = at;
                                next = NONE
                        :: refs[next] == 0 && !HAS_CREATED(next) ->
#else
                        :: refs[next] == 0 ->
#endif
                                creator[next] = NONE;
                                next = NONE
#endif
                        fi
                fi;
                lower = NONE
        }
        if
        :: next != NONE ->
                mark(next, true);
#ifdef OLD_RULE
                atomic { creator[next] = ROOT; queued[c] = next }
#else
#ifdef NO_REFERENCE
                atomic { put(next); below[x] = next }
#else
                set_below(x, next);
#endif
#endif
                next = NONE
        :: else
        fi
}

/* pd_go_up(), in a step of x's end. */
inline go_up(x)
{
        atomic { /* under family_lock */
                now = below[x];
                assert(!freed[now]); /* claim: not-used-freed */
                next = creator[now];
                creator[now] = NONE;
                lower = next;
                if
                :: next == NONE || next == x -> next = NONE
                :: else ->
                        if
#ifndef NO_REFERENCE
                        :: refs[next] > 0 -> refs[next]++
#else
                        :: refs[next] > 0
#endif
                        :: else -> next = NONE
                        fi
                fi
        }
        if
#ifdef PUTS_TWICE
        :: atomic { with_creator[now] -> put(now) }
        :: !with_creator[now]
#else
        :: atomic { lower != NONE && with_creator[now] -> put(now) }
        :: lower == NONE || !with_creator[now]
#endif
        fi;
        set_below(x, next);
        atomic { now = NONE; next = NONE; lower = NONE }
}

/* pd_end_created(), in a step of x's end. */
inline end_created(x)
{
        at = below[x];
        if
        :: at == NONE -> go_down(x, x)
        :: at != NONE ->
                assert(!freed[at]); /* claim: not-used-freed */
                take(at);
                if
                :: taken ->
                        do_step(at);
                        stepping[at] = false;
                        if
                        :: result == CREATED -> go_down(x, at)
                        :: result == DONE -> go_up(x)
                        :: else
                        fi
                :: else
                fi
        fi;
        at = NONE
}

/* pd_step_begin(). */
inline take(x)
{
#ifdef NO_STEPPING
        taken = true
#else
        atomic { taken = !stepping[x]; stepping[x] = true }
#endif
}

/* pd_end_destroyed_step(). */
inline end_step(x)
{
        take(x);
        if
        :: taken ->
                do_step(x);
                if
                :: result == CREATED -> end_created(x)
                :: else
                fi;
                stepping[x] = false
        :: else
        fi;
        atomic { taken = false; result = AGAIN; busy[c] = false }
}

/* pd_end_step() of a PD that ends for lack of a capability, with pd_leave_created(). */
inline end_step_alone(x)
{
        busy[c] = true;
        do_step(x);
        if
        :: atomic { result == CREATED ->
                if
                :: HAS_CREATED(x) -> choose(x, next); creator[next] = creator[x]; next = NONE
                :: else
                fi
           }
        :: result != CREATED
        fi;
        atomic { result = AGAIN; busy[c] = false }
}

/* B ends without pd_destroy: it has neither capabilities nor threads. */
#define ALONE(x) (!destroyed[x] && refs[x] == 0)

/* Checks the PDs when the caller of pd_destroy for x returns. */
inline check(x)
{
        assert(ended[x] && !thread[x] && !thread[C]); /* claim: ended-below */
        assert(x != A || (!thread[B] && (ended[B] || ALONE(B)))); /* claim: ended-below */
        assert(creator[C] == NONE || ended[C]) /* claim: ended-below */
}

/* True if the PD is in the CPU's dying list, or the caller still has a capability for it. */
#define FINDS(x) (first || (x) == A || given[x])

/* pd_destroy, with extension_finish_pd_destroy() or object_reap_pd(): steps until the PD has ended.
 * CPU 0 may stop before each of them. */
inline destroy(x)
{
        atomic {
                if
                :: FINDS(x) -> mark(x, false)
                :: else
                fi
        }
        do
#ifdef OLD_RULE
        :: queued[c] != NONE && ended[queued[c]] -> queued[c] = NONE
        :: atomic { queued[c] != NONE && !ended[queued[c]] -> busy[c] = true }
           end_step(queued[c])
#endif
        :: atomic { queued[c] == NONE && FINDS(x) && !ended[x] -> busy[c] = true }
           end_step(x)
        :: atomic { queued[c] == NONE && FINDS(x) && ended[x] ->
                check(x);
                if
                :: first -> put(x)
                :: else
                fi;
                returned[c] = true;
                break
           }
        :: atomic { queued[c] == NONE && !FINDS(x) -> returned[c] = true; break } /* BAD_CAP */
        :: c == 0 -> stopped = true; break
        od
}

proctype cpu(byte c)
{
        byte at = NONE, next = NONE, lower = NONE, now = NONE, was = NONE;
        mtype result = AGAIN;
        byte victim = A;
        bool taken, first, last;

        if
        :: true ->
                if
                :: true
                :: c == 0 -> victim = B
                fi;
                destroy(victim)
        :: c == 0 ->
                atomic { /* revokes B's capability */
                        if
                        :: given[B] -> given[B] = false; put(B); last = refs[B] == 0 && !dead[B]
                        :: else
                        fi
                }
                do
                :: last && !ended[B] -> end_step_alone(B)
                :: !last || ended[B] -> returned[c] = true; break
                :: stopped = true; break
                od
        fi
}

/* B's thread creates C. */
proctype creates()
{
end:    atomic { thread[B] && refs[C] == 0 && !given[C] ->
                given[C] = true;
                thread[C] = true;
                refs[C] = 2;
                creator[C] = B
        }
}

#define IS_FREE(x) (refs[x] == 0 && ended[x] && !freed[x])

/* Frees PDs after a grace period, with pd_free(). */
proctype reclaim()
{
        byte x;

end:    do
        :: atomic { !busy[0] && !busy[1] && (IS_FREE(B) || IS_FREE(C)) ->
                if
                :: IS_FREE(B) -> x = B
                :: IS_FREE(C) -> x = C
                fi;
                assert(!HAS_CREATED(x)); /* claim: freed-childless */
                freed[x] = true;
                creator[x] = NONE;
                x = 0
           }
        od
}

/* When both CPUs have returned, only the capability for A is left. */
proctype end_of_all()
{
end:    atomic { returned[1] && !stopped && returned[0] ->
                assert(refs[B] == given[B] && refs[C] == 0) /* claim: all-freed */
        }
}

init {
        atomic {
                creator[A] = ROOT;
                creator[B] = A;
                refs[A] = 2;
                refs[B] = 1;
                thread[A] = true;
                given[B] = true;
                if
                :: thread[B] = true; refs[B] = 2
                :: skip
                fi;
                if
                :: given[C] = true; thread[C] = true; refs[C] = 2; creator[C] = B
                :: thread[B]
                fi;
                run cpu(0);
                run cpu(1);
                run creates();
                run reclaim();
                run end_of_all()
        }
}

#ifdef live
ltl { <> returned[1] }
#endif
