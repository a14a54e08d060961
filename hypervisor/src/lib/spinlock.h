/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks. Interrupts are off whenever one is held. */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"
#include "lib/types.h"

struct spinlock {
        uint32_t taken;
};

static inline void spin_init(struct spinlock *lock)
{
        lock->taken = 0;
}

static inline void spin_lock(struct spinlock *lock)
{
        if (likely(!atomic_exchange_u32(&lock->taken, 1)))
                return;
        do {
                while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
                        __builtin_ia32_pause();
        } while (atomic_exchange_u32(&lock->taken, 1));
}

static inline void spin_unlock(struct spinlock *lock)
{
        __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#endif
