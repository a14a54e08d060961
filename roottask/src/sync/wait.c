/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of waiting threads. Each thread waits on a semaphore of its own, which gets exactly one up
 * for each grant. A thread with a grant continues only after that up, even if it discovers the
 * grant by itself. Until then, the thread and its waiter stay in memory. */
#include "sync/wait.h"

#include "nova/arch/tsc.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "thread/thread.h"

/* Number of attempts after which a thread sleeps to let the guard's holder run, and the time of its
 * first sleep: 1/16 ms. Each further sleep is twice as long as the one before, until the time has
 * doubled GUARD_STEPS times. On a busy machine, a short sleep may end before the holder runs. */
#define GUARD_TRIES 200
#define GUARD_SLEEP 16
#define GUARD_STEPS 8

/* Sleeps for a moment. The sleep is never cut short: ups of grants that arrive before or during the
 * sleep are restored afterwards. */
static void step_aside(unsigned step)
{
        const nova_sel_t park = nova_thread_self()->park;
        const uint64_t ticks = (uint64_t)nova_program.hip->tsc_khz / GUARD_SLEEP << step;
        const uint64_t deadline = nova_rdtsc() + ticks;
        unsigned taken = 0;

        while (nova_sm_down_until(park, 0, deadline) == NOVA_SUCCESS)
                taken++;
        while (taken--)
                nova_sm_up(park);
}

void novart_wait_guard(struct nova_wait_queue *queue)
{
        unsigned tries = 0, step = 0;

        while (__atomic_exchange_n(&queue->guard, 1, __ATOMIC_ACQUIRE)) {
                __builtin_ia32_pause();
                if (++tries % GUARD_TRIES)
                        continue;
                step_aside(step);
                step += step < GUARD_STEPS;
        }
}

void novart_wait_release(struct nova_wait_queue *queue)
{
        __atomic_store_n(&queue->guard, 0, __ATOMIC_RELEASE);
}

void novart_wait_append(struct nova_wait_queue *queue, struct nova_waiter *waiter)
{
        waiter->thread = nova_thread_self();
        waiter->granted = false;
        waiter->next = NULL;
        waiter->prev = queue->last;
        if (queue->last)
                queue->last->next = waiter;
        else
                queue->first = waiter;
        queue->last = waiter;
}

void novart_wait_remove(struct nova_wait_queue *queue, struct nova_waiter *waiter)
{
        if (waiter->prev)
                waiter->prev->next = waiter->next;
        else
                queue->first = waiter->next;
        if (waiter->next)
                waiter->next->prev = waiter->prev;
        else
                queue->last = waiter->prev;
}

struct nova_thread *novart_wait_grant(struct nova_wait_queue *queue)
{
        struct nova_waiter *const waiter = queue->first;

        if (!waiter)
                return NULL;
        novart_wait_remove(queue, waiter);
        waiter->granted = true;
        return waiter->thread;
}

struct nova_waiter *novart_wait_grant_all(struct nova_wait_queue *queue)
{
        struct nova_waiter *const first = queue->first;

        for (struct nova_waiter *waiter = first; waiter; waiter = waiter->next)
                waiter->granted = true;
        queue->first = queue->last = NULL;
        return first;
}

void novart_wait_wake(struct nova_thread *thread)
{
        nova_sm_up(thread->park);
}

bool novart_wait_park(const struct nova_waiter *waiter, uint64_t deadline)
{
        const nova_sel_t park = waiter->thread->park;

        if (deadline == NOVA_FOREVER)
                return nova_sm_down(park) == NOVA_SUCCESS;
        return nova_sm_down_until(park, 0, deadline) == NOVA_SUCCESS;
}

bool novart_wait_give_up(struct nova_wait_queue *queue, struct nova_waiter *waiter)
{
        const bool granted = waiter->granted;

        if (!granted)
                novart_wait_remove(queue, waiter);
        novart_wait_release(queue);
        if (granted)
                nova_sm_down(waiter->thread->park); /* the up will arrive */
        return !granted;
}
