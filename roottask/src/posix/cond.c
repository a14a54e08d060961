/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX conditions. */
#include <pthread.h>

#include "posix/deadline.h"

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t deadline)
{
        struct nova_recursive_mutex *const inner = &mutex->mutex;

        __atomic_store_n(&inner->holder, NULL, __ATOMIC_RELAXED);

        const int error = nova_cond_wait_until(&cond->cond, &inner->mutex, deadline);

        __atomic_store_n(&inner->holder, nova_thread_self(), __ATOMIC_RELAXED);
        return error;
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
        *cond = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
        if (attr)
                cond->clock = attr->clock;
        return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond)
{
        return cond->cond.queue.first ? EBUSY : 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
        return wait_until(cond, mutex, NOVA_FOREVER);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time)
{
        uint64_t deadline;

        if (novart_deadline_of(cond->clock, time, &deadline))
                return EINVAL;
        return wait_until(cond, mutex, deadline);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
        nova_cond_signal(&cond->cond);
        return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
        nova_cond_broadcast(&cond->cond);
        return 0;
}

int pthread_condattr_init(pthread_condattr_t *attr)
{
        attr->clock = CLOCK_REALTIME;
        return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr)
{
        (void)attr;
        return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
                return EINVAL;
        attr->clock = clock;
        return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *attr, clockid_t *clock)
{
        *clock = attr->clock;
        return 0;
}
