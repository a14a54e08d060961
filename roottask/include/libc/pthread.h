/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of POSIX threads: threads, mutexes, conditions, keys, once. Functions return 0 or an errno
 * value, unless their comments name another result. Cancellation and signals do not exist. Times
 * are those of CLOCK_REALTIME, unless a condition has the attribute CLOCK_MONOTONIC. */
#ifndef NOVART_PTHREAD_H
#define NOVART_PTHREAD_H

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "novart/sync.h"
#include "novart/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Attributes of a new thread. */
struct nova_pthread_attr {
        struct nova_thread_attr attr; /**< attributes for the runtime's own functions */
        int detached;                 /**< PTHREAD_CREATE_JOINABLE or PTHREAD_CREATE_DETACHED */
};

#define PTHREAD_CREATE_JOINABLE 0
#define PTHREAD_CREATE_DETACHED 1

/** Smallest stack of a thread, in bytes. */
#define PTHREAD_STACK_MIN NOVA_THREAD_STACK_MIN

/** A mutex. */
typedef struct {
        struct nova_recursive_mutex mutex; /**< the mutex; records its holder for every kind */
        int type;                          /**< PTHREAD_MUTEX_… */
} pthread_mutex_t;

/** Attributes of a mutex. */
typedef struct {
        int type; /**< PTHREAD_MUTEX_… */
} pthread_mutexattr_t;

#define PTHREAD_MUTEX_NORMAL     0
#define PTHREAD_MUTEX_RECURSIVE  1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT    PTHREAD_MUTEX_NORMAL

#define PTHREAD_MUTEX_INITIALIZER                                       \
        {                                                               \
                NOVA_RECURSIVE_MUTEX_INITIALIZER, PTHREAD_MUTEX_DEFAULT \
        }

/** A condition. */
typedef struct {
        struct nova_cond cond; /**< condition of the runtime */
        clockid_t clock;       /**< clock of pthread_cond_timedwait(); 0: CLOCK_REALTIME */
} pthread_cond_t;

/** Attributes of a condition. */
typedef struct {
        clockid_t clock; /**< clock of pthread_cond_timedwait() */
} pthread_condattr_t;

#define PTHREAD_COND_INITIALIZER         \
        {                                \
                NOVA_COND_INITIALIZER, 0 \
        }

/** Identifies thread-specific data: each thread has its own value for the key. */
typedef unsigned pthread_key_t;

/** Maximum number of keys of a program. */
#define PTHREAD_KEYS_MAX 64

/** Maximum number of rounds of destructors at a thread's end; a destructor may set values again. */
#define PTHREAD_DESTRUCTOR_ITERATIONS 4

/** Control of a function that runs once. */
typedef struct {
        unsigned char state[8]; /**< private to the runtime */
} pthread_once_t;

#define PTHREAD_ONCE_INIT \
        {                 \
                {         \
                        0 \
                }         \
        }

/** Creates a thread. @retval EAGAIN no more memory, addresses, selectors or kernel memory
 *  @retval EINVAL an attribute is out of range */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *),
                   void *argument);

/** Waits for a thread's end. @retval EDEADLK the thread is the caller @retval EINVAL it is
 * detached, or another thread joins it */
int pthread_join(pthread_t thread, void **result);

/** Detaches a thread. @retval EINVAL it is detached, or another thread joins it */
int pthread_detach(pthread_t thread);

/** Ends the calling thread. The end of the program's last thread is exit(0); for the threads that
 * count, see nova_thread_exit_with(). */
__attribute__((noreturn)) void pthread_exit(void *result);

/** Returns the calling thread. */
pthread_t pthread_self(void);

/** Returns a value other than 0 if both are the same thread. */
int pthread_equal(pthread_t one, pthread_t other);

/** Initialises attributes: the creator's CPU and priority, joinable. */
int pthread_attr_init(pthread_attr_t *attr);

/** Does nothing. */
int pthread_attr_destroy(pthread_attr_t *attr);

/** Sets the size of the stack. @retval EINVAL @p bytes is less than PTHREAD_STACK_MIN */
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t bytes);

/** Gets the size of the stack in bytes. */
int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *bytes);

/** Sets whether the thread starts joinable or detached. @param state PTHREAD_CREATE_JOINABLE or
 * PTHREAD_CREATE_DETACHED @retval EINVAL it is neither */
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);

/** Gets PTHREAD_CREATE_JOINABLE or PTHREAD_CREATE_DETACHED. */
int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state);

