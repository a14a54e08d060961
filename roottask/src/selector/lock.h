/* SPDX-License-Identifier: BSD-2-Clause */
/* The lock below everything else: it needs nothing of the calling thread but its stack.
 *
 * Who takes it first has it, the others wait at its semaphore in the order of their coming. Holders
 * must not fault: lock_take() touches the stack that they may need, and what they work on has its
 * memory already. Order: selectors or regions, then pages, then mapper. */
#ifndef NOVA_ROOTTASK_LOCK_H
#define NOVA_ROOTTASK_LOCK_H

#include "nova/hypercall.h"

struct lock {
        uint32_t users; /* number of threads that hold or wait for it; atomic */
        nova_sel_t sm;  /* of the kernel's semaphore */
};

/* Bytes of stack that holders and what they call may use. */
#define LOCK_STACK 2048

/* Makes the semaphore at a free selector. */
static inline enum nova_status lock_init(struct lock *lock, nova_sel_t sm, nova_sel_t pd)
{
        lock->users = 0;
        lock->sm = sm;
        return nova_create_sm(sm, pd, 0);
}

/* A page fault of the stack, down to LOCK_STACK below the caller's, comes now or not at all. */
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
