/* SPDX-License-Identifier: BSD-2-Clause */
/* The locks that a CPU holds, and their order. Only the debug kernel records them. */
#ifndef LIB_LOCK_CHECK_H
#define LIB_LOCK_CHECK_H

#include "lib/assert.h"
#include "lib/types.h"

/* The rows of the table of locks in docs/kernel/locking.md. */
enum lock_kind {
        LOCK_UNKNOWN, /* not initialised */
        LOCK_SPACE,
        LOCK_PD,
        LOCK_FAMILY,
        LOCK_SM,
        LOCK_RECLAIM,
        LOCK_SLAB,
        LOCK_FRAME,
        LOCK_IO_APIC,
        LOCK_REMAP,
        LOCK_UNIT,
        LOCK_REPORT,
        LOCK_RATE,
        LOCK_PCID,
        LOCK_CONSOLE,
        LOCK_KINDS
};

#if KERNEL_CHECKS

/* The locks that a CPU holds, in the order in which it took them. */
#define LOCKS_HELD 6
struct locks_held {
        const void *lock[LOCKS_HELD];
        uint8_t kind[LOCKS_HELD];
        unsigned count;
};

/** Call before this CPU takes a lock. Stops the kernel if the CPU must not take it now. */
void lock_check_taking(const void *lock, enum lock_kind kind, const char *file, unsigned line);

/** Call before this CPU drops a lock. Stops the kernel if the CPU does not hold it. */
void lock_check_dropping(const void *lock, const char *file, unsigned line);

/** Returns true if this CPU holds a lock. */
bool lock_check_held(const void *lock);

/** Returns true if this CPU holds any lock. */
bool lock_check_any(void);

#define lock_taking(lock, kind) lock_check_taking(lock, kind, __FILE__, __LINE__)
#define lock_dropping(lock)     lock_check_dropping(lock, __FILE__, __LINE__)
#define assert_held(lock)       assert(lock_check_held(lock))
#define assert_no_lock()        assert(!lock_check_any())

#else

#define lock_taking(lock, kind) ((void)0)
#define lock_dropping(lock)     ((void)0)
#define assert_held(lock)       ((void)sizeof(lock))
#define assert_no_lock()        ((void)0)

#endif
#endif
