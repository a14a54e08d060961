/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts (see account.h). The root's limit is set when the pool is known. */
#include "memory/account.h"

#include "arch/x86/cpu.h"
#include "lib/bits.h"
#include "memory/slab.h"

struct account account_root = {.limit = ~(word_t)0};

uint32_t account_arrivals;

uint32_t account_postponed;

bool account_grace_helps[NOVA_CPU_MAX];

uint32_t account_steps[NOVA_CPU_MAX];

static struct slab_cache account_cache;

static uint32_t account_last; /* number of the newest account; the root has 0 */

void account_boot(void)
{
        slab_init(&account_cache, sizeof(struct account));
}

word_t account_size(void)
{
        return account_cache.size;
}

/* Returns true if ended objects had mail when memory was last freed, and still wait. */
static bool account_has_postponed(uint32_t arrivals)
{
        const uint32_t left = load_once(account_postponed) - arrivals;

        return left && left <= ACCOUNT_ARRIVALS_LEFT;
}

/* Records whether a grace period would help the CPU's thread. A period would not help if the thread
 * requests more than the limit. It may help while memory is being freed after a period, or while
 * objects that the period did not free still wait: some bytes then count neither as ended nor as
 * free, because an account closes only when its last object is freed. */
static bool account_note_refusal(const struct account *account, word_t bytes)
{
        const uint32_t arrivals = load_once(account_arrivals);
        const word_t limit = load_once(account->limit), used = load_once(account->used);
        const word_t ended = min_word(load_once(account->ended), used);
        const bool arrives = arrivals & 1 || load_once(account_arrivals) != arrivals ||
                             account_has_postponed(arrivals);

        account_grace_helps[cpu_number(cpu_self())] =
                bytes <= limit && (arrives || used - ended <= limit - bytes);
        return false;
}

/* Charges any number of bytes. Unlike account_charge(), it does not pass the limit even for a
 * moment: with a large number of bytes, used could wrap around. */
static bool account_try_reserve(struct account *account, word_t bytes)
{
        word_t used = load_once(account->used), limit;

        do {
                limit = load_once(account->limit);
                if (bytes > limit || used > limit - bytes)
                        return false;
        } while (!__atomic_compare_exchange_n(&account->used, &used, used + bytes, false,
                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
        assert(used + bytes >= used);

        /* Another CPU may have lowered the limit since it was read, even if `used` had the same
         * value again. account_take() lowers the limit while `used` still has the bytes. */
        if (likely(used + bytes <= load_once(account->limit)))
                return true;
        account_return(account, bytes);
        return false;
}

/* Does account_try_reserve(), and records a refusal. */
static bool account_reserve(struct account *account, word_t bytes)
{
        return account_try_reserve(account, bytes) || account_note_refusal(account, bytes);
}

bool account_refuse(struct account *account, word_t bytes)
{
        account_return(account, bytes);
        return account_reserve(account, bytes);
}

struct account *account_create(struct account *parent, word_t limit)
{
        if (parent->depth == ACCOUNT_DEPTH_MAX || !account_reserve(parent, limit))
                return NULL;

        struct account *account = slab_alloc(&account_cache);
        if (!account) {
                account_return(parent, limit);
                return NULL;
        }
        *account = (struct account){
                .used = account_cache.size,
                .limit = limit,
                .parent = parent,
                .depth = parent->depth + 1,
                .number = atomic_fetch_add_u32(&account_last, 1) + 1,
        };
        return account;
}

/* Lowers the limit by bytes that the caller has reserved. */
static void account_cut(struct account *account, word_t bytes)
{
        const word_t limit = atomic_fetch_add_word(&account->limit, (word_t)0 - bytes);

        assert(limit >= bytes);
        atomic_fetch_add_word(&account->used,
                              (word_t)0 - bytes); /* not 0 yet, because the caller's bytes or the
                                                   * account's own memory are charged to it */
}

/* Lowers the limit to the number of used bytes. Returns the difference, which the parent must get
 * back. */
static word_t account_cut_unused(struct account *account)
{
        word_t used, limit;

        do {
                used = load_once(account->used);
                limit = load_once(account->limit);
                if (used >= limit)
                        return 0;
        } while (!account_try_reserve(account, limit - used));
        account_cut(account, limit - used);
        return limit - used;
}

void account_shrink(struct account *account)
{
        store_once(account->shrinks, true);
        account_return_up(account->parent, account_cut_unused(account));
}

void account_leave(struct account *account)
{
        account_shrink(account);
        account_return_up(account, account_cache.size);
}

bool account_give(struct account *account, word_t bytes)
{
        if (!account_reserve(account->parent, bytes))
                return false;
        atomic_fetch_add_word(&account->limit, bytes);
        return true;
}

bool account_take(struct account *account, word_t bytes)
{
        if (!account_reserve(account, bytes))
                return false;
        account_cut(account, bytes);
        account_return_up(account->parent, bytes);
        return true;
}

/* Frees an account to which nothing is charged. Returns its limit, for the parent. */
static word_t account_end(struct account *account)
{
        const word_t limit = account->limit;

        assert(!account->used && !account->ended);
        account_steps[cpu_number(cpu_self())]++;
        slab_free(&account_cache, account);
        return limit;
}

void account_return_up(struct account *account, word_t bytes)
{
        while (bytes) {
                struct account *const parent = account->parent;
                word_t up = 0;

                if (unlikely(load_once(account->shrinks))) {
                        up = account_cut_unused(account) + bytes;
                        atomic_fetch_add_word(&account->limit, (word_t)0 - bytes);
                        account_steps[cpu_number(cpu_self())]++;
                }
                const word_t used = atomic_fetch_add_word(&account->used, (word_t)0 - bytes);
                assert(used >= bytes);
                if (unlikely(used == bytes) && parent)
                        up += account_end(account);
                account = parent;
                bytes = up;
        }
}

void account_close(struct account *account)
{
        struct account *const parent = account->parent;

        if (parent)
                account_return_up(parent, account_end(account));
}
