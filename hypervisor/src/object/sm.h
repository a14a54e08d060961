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

/** Releases the longest waiting EC, or counts up. */
void sm_up(struct sm *sm);

/** Counts down, or to zero, and returns true; with a count of 0 self waits, false. When it has
 *  ended, or self may not wait: true, and self->wait_status says so. */
bool sm_down(struct sm *sm, struct ec *self, bool zero, bool wait);

/** Takes an EC that waits no longer out of the waiters; false: it is none of them. */
bool sm_leave(struct ec *ec);

/** A step of the end of a semaphore: who waits wakes with BAD_CAP; true when nobody is left. */
bool sm_end_step(struct sm *sm);

/** Frees an ended or never published semaphore. */
void sm_free(struct sm *sm);

#endif
