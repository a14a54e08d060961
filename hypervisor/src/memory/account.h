/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts of kernel memory, in bytes. A PD uses its owner's account, or an account of its own
 * whose limit was taken from the owner's. The whole limit of a child account counts as used by its
 * parent, so that a charge checks one account only.
 *
 * An account lives as long as anything is charged to it. Its own memory is charged to it until its
 * PD ends. The return of the last charge returns the limit to the parent. A CPU gets the account to
 * charge from a PD, so the account cannot end meanwhile. */
#ifndef MEMORY_ACCOUNT_H
#define MEMORY_ACCOUNT_H

#include "arch/x86/cpu.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/types.h"

/* Maximum number of accounts in a chain. All may close at once, with interrupts off. */
#define ACCOUNT_DEPTH_MAX 64

/* Used, limit and ended change by atomic operations only. */
struct account {
        word_t used;
        word_t limit;
        word_t ended;           /* approximately the part of `used` that returns after the grace
                                 * period */
        struct account *parent; /* NULL: the root account */
        uint16_t depth;
        bool shrinks;    /* the PD was destroyed or freed: freed bytes leave the limit */
        uint32_t number; /* number of the account in the order of creation; may wrap */
};

/** A counter that is odd from the end of a grace period until all memory that waited for the period
 * is free. Written under the lock of the grace period. */
extern uint32_t account_arrivals;

/** Objects that still have mail after a grace period wait for the next one. This is the value of
 * account_arrivals at which all of them are free. Written by the CPU that frees memory. */
extern uint32_t account_postponed;

/** While a period's memory is being freed, account_arrivals still increases this number of times
 * until the memory of the next period is free. */
#define ACCOUNT_ARRIVALS_LEFT 3

/** For each CPU: true if a grace period would help the account that last refused a charge. */
extern bool account_grace_helps[];

/** For each CPU: number of accounts that it has closed or, when bytes returned, shrunk; may wrap.
 */
extern uint32_t account_steps[];

/** Returns this CPU's counter of account_steps. */
static inline uint32_t account_steps_now(void)
{
        return account_steps[cpu_number(cpu_self())];
}

/** Returns true if this CPU, since the counter had the value `before`, has closed as many accounts
 * as a chain has. A mapping may be the last charge to a chain of accounts, so a step that frees
 * mappings then ends. */
static inline bool account_has_closed_many(uint32_t before)
{
        return account_steps_now() - before >= ACCOUNT_DEPTH_MAX;
}

/** The account of the whole pool, from which the limits of all other accounts are taken. */
extern struct account account_root;

/** Prepares the slab cache of accounts. Call once, at boot. */
void account_boot(void);

/** Returns the bytes that a new account needs for itself. */
word_t account_size(void);

/** Creates an account with a limit of at least account_size(), taken from parent. NULL: the parent
 * has less left, there is no memory, or the parent is at depth ACCOUNT_DEPTH_MAX. */
struct account *account_create(struct account *parent, word_t limit);

/** Returns a destroyed PD's unused limit to the parent, now and whenever an object is freed. Other
 * PDs may keep references to the PD for any time, but they hold back only the memory that is still
 * in use. */
__attribute__((noinline)) void account_shrink(struct account *account);

/** Returns bytes to an account. If its PD has ended, the bytes go on to the parent, and so on, with
 * the unused part of the limit: another CPU may have returned bytes while the PD ended. Frees each
 * account to which nothing is charged any more; its limit goes to the parent, too. */
void account_return_up(struct account *account, word_t bytes);

/** Does account_shrink() for a PD that is freed, and returns the account's own memory. */
void account_leave(struct account *account);

/** Moves bytes of the limit from the parent, or back to it. false: fewer bytes are unused. */
bool account_give(struct account *account, word_t bytes);
bool account_take(struct account *account, word_t bytes);

/** Frees an account to which nothing is charged or can be charged any more. */
__attribute__((noinline)) void account_close(struct account *account);

/** Returns bytes to the account to which they were charged. */
static inline void account_return(struct account *account, word_t bytes)
{
        const word_t used = atomic_fetch_add_word(&account->used, (word_t)0 - bytes);

        assert(used >= bytes);
        if (unlikely(used == bytes))
                account_close(account);
}

/** Does account_return() for a freed object, or for the tables of a freed PD. If the account's PD
 * has ended, the bytes and all unused bytes of the account go on to the parent. Unused bytes come
 * from mappings and tables, which use account_return(), because a step that frees many of them must
 * stay short. */
static inline void account_return_freed(struct account *account, word_t bytes)
{
        if (unlikely(load_once(account->shrinks)))
                account_return_up(account, bytes);
        else
                account_return(account, bytes);
}

/** Records that an object of the account has ended: bytes return after the grace period. */
static inline void account_expect(struct account *account, word_t bytes)
{
        atomic_fetch_add_word(&account->ended, bytes);
}

/** Undoes account_expect() after the grace period; account_return() follows. */
static inline void account_arrive(struct account *account, word_t bytes)
{
        const word_t ended = atomic_fetch_add_word(&account->ended, (word_t)0 - bytes);

        assert(ended >= bytes);
}

/** Undoes a charge that passed the limit, and tries it again, because another CPU may have passed
 * the limit only for a moment. Sets account_grace_helps to true if the bytes of ended objects would
 * make room. */
__attribute__((noinline)) bool account_refuse(struct account *account, word_t bytes);

/** Charges bytes to an account. Returns false, without a change, if this would pass the limit. */
static inline bool account_charge(struct account *account, word_t bytes)
{
        if (likely(atomic_fetch_add_word(&account->used, bytes) + bytes <= account->limit))
                return true;
        return account_refuse(account, bytes);
}

#endif
