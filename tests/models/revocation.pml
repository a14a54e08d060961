// SPDX-License-Identifier: BSD-2-Clause
// A self revoke of a mapping that another thread cuts, in hypervisor/src/space/revocation.c. When
// both threads have finished or ended, in any order and at any step, no mapping without permissions
// is left in the space, and the tables map no revoked page.
//
// A mapping covers four selectors. Thread 0 revokes all of them. Thread 1 revokes selectors 1 and
// 2. To do so, it cuts the mapping before 1 and before 3, even if the mapping has lost its
// permissions. Both work in steps under the lock of the space. Each thread may be ended between two
// steps; the thread that ends it does the remaining steps, see revocation_finish_step().
//
// holds:
// fails: FORGETS_PIECES -> nothing-left
// fails: OWES_NOTHING -> nothing-left

#define SELECTORS 4
#define BEGIN(t)  (t == 0 -> 0 : 1)
#define LAST(t)   (t == 0 -> 3 : 2)

bool in_space[SELECTORS];
bool perms[SELECTORS];
bool tables[SELECTORS];
bool cut[SELECTORS + 1]; /* a mapping begins here */

/* Sets first and last to the mapping at a selector. */
inline piece_at(sel)
{
        d_step {
                first = sel;
                do
                :: !cut[first] -> first--
                :: else -> break
                od;
                last = sel;
                do
                :: !cut[last + 1] -> last++
                :: else -> break
                od
        }
}

/* Takes the permissions of the mapping first..last. */
inline reduce()
{
        d_step {
                i = first;
                do
                :: i <= last -> perms[i] = false; i++
                :: else -> break
                od;
                i = 0
        }
}

/* Removes the walk's current mapping from the space. The mapping begins where the walk began, and
 * may have become shorter. */
inline leave()
{
        d_step {
                piece_at(top);
                i = first;
                do
                :: i <= last && !perms[i] ->
                        assert(!tables[i]); /* claim: tables-first */
                        in_space[i] = false;
                        i++
                :: else -> break
                od;
                if
                :: at <= end -> at = last + 1
                :: else
                fi;
                first = 0;
                last = 0;
                i = 0
        }
}

/* revocation_finish_step(): begins only the removals that the revocation must still complete. */
inline give_up()
{
        given_up = true;
#ifdef FORGETS_PIECES
        at = 1;
        end = 0;
        owed = 0
#else
        if
        :: at < owed -> end = owed - 1
        :: else -> at = 1; end = 0
        fi
#endif
}

proctype thread(byte t)
{
        byte at = BEGIN(t);    /* r->at */
        byte end = LAST(t);    /* r->last */
        byte owed;             /* r->owed_end */
        byte top, sync, sync_last, first, last, i;
        bool given_up;

        do
        :: atomic { !given_up -> /* the thread is ended between two mappings */
                give_up();
                if
                :: at > end -> break
                :: else
                fi
           }
        :: atomic { /* one step: revocation_find_top() */
                true; /* without it, Spin takes the options below for options of this loop */
                if
                :: owed > end + 1 -> end = owed - 1
                :: else
                fi;
                top = at;
                do
                :: top <= end && !in_space[top] -> top++
                :: else -> break
                od;
                if
                :: top > end -> break
                :: else
                fi;
                piece_at(top);
                if
                :: (given_up || top > LAST(t)) && perms[top] -> at = last + 1; goto next
                :: else
                fi;
                /* Cuts come first; each is a step of its own. */
                if
                :: !given_up && first < BEGIN(t) -> cut[BEGIN(t)] = true; goto next
                :: !given_up && last > LAST(t) -> cut[LAST(t) + 1] = true; goto next
                :: else
                fi;
                reduce();
                top = first;
#ifndef OWES_NOTHING
                if
                :: last + 1 > owed -> owed = last + 1
                :: else
                fi;
#endif
                sync = first;
                sync_last = last;
                first = 0;
                last = 0
           }
           do /* revocation_sync(): a step for each entry of the tables */
           :: atomic { sync <= sync_last -> tables[sync] = false; sync++ }
           :: atomic { sync > sync_last -> break }
           :: atomic { !given_up -> give_up() }
           od;
           leave();
next:      skip
        od
}

#define CLEAN(sel) (in_space[sel] == perms[sel] && (!tables[sel] || perms[sel]))

init {
        atomic {
                in_space[0] = true; in_space[1] = true; in_space[2] = true; in_space[3] = true;
                perms[0] = true; perms[1] = true; perms[2] = true; perms[3] = true;
                tables[0] = true; tables[1] = true; tables[2] = true; tables[3] = true;
                cut[0] = true;
                cut[SELECTORS] = true;
                run thread(0);
                run thread(1)
        }
        /* Both have ended. */
        _nr_pr == 1;
        assert(CLEAN(0) && CLEAN(1) && CLEAN(2) && CLEAN(3)) /* claim: nothing-left */
}
