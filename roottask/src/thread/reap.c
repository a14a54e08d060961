/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends threads, and frees the resources of detached ones.
 *
 * A thread cannot free the stack on which it runs. The thread that joins it frees the stack. A
 * detached thread puts itself into a list when it ends; the next thread that creates or joins a
 * thread, or that ends, frees all threads in the list. Before a thread's memory is freed, its EC is
 * ended: when the revocation returns, the EC does not run any more, on any CPU. So a thread that
 * has published its end may be stopped at any instruction, and other threads must not depend on its
 * later instructions. */
#include "thread/reap.h"

#include <stdlib.h>

#include "nova/hypercall.h"
#include "thread/thread.h"

/* Pushed by compare-and-swap, taken as a whole by exchange. */
static struct nova_thread *ended;

/* Number of threads that have not ended; handlers and daemons do not count. Never less than 1: the
 * last thread still counts while it ends the program, so that functions registered by atexit() may
 * create threads. */
static unsigned living = 1;

void novart_thread_enter(void)
{
        __atomic_add_fetch(&living, 1, __ATOMIC_RELAXED);
}

bool novart_thread_leave(void)
{
        unsigned count = __atomic_load_n(&living, __ATOMIC_ACQUIRE);

        do {
                if (count == 1)
                        return false;
        } while (!__atomic_compare_exchange_n(&living, &count, count - 1, true, __ATOMIC_ACQ_REL,
                                              __ATOMIC_ACQUIRE));
        return true;
}

void novart_thread_reap(void)
{
        struct nova_thread *thread = __atomic_exchange_n(&ended, NULL, __ATOMIC_ACQ_REL);

        while (thread) {
                struct nova_thread *const next = thread->next;

                novart_thread_block_destroy(thread);
                thread = next;
        }
}

static void leave_to_others(struct nova_thread *self)
{
        self->next = __atomic_load_n(&ended, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&ended, &self->next, self, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED))
                continue;
}

_Noreturn void novart_thread_end(struct nova_thread *self)
{
        if (self->reent != _GLOBAL_REENT)
                _reclaim_reent(self->reent);
        novart_thread_reap();
        if (__atomic_fetch_or(&self->life, THREAD_ENDED, __ATOMIC_ACQ_REL) & THREAD_DETACHED)
                leave_to_others(self);
        else
                nova_semaphore_up(&self->ended);
        for (;;)
                nova_thread_exit();
}
