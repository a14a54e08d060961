/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts of kernel memory, in bytes. PDs share an account until one gets its own. */
#ifndef MEMORY_ACCOUNT_H
#define MEMORY_ACCOUNT_H

#include "lib/atomic.h"
#include "lib/types.h"

/* Both words change by atomic addition only. */
struct account {
        word_t used;
        word_t limit;
};

/** The account that all others are cut from: the whole pool. */
extern struct account account_root;

/** Takes bytes from an account; false, and nothing changed, when the limit would be passed. */
static inline bool account_charge(struct account *account, word_t bytes)
{
        if (likely(atomic_fetch_add_word(&account->used, bytes) + bytes <= account->limit))
                return true;
        atomic_fetch_add_word(&account->used, (word_t)0 - bytes);
        return false;
}

/** Gives bytes back to the account that they were taken from. */
static inline void account_return(struct account *account, word_t bytes)
{
        atomic_fetch_add_word(&account->used, (word_t)0 - bytes);
}

#endif
