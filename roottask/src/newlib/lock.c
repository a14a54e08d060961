/* SPDX-License-Identifier: BSD-2-Clause */
/* The C library's locks: static ones with names, and those of streams, which are allocated. */
#include <stdlib.h>
#include <sys/lock.h>

#include "novart/sync.h"

struct __lock {
        struct nova_recursive_mutex mutex;
};

/* Locks whose names the C library's headers define: one for each part of the library that several
 * threads may use. */
struct __lock __lock___sinit_recursive_mutex, __lock___sfp_recursive_mutex,
        __lock___atexit_recursive_mutex, __lock___at_quick_exit_mutex,
        __lock___malloc_recursive_mutex, __lock___env_recursive_mutex, __lock___tz_mutex,
        __lock___dd_hash_mutex, __lock___arc4random_mutex;

/* Lock that streams share if there was no memory for locks of their own. */
static struct __lock shared;

void __retarget_lock_init(_LOCK_T *lock)
{
        struct __lock *const new = calloc(1, sizeof(*new));

        *lock = new ? new : &shared;
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
        __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
        if (lock != &shared)
                free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
        __retarget_lock_close(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
        nova_recursive_mutex_lock(&lock->mutex);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
        nova_recursive_mutex_lock(&lock->mutex);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
        return nova_recursive_mutex_try(&lock->mutex);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
        return nova_recursive_mutex_try(&lock->mutex);
}

void __retarget_lock_release(_LOCK_T lock)
{
        nova_recursive_mutex_unlock(&lock->mutex);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
        nova_recursive_mutex_unlock(&lock->mutex);
}
