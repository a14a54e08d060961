/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread-specific values by key. A thread's array is allocated with its first value. */
#include <pthread.h>
#include <stdlib.h>

#include "thread/thread.h"

/* A key. When its slot is used again, the new key has another turn number, so values that threads
 * set for the old key are ignored. */
struct key {
        void (*destructor)(void *);
        unsigned turn; /* odd while the key exists */
};

struct thread_value {
        void *value;
        unsigned turn; /* turn of the key when the value was set */
};

static struct key keys[PTHREAD_KEYS_MAX];
static struct nova_mutex mutex;

/* Returns the key's turn, an even number if the key does not exist. */
static unsigned turn_of(pthread_key_t key)
{
        return key < PTHREAD_KEYS_MAX ? __atomic_load_n(&keys[key].turn, __ATOMIC_ACQUIRE) : 0;
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
        int error = EAGAIN;

        nova_mutex_lock(&mutex);
        for (pthread_key_t i = 0; error && i < PTHREAD_KEYS_MAX; i++) {
                if (keys[i].turn % 2)
                        continue;
                keys[i].destructor = destructor;
                __atomic_store_n(&keys[i].turn, keys[i].turn + 1, __ATOMIC_RELEASE);
                *key = i;
                error = 0;
        }
        nova_mutex_unlock(&mutex);
        return error;
}

int pthread_key_delete(pthread_key_t key)
{
        int error = EINVAL;

        nova_mutex_lock(&mutex);
        if (turn_of(key) % 2) {
                __atomic_store_n(&keys[key].turn, keys[key].turn + 1, __ATOMIC_RELEASE);
                error = 0;
        }
        nova_mutex_unlock(&mutex);
        return error;
}

void *pthread_getspecific(pthread_key_t key)
{
        const struct thread_value *const values = nova_thread_self()->values;
        const unsigned turn = turn_of(key);

        return values && turn % 2 && values[key].turn == turn ? values[key].value : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
        struct nova_thread *const self = nova_thread_self();
        const unsigned turn = turn_of(key);

        if (turn % 2 == 0)
                return EINVAL;
        if (!self->values && !value)
                return 0;
        if (!self->values)
                self->values = calloc(PTHREAD_KEYS_MAX, sizeof(*self->values));
        if (!self->values)
                return ENOMEM;
        self->values[key] = (struct thread_value){(void *)value, turn};
        return 0;
}

/* Returns the destructor of the key for which a value was set, if the key still exists. Takes the
 * lock, because another thread may replace the key with a new one. */
static void (*destructor_of(pthread_key_t key, unsigned turn))(void *)
{
        void (*destructor)(void *) = NULL;

        nova_mutex_lock(&mutex);
        if (turn % 2 && turn == turn_of(key))
                destructor = keys[key].destructor;
        nova_mutex_unlock(&mutex);
        return destructor;
}

/* Clears each value, and calls its destructor.
 * @return true if a destructor was called */
static bool destroy_values(struct thread_value *values)
{
        bool any = false;

        for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
                const struct thread_value old = values[key];
                void (*destructor)(void *);

                if (!old.value)
                        continue;
                values[key].value = NULL;
                destructor = destructor_of(key, old.turn);
                if (!destructor)
                        continue;
                destructor(old.value);
                any = true;
        }
        return any;
}

void novart_thread_keys_end(struct nova_thread *thread)
{
        if (!thread->values)
                return;
        for (unsigned i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_values(thread->values);
             i++)
                continue;
        free(thread->values);
        thread->values = NULL;
}
