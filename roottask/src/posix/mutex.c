/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX mutexes. The holder is recorded for all kinds, so that a condition can release the
 * mutex. */
#include <pthread.h>

#include "posix/deadline.h"

static bool is_mine(const pthread_mutex_t *mutex)
{
        return __atomic_load_n(&mutex->mutex.holder, __ATOMIC_RELAXED) == nova_thread_self();
}

static int lock_until(pthread_mutex_t *mutex, uint64_t deadline)
{
        if (mutex->type == PTHREAD_MUTEX_RECURSIVE)
                return nova_recursive_mutex_lock_until(&mutex->mutex, deadline);
        if (mutex->type == PTHREAD_MUTEX_ERRORCHECK && is_mine(mutex))
                return EDEADLK;

        const int error = nova_mutex_lock_until(&mutex->mutex.mutex, deadline);

        if (!error)
                __atomic_store_n(&mutex->mutex.holder, nova_thread_self(), __ATOMIC_RELAXED);
        return error;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
        *mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        if (attr)
                mutex->type = attr->type;
        return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
        return __atomic_load_n(&mutex->mutex.mutex.state, __ATOMIC_RELAXED) ? EBUSY : 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
        return lock_until(mutex, NOVA_FOREVER);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
        if (mutex->type == PTHREAD_MUTEX_RECURSIVE)
                return nova_recursive_mutex_try(&mutex->mutex) ? 0 : EBUSY;
        if (!nova_mutex_try(&mutex->mutex.mutex))
                return EBUSY;
        __atomic_store_n(&mutex->mutex.holder, nova_thread_self(), __ATOMIC_RELAXED);
        return 0;
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time)
{
        uint64_t deadline;

        if (!pthread_mutex_trylock(mutex))
                return 0;
        if (novart_deadline_of(CLOCK_REALTIME, time, &deadline))
                return EINVAL;
        return lock_until(mutex, deadline);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
        if (mutex->type != PTHREAD_MUTEX_NORMAL && !is_mine(mutex))
                return EPERM;
        nova_recursive_mutex_unlock(&mutex->mutex);
        return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
        attr->type = PTHREAD_MUTEX_DEFAULT;
        return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
        (void)attr;
        return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type)
{
        if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
                return EINVAL;
        attr->type = type;
        return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type)
{
        *type = attr->type;
        return 0;
}
