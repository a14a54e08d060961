/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores, also those of interrupts. @spec 2.5, 3.4 */
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

/* The lock's value shows whether an operation concerns more than the count. Taking the lock is
 * therefore the only test. */
enum sm_lock {
        SM_FREE,   /* no waiter, no interrupt */
        SM_TAKEN,  /* by a CPU */
        SM_SPECIAL /* free; has waiters and a count of 0, or is an interrupt semaphore */
};

struct sm {
        struct kobject object;
        uint32_t lock; /* enum sm_lock; protects count and waiters; innermost lock */
        uint16_t idle; /* value of the lock while it is free and there is no waiter */
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

/** Finishes an up whose sm_try_lock() returned found: releases the longest waiting EC, or counts
 *  up. Drops the lock. */
void sm_up_slowly(struct sm *sm, uint32_t found);

/** Makes a semaphore that no other CPU can reach yet an interrupt semaphore. */
void sm_set_gsi(struct sm *sm, unsigned gsi);

/** Takes the lock; waits until it is free. */
void sm_lock(struct sm *sm);

/** Drops the lock and sets its value: SM_SPECIAL if there are waiters, else idle. */
void sm_unlock(struct sm *sm);

/** Takes the lock if it is free. Returns the old value, an enum sm_lock. */
static always_inline uint32_t sm_try_lock(struct sm *sm)
{
        const uint32_t found = atomic_exchange_u32(&sm->lock, SM_TAKEN);

        if (KERNEL_CHECKS && found != SM_TAKEN)
                lock_taking(&sm->lock, LOCK_SM);
        return found;
}

/** Drops the lock, which this CPU holds, to SM_FREE or SM_SPECIAL. */
static always_inline void sm_drop_lock(struct sm *sm, uint32_t lock)
{
        lock_dropping(&sm->lock);
        store_once(sm->lock, lock);
}

/** Counts up and returns SM_FREE, or another value for sm_up_slowly(), which follows. */
static always_inline uint32_t sm_try_up(struct sm *sm)
{
        const uint32_t found = sm_try_lock(sm);

        if (unlikely(found != SM_FREE))
                return found;
        sm->count++;
        sm_drop_lock(sm, SM_FREE);
        return SM_FREE;
}

/** Releases the longest waiting EC, or counts up. */
static inline void sm_up(struct sm *sm)
{
        const uint32_t found = sm_try_up(sm);

        if (found != SM_FREE)
                sm_up_slowly(sm, found);
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

/** Finishes a down with a count of 0. Returns true if self is among the waiters now. If self may
 *  not wait, or the semaphore has ended: sets self->wait_status, returns false. Drops the lock. */
bool sm_wait(struct sm *sm, struct ec *self, bool wait);

/** Removes an EC from the waiters of its semaphore. Returns false if it is not among them. */
bool sm_leave(struct ec *ec);

/** Does a step of a semaphore's end: wakes waiters with BAD_CAP. Returns true if none is left. */
bool sm_end_step(struct sm *sm);

#endif
