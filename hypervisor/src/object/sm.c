/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores (see sm.h). */
#include "object/sm.h"

#include "lib/string.h"
#include "memory/slab.h"
#include "object/ec.h"
#include "sched/wake.h"

#define END_STEP 16 /* waiters that are woken with interrupts off */

static struct slab_cache sm_cache;

void sm_boot(void)
{
        object_boot(&sm_cache, sizeof(struct sm));
}

enum nova_status sm_create(struct account *account, word_t count, struct sm **out)
{
        struct sm *sm = object_alloc(&sm_cache, account);

        if (!sm)
                return NOVA_OUT_OF_MEMORY;
        object_init(&sm->object, OBJECT_SM, account);
        spin_init(&sm->lock);
        sm->count = count;
        list_init(&sm->waiters);
        sm->gsi = SM_NO_GSI;
        memset(sm->name, 0, sizeof(sm->name));
        *out = sm;
        return NOVA_SUCCESS;
}

/* Takes the first waiter, there is one; under the lock, so that its end cannot pass by. */
static struct ec *first_waiter(struct sm *sm)
{
        struct ec *ec = container_of(sm->waiters.next, struct ec, wait_link);
        list_remove(&ec->wait_link);
        ec->wait_sm = NULL;
        return ec;
}

__attribute__((noinline)) void sm_release(struct sm *sm)
{
        struct ec *ec = first_waiter(sm);

        spin_unlock(&sm->lock);
        sched_wake(ec);
}

bool sm_wait(struct sm *sm, struct ec *self, bool wait)
{
        if (unlikely(sm->object.dead)) /* whoever ends it has seen to all waiters */
                self->wait_status = NOVA_BAD_CAP;
        else if (!wait)
                self->wait_status = NOVA_COM_TIM;
        else {
                self->wait_status = NOVA_SUCCESS;
                list_append(&sm->waiters, &self->wait_link);
                self->wait_sm = sm;
                spin_unlock(&sm->lock);
                return true;
        }
        spin_unlock(&sm->lock);
        return false;
}

bool sm_leave(struct ec *ec)
{
        struct sm *sm = load_once(ec->wait_sm);

        if (!sm)
                return false;
        spin_lock(&sm->lock);
        const bool waits = ec->wait_sm == sm;
        if (waits) {
                list_remove(&ec->wait_link);
                ec->wait_sm = NULL;
        }
        spin_unlock(&sm->lock);
        return waits;
}

bool sm_end_step(struct sm *sm)
{
        bool left = true;

        sm->object.dead = true;
        for (unsigned i = 0; i < END_STEP && left; i++) {
                spin_lock(&sm->lock);
                left = !list_is_empty(&sm->waiters);
                struct ec *ec = left ? first_waiter(sm) : NULL;
                if (left)
                        ec->wait_status = NOVA_BAD_CAP;
                spin_unlock(&sm->lock);
                if (left)
                        sched_wake(ec);
        }
        return !left;
}

void sm_free(struct sm *sm)
{
        object_release(&sm_cache, sm->object.account, sm);
}
