/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions by which a thread reads its own properties and those of other threads. */
#include "arch/storage.h"
#include "thread/thread.h"

struct nova_thread *nova_thread_self(void)
{
        return storage_self();
}

const char *nova_thread_name(const struct nova_thread *thread)
{
        return thread->name;
}

struct nova_utcb *nova_thread_utcb(void)
{
        return storage_self()->utcb;
}

nova_word_t nova_thread_cpu(void)
{
        return storage_self()->cpu;
}

void nova_thread_on_fault(struct nova_thread *thread, void (*function)(void *argument),
                          void *argument)
{
        thread->on_fault_argument = argument;
        thread->on_fault = function;
}

nova_sel_t nova_thread_ec(const struct nova_thread *thread)
{
        return thread->ec;
}

nova_sel_t nova_thread_sc(const struct nova_thread *thread)
{
        return thread->sc;
}

unsigned nova_thread_priority(const struct nova_thread *thread)
{
        return thread->priority;
}

void nova_thread_stack_bounds(nova_word_t *begin, nova_word_t *end)
{
        const struct nova_thread *const self = storage_self();

        *begin = (nova_word_t)self->stack;
        *end = *begin + self->stack_bytes;
}

struct _reent *__getreent(void)
{
        return storage_self()->reent;
}
