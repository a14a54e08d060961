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

/* The lock says whether there is more to an operation than the count, so that taking it is the
 * only test. */
enum sm_lock {
        SM_FREE,   /* no waiter, no interrupt */
        SM_TAKEN,  /* by a CPU */
        SM_SPECIAL /* free; there are waiters, with a count of 0, or it stands for an interrupt */
};

struct sm {
        struct kobject object;
        uint32_t lock; /* enum sm_lock; protects count and waiters; nothing is taken below it */
        uint16_t idle; /* … its value while it is free and has no waiter */
        int16_t gsi;   /* interrupt that this one stands for, or SM_NO_GSI */
        word_t count;
        struct list waiters; /* ECs by ec.wait_link, the longest waiting first */
        char name[NOVA_NAME_SIZE];
};

_Static_assert(sizeof(struct sm) <= 64, "an operation looks at one cache line of a semaphore");

/** Prepares the cache. Once, at boot. */
void sm_boot(void);

/** A semaphore charged to an account. OUT_OF_MEMORY. */
enum nova_status sm_create(struct account *account, word_t count, struct sm **out);

/** The rest of an up that found the lock as it says: releases the longest waiting EC, or counts up.
 *  Drops the lock. */
void sm_up_slowly(struct sm *sm, uint32_t found);

/** A semaphore of no one yet stands for an interrupt from now on. */
void sm_set_gsi(struct sm *sm, unsigned gsi);

/** Waits for the lock. */
void sm_lock(struct sm *sm);

/** Drops it. */
void sm_unlock(struct sm *sm);

/** Takes the lock, unless it was found taken; enum sm_lock. */
static always_inline uint32_t sm_try_lock(struct sm *sm)
{
        const uint32_t found = atomic_exchange_u32(&sm->lock, SM_TAKEN);

        if (KERNEL_CHECKS && found != SM_TAKEN)
                lock_taking(&sm->lock, LOCK_SM);
        return found;
}

/** Sets the lock, which this CPU holds, to one of the other two. */
static always_inline void sm_drop_lock(struct sm *sm, uint32_t lock)
{
        lock_dropping(&sm->lock);
        store_once(sm->lock, lock);
}

/** Counts up and returns SM_FREE, or what else sm_try_lock() found, and sm_up_slowly() follows. */
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

/** Counts down, or to zero, and returns true. With a count of 0: false, and sm_wait() follows. The
 *  lock is still held. */
static always_inline bool sm_count_down(struct sm *sm, bool zero)
{
        if (unlikely(!sm->count))
                return false;
        sm->count = zero ? 0 : sm->count - 1;
        return true;
}

/** The rest of a down: self is among the waiters, true. When the semaphore has ended, or self may
 *  not wait: false, and self->wait_status says so. Drops the lock. */
bool sm_wait(struct sm *sm, struct ec *self, bool wait);

/** Takes an EC that waits no longer out of the waiters; false: it is none of them. */
bool sm_leave(struct ec *ec);

/** A step of the end of a semaphore: waiters wake with BAD_CAP; true when none is left. */
bool sm_end_step(struct sm *sm);

#endif
