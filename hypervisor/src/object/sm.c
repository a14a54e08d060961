/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores (see sm.h). */
#include "object/sm.h"

#include "lib/assert.h"
#include "object/ec.h"
#include "object/name.h"
#include "sched/wake.h"

#define END_STEP 16 /* waiters that one step wakes */

void sm_boot(void)
{
        object_boot(OBJECT_SM, sizeof(struct sm));
}

enum nova_status sm_create(struct account *account, word_t count, struct sm **out)
{
        struct sm *sm = object_alloc(OBJECT_SM, account);

        if (!sm)
                return NOVA_OUT_OF_MEMORY;
        object_init(&sm->object, OBJECT_SM, account);
        sm->lock = sm->idle = SM_FREE;
        sm->count = count;
        list_init(&sm->waiters);
        sm->gsi = SM_NO_GSI;
        name_clear(sm->name);
        *out = sm;
        return NOVA_SUCCESS;
}

__attribute__((noinline)) void sm_lock(struct sm *sm)
{
        while (sm_try_lock(sm) == SM_TAKEN)
                while (load_once(sm->lock) == SM_TAKEN)
                        __builtin_ia32_pause();
}

void sm_unlock(struct sm *sm)
{
        uint32_t lock = sm->idle;

        if (unlikely(!list_is_empty(&sm->waiters)))
                lock = SM_SPECIAL;
        sm_drop_lock(sm, lock);
}

void sm_set_gsi(struct sm *sm, unsigned gsi)
{
        sm->gsi = (int16_t)gsi;
        sm->lock = sm->idle = SM_SPECIAL;
}

/* Removes and returns the first waiter; there is one. The lock keeps the waiter from ending. */
static struct ec *sm_first_waiter(struct sm *sm)
{
        assert_held(&sm->lock);
        assert(!sm->count && !list_is_empty(&sm->waiters));
        struct ec *ec = container_of(list_take(&sm->waiters), struct ec, wait_link);
        assert(ec->wait_sm == sm);
        ec->wait_sm = NULL;
        return ec;
}

void sm_up_slowly(struct sm *sm, uint32_t found)
{
        if (unlikely(found == SM_TAKEN))
                sm_lock(sm);
        if (unlikely(list_is_empty(&sm->waiters))) {
                sm->count++;
                sm_unlock(sm);
                return;
        }
        struct ec *ec = sm_first_waiter(sm);
        sm_unlock(sm);
        sched_wake(ec);
}

bool sm_wait(struct sm *sm, struct ec *self, bool wait)
{
        assert_held(&sm->lock);
        if (unlikely(sm->object.dead)) /* its end has woken all waiters */
                self->wait_status = NOVA_BAD_CAP;
        else if (!wait)
                self->wait_status = NOVA_COM_TIM;
        else {
                assert(!sm->count && !self->wait_sm);
                self->wait_status = NOVA_SUCCESS;
                list_append(&sm->waiters, &self->wait_link);
                self->wait_sm = sm;
                sm_drop_lock(sm, SM_SPECIAL);
                return true;
        }
        sm_unlock(sm);
        return false;
}

bool sm_leave(struct ec *ec)
{
        struct sm *sm = load_once(ec->wait_sm);

        if (!sm)
                return false;
        sm_lock(sm);
        const bool waits = ec->wait_sm == sm;
        if (waits) {
                list_unlink(&ec->wait_link);
                ec->wait_sm = NULL;
        }
        sm_unlock(sm);
        return waits;
}

/* Wakes one step's number of the waiters. Returns true if none is left. */
static __attribute__((noinline)) bool sm_wake_waiters(struct sm *sm)
{
        bool left = true;

        for (unsigned i = 0; i < END_STEP && left; i++) {
                sm_lock(sm);
                left = !list_is_empty(&sm->waiters);
                struct ec *ec = left ? sm_first_waiter(sm) : NULL;
                if (left)
                        ec->wait_status = NOVA_BAD_CAP;
                sm_unlock(sm);
                if (left)
                        sched_wake(ec);
        }
        return !left;
}

bool sm_end_step(struct sm *sm)
{
        sm->object.dead = true;
        const uint32_t found = sm_try_lock(sm);
        if (found != SM_TAKEN)
                sm_drop_lock(sm, found);
        return likely(found == SM_FREE) || sm_wake_waiters(sm);
}
