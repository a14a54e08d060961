/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX threads and their attributes. */
#include <pthread.h>

#include "sync/once.h"

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *),
                   void *argument)
{
        pthread_t new;
        const int error = nova_thread_create(&new, attr ? &attr->attr : NULL, function, argument);

        if (error)
                return error;
        *thread = new;
        if (attr && attr->detached)
                nova_thread_detach(new);
        return 0;
}

int pthread_join(pthread_t thread, void **result)
{
        return nova_thread_join(thread, result);
}

int pthread_detach(pthread_t thread)
{
        return nova_thread_detach(thread);
}

void pthread_exit(void *result)
{
        nova_thread_exit_with(result);
}

pthread_t pthread_self(void)
{
        return nova_thread_self();
}

int pthread_equal(pthread_t one, pthread_t other)
{
        return one == other;
}

int pthread_once(pthread_once_t *once, void (*function)(void))
{
        if (novart_once_begin(once->state)) {
                function();
                novart_once_end(once->state, true);
        }
        return 0;
}

int pthread_attr_init(pthread_attr_t *attr)
{
        *attr = (pthread_attr_t){NOVA_THREAD_ATTR_INITIALIZER, PTHREAD_CREATE_JOINABLE};
        return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr)
{
        (void)attr;
        return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t bytes)
{
        if (bytes < PTHREAD_STACK_MIN)
                return EINVAL;
        attr->attr.stack_bytes = bytes;
        return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *bytes)
{
        *bytes = attr->attr.stack_bytes ? attr->attr.stack_bytes : NOVA_THREAD_STACK;
        return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
        if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
                return EINVAL;
        attr->detached = state;
        return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
        *state = attr->detached;
        return 0;
}

int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *param)
{
        if (param->sched_priority < 0 || param->sched_priority > NOVA_PRIO_MAX)
                return EINVAL;
        attr->attr.priority = (unsigned)param->sched_priority;
        return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *param)
{
        param->sched_priority = (int)attr->attr.priority;
        return 0;
}

int pthread_attr_setcpu_np(pthread_attr_t *attr, nova_word_t cpu)
{
        attr->attr.cpu = cpu;
        return 0;
}

int pthread_attr_setname_np(pthread_attr_t *attr, const char *name)
{
        attr->attr.name = name;
        return 0;
}
