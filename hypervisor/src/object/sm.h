/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores, also those of interrupts. @spec 2.5, 3.4 */
#ifndef OBJECT_SM_H
#define OBJECT_SM_H

#include "lib/list.h"
#include "lib/spinlock.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"
#include "object/object.h"

struct ec;

#define SM_NO_GSI (-1)

struct sm {
        struct kobject object;
        struct spinlock lock; /* protects count and waiters; nothing is taken below it */
        word_t count;
        struct list waiters; /* ECs by ec.wait_link, the longest waiting first */
        char name[NOVA_NAME_SIZE];
        int gsi; /* interrupt that this one stands for, or SM_NO_GSI */
};

/** Prepares the cache. Once, at boot. */
void sm_boot(void);

/** A semaphore charged to an account. OUT_OF_MEMORY. */
enum nova_status sm_create(struct account *account, word_t count, struct sm **out);

/** The rest of an up that finds waiters: releases the one that waits longest. Drops the lock. */
void sm_release(struct sm *sm);

/** Releases the longest waiting EC and returns true, or counts up. */
static always_inline bool sm_up(struct sm *sm)
{
        spin_lock(&sm->lock);
        if (unlikely(!list_is_empty(&sm->waiters))) {
                sm_release(sm);
                return true;
        }
        sm->count++;
        spin_unlock(&sm->lock);
        return false;
}

/** Counts down, or to zero, and returns true. With a count of 0: false, and sm_wait() follows, for
 *  the lock is still held. */
static always_inline bool sm_down(struct sm *sm, bool zero)
{
        spin_lock(&sm->lock);
        if (unlikely(!sm->count))
                return false;
        sm->count = zero ? 0 : sm->count - 1;
        spin_unlock(&sm->lock);
        return true;
}

/** The rest of a down: self is among the waiters, true. When the semaphore has ended, or self may
 *  not wait: false, and self->wait_status says so. Drops the lock. */
bool sm_wait(struct sm *sm, struct ec *self, bool wait);

/** Takes an EC that waits no longer out of the waiters; false: it is none of them. */
bool sm_leave(struct ec *ec);

/** A step of the end of a semaphore: who waits wakes with BAD_CAP; true when nobody is left. */
bool sm_end_step(struct sm *sm);

/** Frees an ended or never published semaphore. */
void sm_free(struct sm *sm);

#endif
