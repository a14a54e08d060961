/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores, including interrupt semaphores. @spec 2.5, 3.4 */
#ifndef OBJECT_SM_H
#define OBJECT_SM_H

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/lock_check.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"
#include "object/object.h"

struct ec;

#define SM_NO_GSI (-1)

/* The lock is a ticket lock, as in lib/spinlock.h. While the lock is free, the bit SM_SPECIAL of
 * the turn is inverted if an operation must do more than change the count: if the semaphore has
 * waiters, or is an interrupt semaphore. In this case no ticket equals the turn. So one comparison
 * shows a CPU both that it has the lock and that it has to change only the count. A CPU that waits
 * for its turn ignores the bit. */
#define SM_SPECIAL 0x8000

struct sm {
        struct kobject object;
        uint16_t next; /* ticket that the next CPU draws */
        uint16_t turn; /* ticket of the CPU that has the lock or may take it; see SM_SPECIAL. The
                        * lock protects count and waiters and is the innermost lock */
        uint16_t idle; /* SM_SPECIAL if the bit is inverted even without waiters; else 0 */
        int16_t gsi;   /* the interrupt of an interrupt semaphore, or SM_NO_GSI */
        word_t count;
        struct list waiters; /* ECs by ec.wait_link, the longest waiting first */
        char name[NOVA_NAME_SIZE];
};

_Static_assert(sizeof(struct sm) <= 64, "an operation looks at one cache line of a semaphore");

/** Prepares the slab cache of semaphores. Call once, at boot. */
void sm_boot(void);

/** Creates a semaphore and charges it to an account. @return SUCCESS or OUT_OF_MEMORY */
enum nova_status sm_create(struct account *account, word_t count, struct sm **out);

/** Finishes an up whose sm_try_up() returned false: releases the longest waiting EC, or counts up.
 */
void sm_up_slowly(struct sm *sm, uint16_t ticket);

/** Turns a semaphore into an interrupt semaphore. No other CPU can reach the semaphore yet. */
void sm_set_gsi(struct sm *sm, unsigned gsi);

/** Draws a ticket. Returns true if this CPU has the lock and the operation changes only the count.
 * Otherwise sm_await() must follow. */
static always_inline bool sm_enter(struct sm *sm, uint16_t *ticket)
{
        *ticket = atomic_take_u16(&sm->next);
        if (unlikely(sm->turn != *ticket)) /* read after the ticket was drawn */
                return false;
        __atomic_signal_fence(__ATOMIC_ACQUIRE); /* the CPU keeps the order of loads */
        lock_taking(&sm->turn, LOCK_SM);
        return true;
}

/** Waits for the lock after sm_enter() has returned false. */
void sm_await(struct sm *sm, uint16_t ticket);

/** Drops the lock after sm_enter() has returned true, if sm_enter() may also return true for the
 * next CPU. */
static always_inline void sm_leave_plain(struct sm *sm)
{
        lock_dropping(&sm->turn);
        atomic_step_u16(&sm->turn);
}

/** Takes the lock; waits until it is free. */
void sm_lock(struct sm *sm);

/** Drops the lock. */
void sm_unlock(struct sm *sm);

/** Counts up and returns true, if an up must do no more. Otherwise returns false, and the caller
 * must call sm_up_slowly(). */
static always_inline bool sm_try_up(struct sm *sm, uint16_t *ticket)
{
        if (unlikely(!sm_enter(sm, ticket)))
                return false;
        sm->count++;
        sm_leave_plain(sm);
        return true;
}

/** Releases the longest waiting EC, or counts up. */
static inline void sm_up(struct sm *sm)
{
        uint16_t ticket;

        if (!sm_try_up(sm, &ticket))
                sm_up_slowly(sm, ticket);
}

/** Counts down by one or to zero and returns true. Returns false if the count is 0; sm_wait() must
 *  follow. The lock is still held. */
static always_inline bool sm_count_down(struct sm *sm, bool zero)
{
        if (unlikely(!sm->count))
                return false;
        sm->count = zero ? 0 : sm->count - 1;
        return true;
}

/** Finishes a down with a count of 0. Returns true if self is now among the waiters. Returns false,
 * and sets self->wait_status, if self may not wait or the semaphore has ended. Drops the lock. */
bool sm_wait(struct sm *sm, struct ec *self, bool wait);

/** Removes an EC from the waiters of its semaphore. Returns false if it is not among them. */
bool sm_leave(struct ec *ec);

/** Does a step of a semaphore's end: wakes waiters with BAD_CAP. Returns true if none is left. */
bool sm_end_step(struct sm *sm);

#endif
