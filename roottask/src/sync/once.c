/* SPDX-License-Identifier: BSD-2-Clause */
/* One-time initialisation. One mutex and one condition variable serve all objects, because the
 * mutex is held only briefly. */
#include "sync/once.h"

#include "novart/sync.h"

enum { DONE, BUSY }; /* bytes of the state */

static struct nova_mutex mutex;
static struct nova_cond changed;

bool novart_once_begin(unsigned char *state)
{
        if (__atomic_load_n(&state[DONE], __ATOMIC_ACQUIRE))
                return false;
        nova_mutex_lock(&mutex);
        while (state[BUSY])
                nova_cond_wait(&changed, &mutex);

        const bool mine = !state[DONE];

        state[BUSY] = mine;
        nova_mutex_unlock(&mutex);
        return mine;
}

void novart_once_end(unsigned char *state, bool done)
{
        nova_mutex_lock(&mutex);
        __atomic_store_n(&state[DONE], done, __ATOMIC_RELEASE);
        state[BUSY] = false;
        nova_mutex_unlock(&mutex);
        nova_cond_broadcast(&changed);
}
