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
        sm->next = sm->turn = sm->idle = 0;
        sm->count = count;
        list_init(&sm->waiters);
        sm->gsi = SM_NO_GSI;
        name_clear(sm->name);
        *out = sm;
        return NOVA_SUCCESS;
}

static cold_path void sm_spin(const struct sm *sm, uint16_t ticket)
{
        while ((load_once(sm->turn) ^ ticket) & (SM_SPECIAL - 1))
                __builtin_ia32_pause();
}

/* Waits for the turn of a ticket. Afterwards SM_SPECIAL may still be inverted in the turn. */
static always_inline void sm_await_turn(struct sm *sm, uint16_t ticket)
{
        lock_taking(&sm->turn, LOCK_SM);
        if (unlikely((sm->turn ^ ticket) & (SM_SPECIAL - 1)))
                sm_spin(sm, ticket);
        __atomic_signal_fence(__ATOMIC_ACQUIRE);
}

void sm_await(struct sm *sm, uint16_t ticket)
{
        sm_await_turn(sm, ticket);
        store_once(sm->turn, ticket); /* no other CPU has this ticket */
}

__attribute__((noinline)) void sm_lock(struct sm *sm)
{
        uint16_t ticket;

        if (!sm_enter(sm, &ticket))
                sm_await(sm, ticket);
}

/* Drops the lock of a semaphore that has waiters or an interrupt. */
static always_inline void sm_leave_special(struct sm *sm)
{
        lock_dropping(&sm->turn);
        store_once(sm->turn, (uint16_t)(sm->turn + SM_SPECIAL + 1));
}

void sm_unlock(struct sm *sm)
{
        if (sm->idle || !list_is_empty(&sm->waiters))
                sm_leave_special(sm);
        else
                sm_leave_plain(sm);
}

/* Drops the lock after sm_await_turn(). */
static always_inline void sm_pass_on(struct sm *sm, uint16_t ticket)
{
        const unsigned special = unlikely(!list_is_empty(&sm->waiters)) ? SM_SPECIAL : sm->idle;

        lock_dropping(&sm->turn);
        store_once(sm->turn, (uint16_t)(ticket + 1 + special));
}

void sm_set_gsi(struct sm *sm, unsigned gsi)
{
        sm->gsi = (int16_t)gsi;
        sm->idle = SM_SPECIAL;
        sm->turn = sm->next ^ SM_SPECIAL;
}

/* Removes and returns the first waiter of a list that is not empty. The waiter cannot end while the
 * lock is held. */
static struct ec *sm_first_waiter(struct sm *sm)
{
        assert_held(&sm->turn);
        assert(!sm->count && !list_is_empty(&sm->waiters));
        struct ec *ec = container_of(list_take(&sm->waiters), struct ec, wait_link);
        assert(ec->wait_sm == sm);
        ec->wait_sm = NULL;
        return ec;
}

void sm_up_slowly(struct sm *sm, uint16_t ticket)
{
        sm_await_turn(sm, ticket);
        if (unlikely(list_is_empty(&sm->waiters))) {
                sm->count++;
                sm_pass_on(sm, ticket);
                return;
        }
        struct ec *ec = sm_first_waiter(sm);
        sm_pass_on(sm, ticket);
        sched_wake(ec);
}

bool sm_wait(struct sm *sm, struct ec *self, bool wait)
{
        assert_held(&sm->turn);
        if (unlikely(sm->object.dead)) /* its end has woken all waiters */
                self->wait_status = NOVA_BAD_CAP;
        else if (!wait)
                self->wait_status = NOVA_COM_TIM;
        else {
                assert(!sm->count && !self->wait_sm);
                self->wait_status = NOVA_SUCCESS;
                list_append(&sm->waiters, &self->wait_link);
                self->wait_sm = sm;
                sm_leave_special(sm);
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

/* Wakes waiters, as many as one step allows. Returns true if none is left. */
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
        uint16_t ticket;

        sm->object.dead = true;
        if (unlikely(!sm_enter(sm, &ticket))) {
                sm_await(sm, ticket);
                sm_unlock(sm);
                return sm_wake_waiters(sm);
        }
        sm_leave_plain(sm);
        return true;
}
