/* SPDX-License-Identifier: BSD-2-Clause */
/* Global threads: creation, end, join. */
#include "novart/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/error.h"
#include "thread/reap.h"
#include "thread/thread.h"

static const struct nova_thread_attr like_creator = NOVA_THREAD_ATTR_INITIALIZER;

/* Runs on the new thread's stack. */
static void run(void *argument)
{
        struct nova_thread *const self = argument;

        nova_thread_tls((nova_word_t)self);
        /* See create_sc(). */
        if (!nova_program_is_root())
                nova_sm_down(self->park);
        nova_thread_exit_with(self->function(self->argument));
}

static int create_ec(struct nova_thread *thread)
{
        const nova_sel_t events = nova_event_base(thread->cpu);

        if (events == NOVA_SEL_NONE)
                return EAGAIN;

        const nova_word_t sp = nova_thread_stack(thread->stack, thread->stack_bytes, run, thread);
        const enum nova_status status =
                nova_create_ec(thread->ec, nova_program.pd, (nova_word_t)thread->utcb, thread->cpu,
                               sp, events, NOVA_EC_GLOBAL);

        if (status != NOVA_SUCCESS)
                return EAGAIN;
        novart_thread_tell_name(thread);
        return 0;
}

/* Creates the SC. When the SC exists, the thread may have ended and been freed, so the function
 * then accesses no field of the thread. In a child, the thread runs before the program knows
 * whether the SC's capability has arrived, so it waits for a signal before it begins. */
static int create_sc(struct nova_thread *thread, unsigned quantum_us)
{
        const nova_sel_t sc = thread->sc = thread->ec + 1, park = thread->park;
        const int error = nova_sc_create(sc, thread->ec, thread->priority, quantum_us);

        if (error)
                thread->sc = NOVA_SEL_NONE;
        else if (!nova_program_is_root())
                nova_sm_up(park);
        return error;
}

static unsigned priority_of(const struct nova_thread_attr *attr)
{
        const unsigned wanted =
                attr->priority ? attr->priority : nova_thread_priority(nova_thread_self());

        return wanted < nova_program.priority ? wanted : nova_program.priority;
}

static int check(const struct nova_thread_attr *attr, nova_word_t *cpu, size_t *stack_bytes)
{
        *cpu = attr->cpu;
        *stack_bytes = attr->stack_bytes ? attr->stack_bytes : NOVA_THREAD_STACK;
        if (*stack_bytes < NOVA_THREAD_STACK_MIN || attr->priority > NOVA_PRIO_MAX)
                return EINVAL;
        return novart_thread_cpu(cpu);
}

int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument)
{
        nova_word_t cpu;
        size_t stack_bytes;

        if (!attr)
                attr = &like_creator;
        if (check(attr, &cpu, &stack_bytes))
                return EINVAL;
        novart_thread_reap();

        struct nova_thread *const new =
                novart_thread_block_create(stack_bytes, sizeof(*new), attr->name, cpu);

        /* Set before the thread itself may read it. */
        *thread = new;
        if (!new)
                return EAGAIN;
        new->function = function;
        new->argument = argument;
        new->priority = priority_of(attr);
        new->counted = !attr->daemon;
        /* Counted first: the thread may have ended when create_sc() returns. */
        if (!attr->daemon)
                novart_thread_enter();
        if (!create_ec(new) &&
            !create_sc(new, attr->quantum_us ? attr->quantum_us : NOVA_THREAD_QUANTUM))
                return 0;
        *thread = NULL;
        novart_thread_block_destroy(new);
        if (!attr->daemon && !novart_thread_leave())
                exit(EXIT_SUCCESS);
        return EAGAIN;
}

_Noreturn void novart_thread_exit(void *result, void (*end)(int status), int status)
{
        struct nova_thread *const self = nova_thread_self();

        if (novart_thread_objects_end)
                novart_thread_objects_end(self);
        if (novart_thread_keys_end)
                novart_thread_keys_end(self);
        self->result = result;
        if (self->counted && !novart_thread_leave())
                end(status);
        novart_thread_end(self);
}

void nova_thread_exit_with(void *result)
{
        novart_thread_exit(result, exit, EXIT_SUCCESS);
}

/* Makes the caller responsible for freeing a thread, unless another thread is.
 * @return the former state of the thread; with THREAD_JOINED or THREAD_DETACHED, another thread
 *   frees it */
static uint32_t claim(struct nova_thread *thread, enum thread_life as)
{
        uint32_t life = __atomic_load_n(&thread->life, __ATOMIC_ACQUIRE);

        while (!(life & (THREAD_JOINED | THREAD_DETACHED)))
                if (__atomic_compare_exchange_n(&thread->life, &life, life | as, false,
                                                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                        break;
        return life;
}

int nova_thread_join_until(struct nova_thread *thread, void **result, uint64_t deadline)
{
        if (thread == nova_thread_self())
                return EDEADLK;
        if (claim(thread, THREAD_JOINED) & (THREAD_JOINED | THREAD_DETACHED))
                return EINVAL;
        if (nova_semaphore_down_until(&thread->ended, deadline)) {
                __atomic_fetch_and(&thread->life, ~(uint32_t)THREAD_JOINED, __ATOMIC_ACQ_REL);
                return ETIMEDOUT;
        }
        if (result)
                *result = thread->result;
        novart_thread_block_destroy(thread);
        novart_thread_reap();
        return 0;
}

int nova_thread_join(struct nova_thread *thread, void **result)
{
        return nova_thread_join_until(thread, result, NOVA_FOREVER);
}

int nova_thread_detach(struct nova_thread *thread)
{
        const uint32_t life = claim(thread, THREAD_DETACHED);

        if (life & (THREAD_JOINED | THREAD_DETACHED))
                return EINVAL;
        if (life & THREAD_ENDED) {
                nova_semaphore_down(&thread->ended);
                novart_thread_block_destroy(thread);
        }
        return 0;
}
