/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts of kernel memory, in bytes. A PD uses its owner's account, or one of its own that was
 * cut from there: the whole limit of a child counts as used by its parent, so a charge looks at one
 * account only.
 *
 * An account lives as long as anything is charged to it; its own memory is, until its PD ends. The
 * charge that is given back last returns the limit to the parent. A CPU that charges got the
 * account from a PD, so that it cannot end meanwhile. */
#ifndef MEMORY_ACCOUNT_H
#define MEMORY_ACCOUNT_H

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/types.h"

#define ACCOUNT_DEPTH_MAX 64 /* accounts that may end at once, with interrupts off */

/* Used, limit and ended change by atomic operations only. */
struct account {
        word_t used;
        word_t limit;
        word_t ended;           /* of used: about so much comes back after the grace period */
        struct account *parent; /* NULL: the root's */
        unsigned depth;
};

/** Odd while what has waited for a grace period is being freed. Only the CPU that frees it writes
 *  it. */
extern uint32_t account_arrivals;

/** For each CPU: whether a grace period would help, said by the account that refused last. */
extern bool account_grace_helps[];

/** The account that all others are cut from: the whole pool. */
extern struct account account_root;

/** Prepares the cache. Once, at boot. */
void account_boot(void);

/** Bytes that a new account needs for itself. */
word_t account_size(void);

/** A new account with a limit of at least account_size(), cut from parent. NULL: the parent has not
 *  so much left, or is too deep. */
struct account *account_create(struct account *parent, word_t limit);

/** Its PD has ended: gives what is not used back to the parent, the rest when it is used no more.
 */
void account_leave(struct account *account);

/** Moves bytes of the limit from the parent, or back to it; false: there is not so much unused. */
bool account_give(struct account *account, word_t bytes);
bool account_take(struct account *account, word_t bytes);

/** Nothing is charged to an account any more, and never will be. */
__attribute__((noinline)) void account_close(struct account *account);

/** Gives bytes back to the account that they were taken from. */
static inline void account_return(struct account *account, word_t bytes)
{
        const word_t used = atomic_fetch_add_word(&account->used, (word_t)0 - bytes);

        assert(used >= bytes);
        if (unlikely(used == bytes))
                account_close(account);
}

/** An object that is charged to the account has ended: bytes come back after the grace period. */
static inline void account_expect(struct account *account, word_t bytes)
{
        atomic_fetch_add_word(&account->ended, bytes);
}

/** … and now they do; account_return() follows. */
static inline void account_arrive(struct account *account, word_t bytes)
{
        const word_t ended = atomic_fetch_add_word(&account->ended, (word_t)0 - bytes);

        assert(ended >= bytes);
}

/** Gives bytes back that passed the limit, and tries once more: another CPU may have passed it for
 *  a moment. Notes in account_grace_helps whether what has ended would make room. */
__attribute__((noinline)) bool account_refuse(struct account *account, word_t bytes);

/** Takes bytes from an account; false, and nothing changed, when the limit would be passed. */
static inline bool account_charge(struct account *account, word_t bytes)
{
        if (likely(atomic_fetch_add_word(&account->used, bytes) + bytes <= account->limit))
                return true;
        return account_refuse(account, bytes);
}

#endif
