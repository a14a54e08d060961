// SPDX-License-Identifier: BSD-2-Clause
// Delegations against a revocation of the tree below a mapping (hypervisor/src/space/revocation.c,
// delegation.c): when the revocation has ended, no mapping derived from the first one has
// permissions.
//
// Mapping 0 is revoked, but without self revoke. Two threads may delegate from the mappings below
// it at any time. Each step holds the lock of the space.
//
// holds:
// fails: CHILDREN_FIRST -> none-escapes
// fails: FREES_WITH_CHILDREN -> none-escapes

#define MAPPINGS 5 /* 0 and 1 exist at the beginning, 1 derived from 0 */
#define NONE     MAPPINGS

bool perms[MAPPINGS];
byte parent[MAPPINGS];
byte created = 2;
bool done;

#define IS_CHILD(n, of) (n < created && parent[n] == of && of != NONE)

/* delegation_step(): a child of a mapping with permissions. */
proctype delegator()
{
        byte from;

        do
        :: created < MAPPINGS ->
                select(from : 1 .. MAPPINGS - 1);
                atomic {
                        if
                        :: created < MAPPINGS && from < created && parent[from] != NONE &&
                           perms[from] ->
                                parent[created] = from;
                                perms[created] = true;
                                created++
                        :: else
                        fi
                }
        :: break
        od
}

#define NO_CHILD(of) (!IS_CHILD(1, of) && !IS_CHILD(2, of) && !IS_CHILD(3, of) && !IS_CHILD(4, of))

/* Goes to a child, which loses its permissions before the walk visits its children. */
#ifdef CHILDREN_FIRST
#define GO_DOWN(n) atomic { IS_CHILD(n, at) && !seen[n] -> seen[n] = true; at = n }
#else
#define GO_DOWN(n) atomic { IS_CHILD(n, at) -> perms[n] = false; at = n }
#endif

#define SEEN(n) (!IS_CHILD(n, at) || seen[n])

/* revocation_walk_on(): each step goes to a child or up. A mapping that nothing holds is freed. */
proctype revoker()
{
        byte at, above;
        bool seen[MAPPINGS];

        do
        :: GO_DOWN(1)
        :: GO_DOWN(2)
        :: GO_DOWN(3)
        :: GO_DOWN(4)
#ifdef CHILDREN_FIRST
        :: at != 0 && SEEN(1) && SEEN(2) && SEEN(3) && SEEN(4) ->
           atomic {
#else
#ifdef FREES_WITH_CHILDREN
        :: atomic { at != 0 ->
#else
        :: atomic { at != 0 && NO_CHILD(at) ->
#endif
#endif
                above = parent[at];
                perms[at] = false;
                parent[at] = NONE;
                at = above
           }
        :: atomic { at == 0 && NO_CHILD(0) -> break }
        od;
        done = true
}

init {
        atomic {
                perms[0] = true;
                perms[1] = true;
                parent[0] = NONE;
                parent[1] = 0;
                run delegator();
                run delegator();
                run revoker()
        }
        _nr_pr == 1;
        assert(done); /* claim: ends */
        assert(!perms[1] && !perms[2] && !perms[3] && !perms[4]) /* claim: none-escapes */
}
