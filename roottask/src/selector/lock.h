/* SPDX-License-Identifier: BSD-2-Clause */
/* The lock on which all other parts are built; it needs only the stack of the calling thread. A
 * thread that finds the lock held waits at the lock's semaphore; waiting threads get the lock in
 * the order of their arrival. A holder must not fault. So a thread that may fault on its stack
 * calls novart_lock_touch_stack() before it takes the lock. The data that holders use is mapped
 * already.
 *
 * Order: selectors or regions, then pages, then mapper. */
#ifndef NOVA_ROOTTASK_LOCK_H
#define NOVA_ROOTTASK_LOCK_H

#include "nova/hypercall.h"

struct lock {
        uint32_t users; /* number of threads that hold the lock or wait for it; atomic */
        nova_sel_t sm;  /* selector of the kernel's semaphore */
};

/* Bytes of stack that holders and the functions they call may use. */
#define LOCK_STACK 2048

/* Creates the semaphore at a free selector. */
static inline enum nova_status lock_init(struct lock *lock, nova_sel_t sm, nova_sel_t pd)
{
        lock->users = 0;
        lock->sm = sm;
        return nova_create_sm(sm, pd, 0);
}

/* Touches the stack down to LOCK_STACK below the caller's frame, so that its page faults happen
 * before the lock is held. */
void novart_lock_touch_stack(void);

static inline void lock_take(struct lock *lock)
{
        if (__atomic_fetch_add(&lock->users, 1, __ATOMIC_ACQUIRE))
                nova_sm_down(lock->sm);
}

static inline void lock_drop(struct lock *lock)
{
        if (__atomic_fetch_sub(&lock->users, 1, __ATOMIC_RELEASE) > 1)
                nova_sm_up(lock->sm);
}

#endif