/** Sets the priority. @param param sched_priority: 1 to 255, or 0 for the creator's
 * @retval EINVAL the priority is out of range */
int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *param);

/** Gets the priority, 0 for the creator's. */
int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *param);

/** Sets the CPU on which the thread runs. Not POSIX. @param cpu its number, or NOVA_CPU_SELF for
 * the creator's */
int pthread_attr_setcpu_np(pthread_attr_t *attr, nova_word_t cpu);

/** Sets the name of the thread. Not POSIX. @param name copied when a thread is created; must be
 * valid until then */
int pthread_attr_setname_np(pthread_attr_t *attr, const char *name);

/** Initialises a mutex, of kind PTHREAD_MUTEX_DEFAULT if @p attr is NULL. */
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);

/** Destroys a mutex. @retval EBUSY it is locked */
int pthread_mutex_destroy(pthread_mutex_t *mutex);

/** Locks a mutex. Waits while another thread holds it; a thread that locks a normal mutex twice
 * waits for ever. @retval EDEADLK the caller holds it already (PTHREAD_MUTEX_ERRORCHECK) */
int pthread_mutex_lock(pthread_mutex_t *mutex);

/** Locks a mutex if it is free. @retval EBUSY it is locked */
int pthread_mutex_trylock(pthread_mutex_t *mutex);

/** Locks a mutex, waiting at most until @p time (CLOCK_REALTIME).
 * @retval ETIMEDOUT it was not free by then
 * @retval EINVAL @p time is not valid @retval EDEADLK as for pthread_mutex_lock() */
int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time);

/** Unlocks a mutex. @retval EPERM the caller does not hold it; not detected for a normal mutex */
int pthread_mutex_unlock(pthread_mutex_t *mutex);

/** Initialises attributes: PTHREAD_MUTEX_DEFAULT. */
int pthread_mutexattr_init(pthread_mutexattr_t *attr);

/** Does nothing. */
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);

/** Sets the kind of a mutex. @param type PTHREAD_MUTEX_… @retval EINVAL there is no such kind */
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type);

/** Gets the kind of a mutex. @param[out] type PTHREAD_MUTEX_… */
int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type);

/** Initialises a condition, with CLOCK_REALTIME if @p attr is NULL. */
int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);

/** Destroys a condition. @retval EBUSY a thread waits for it */
int pthread_cond_destroy(pthread_cond_t *cond);

/** Waits for a signal. Before and after the call, the caller holds @p mutex, locked once. */
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/** Waits like pthread_cond_wait(), at most until @p time on the condition's clock.
 * @retval ETIMEDOUT no signal came by then
 * @retval EINVAL    @p time is not valid */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time);

/** Wakes one waiting thread. */
int pthread_cond_signal(pthread_cond_t *cond);

/** Wakes all waiting threads. */
int pthread_cond_broadcast(pthread_cond_t *cond);

/** Initialises attributes: CLOCK_REALTIME. */
int pthread_condattr_init(pthread_condattr_t *attr);

/** Does nothing. */
int pthread_condattr_destroy(pthread_condattr_t *attr);

/** Sets the clock of pthread_cond_timedwait(). @param clock CLOCK_REALTIME or CLOCK_MONOTONIC
 * @retval EINVAL it is neither */
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock);

/** Gets the clock of pthread_cond_timedwait(). @param[out] clock CLOCK_REALTIME or
 * CLOCK_MONOTONIC */
int pthread_condattr_getclock(const pthread_condattr_t *attr, clockid_t *clock);

/** Creates a key, whose value is NULL in all threads. @param destructor called with each value
 * other than NULL when its thread ends; may be NULL @retval EAGAIN PTHREAD_KEYS_MAX keys exist */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));

/** Deletes a key without calling destructors. @retval EINVAL there is no such key */
int pthread_key_delete(pthread_key_t key);

/** Returns the calling thread's value, or NULL. */
void *pthread_getspecific(pthread_key_t key);

/** Sets the calling thread's value. @retval EINVAL there is no such key @retval ENOMEM no memory
 * for the thread's values */
int pthread_setspecific(pthread_key_t key, const void *value);

/** Calls @p function unless a thread has already done so for @p once. Returns after @p function has
 * returned, even if another thread called it. */
int pthread_once(pthread_once_t *once, void (*function)(void));

#ifdef __cplusplus
}
#endif

#endif
