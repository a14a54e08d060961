/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks. Interrupts are off whenever one is held.
 *
 * Tickets: who comes first gets the lock first. So a CPU waits for each of the others once at most,
 * however often they take it. */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"
#include "lib/types.h"

/* Both wrap around; there are fewer CPUs than tickets. */
struct spinlock {
        uint16_t next;    /* ticket of the CPU that comes next */
        uint16_t serving; /* ticket of the one that has the lock, or may take it */
};

static inline void spin_init(struct spinlock *lock)
{
        lock->next = lock->serving = 0;
}

static inline void spin_lock(struct spinlock *lock)
{
        uint16_t ticket = 1;

        __asm__ volatile("lock xaddw %0, %1" : "+r"(ticket), "+m"(lock->next) : : "memory");
        while (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket))
                __builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *lock)
{
        /* Only the holder writes it: a plain increment by one instruction, which stores of before
         * precede. */
        __asm__ volatile("incw %0" : "+m"(lock->serving) : : "memory");
}

#endif
