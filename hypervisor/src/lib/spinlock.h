/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks. A CPU that holds a spin lock has interrupts off.
 *
 * These are ticket locks: CPUs get the lock in the order in which they asked for it. So a CPU waits
 * for each other CPU at most once, even if others take the lock often. */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"
#include "lib/lock_check.h"
#include "lib/types.h"

/* Both fields wrap around. There are fewer CPUs than tickets. */
struct spinlock {
        uint16_t next;    /* ticket that the next CPU draws */
        uint16_t serving; /* ticket of the CPU that holds the lock or may take it */
#if KERNEL_CHECKS
        uint8_t kind; /* enum lock_kind */
#endif
};

/* SPINLOCK() initialises a lock with static storage. spin_set_kind() initialises a lock whose bytes
 * are all zero. */
#if KERNEL_CHECKS
#define SPINLOCK(lock_kind)         \
        {                           \
                .kind = (lock_kind) \
        }
#define spin_set_kind(lock, lock_kind) ((void)((lock)->kind = (lock_kind)))
#else
#define SPINLOCK(lock_kind) \
        {                   \
                0           \
        }
#define spin_set_kind(lock, lock_kind) ((void)(lock))
#endif

static inline void spin_init(struct spinlock *lock, enum lock_kind kind)
{
        lock->next = lock->serving = 0;
        spin_set_kind(lock, kind);
        (void)kind;
}

static inline void spin_acquire(struct spinlock *lock)
{
        const uint16_t ticket = atomic_take_u16(&lock->next);

        while (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket))
                __builtin_ia32_pause();
}

static inline void spin_release(struct spinlock *lock)
{
        atomic_step_u16(&lock->serving);
}

/* These are macros, so that the message about a lock taken in the wrong order names the place in
 * the code. */
#if KERNEL_CHECKS
#define spin_lock(lock)   (lock_taking(lock, (lock)->kind), spin_acquire(lock))
#define spin_unlock(lock) (lock_dropping(lock), spin_release(lock))
#else
#define spin_lock(lock)   spin_acquire(lock)
#define spin_unlock(lock) spin_release(lock)
#endif

#endif
