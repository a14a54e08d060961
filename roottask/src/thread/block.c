/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates the stack, block, thread-local variables, UTCB and semaphore of a thread, including the
 * main thread. */
#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/error.h"
#include "novart/layout.h"
#include "novart/parent.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "thread/thread.h"

/* Thread-local variables, defined by the linker: the start of their initial values, the end of
 * those that are not 0, the end of all variables, and their alignment. */
extern const char __tls_begin[], __tls_file_end[], __tls_end[], __tls_align[];

#define BLOCK_ALIGN 64

static size_t variables_size(void)
{
        return (size_t)(__tls_end - __tls_begin);
}

/* Initialises a thread's variables. The linker expects them directly below the block, aligned. */
static void copy_variables(struct nova_thread *thread)
{
        const size_t align = (size_t)__tls_align;
        const size_t size = (variables_size() + align - 1) & -align;

        memcpy((char *)thread - size, __tls_begin, (size_t)(__tls_file_end - __tls_begin));
        thread->stack_bytes = (nova_word_t)((char *)thread - size) - (nova_word_t)thread->stack;
        thread->stack_bytes &= ~(size_t)15;
}

static void set_name(struct nova_thread *thread, const char *name)
{
        if (!name)
                name = "thread";
        for (unsigned i = 0; i < THREAD_NAME_SIZE - 1 && name[i]; i++)
                thread->name[i] = name[i];
        nova_region_name(thread->stack, thread->name);
}

void novart_thread_tell_name(const struct nova_thread *thread)
{
        char name[NOVA_NAME_SIZE] = {0};

        for (unsigned i = 0; i < sizeof(name) && thread->name[i]; i++)
                name[i] = thread->name[i];
        nova_name_set(thread->ec, name);
}

static bool commits_stacks; /* set before other threads exist */

void nova_thread_commit_stacks(void)
{
        commits_stacks = true;
}

static size_t block_align(void)
{
        const size_t align = (size_t)__tls_align;

        return align > BLOCK_ALIGN ? align : BLOCK_ALIGN;
}

/* Returns the number of bytes at the end of a stack that a block of @p bytes and the variables
 * need, including alignment. */
static size_t above_stack(size_t bytes)
{
        return bytes + variables_size() + 2 * block_align();
}

nova_word_t novart_thread_spare_stack(nova_word_t end)
{
        return (end - above_stack(sizeof(struct nova_handler))) & ~(nova_word_t)15;
}

/* Creates a stack with a thread's block at its end. Its pages are zero. */
static struct nova_thread *make_stack(size_t stack_bytes, size_t bytes)
{
        const size_t align = block_align();
        const size_t size =
                (stack_bytes + above_stack(bytes) + NOVA_PAGE_SIZE - 1) & -(size_t)NOVA_PAGE_SIZE;

        if (size < stack_bytes)
                return NULL;

        void *const stack = nova_stack_alloc(size);

        if (!stack)
                return NULL;
        /* The last pages are always committed. The main thread's block is written before page
         * faults are served, and a thread needs some memory to end when memory is exhausted. */
        const nova_word_t end = (nova_word_t)stack + size;
        const nova_word_t spare = novart_thread_spare_stack(end) - THREAD_SPARE;
        const nova_word_t from = commits_stacks ? (nova_word_t)stack : spare;

        if (from >= (nova_word_t)stack && nova_region_commit((void *)from, end - from)) {
                nova_region_free(stack);
                return NULL;
        }

        struct nova_thread *const thread =
                (void *)(((nova_word_t)stack + size - bytes) & -(nova_word_t)align);

        thread->self = thread;
        thread->stack = stack;
        copy_variables(thread);
        return thread;
}

struct nova_thread *novart_thread_block_create(size_t stack_bytes, size_t bytes, const char *name,
                                               nova_word_t cpu)
{
        struct nova_thread *const thread = make_stack(stack_bytes, bytes);

        if (!thread)
                return NULL;
        thread->reent = &thread->own_reent;
        _REENT_INIT_PTR_ZEROED(thread->reent);
        set_name(thread, name);
        thread->cpu = cpu;
        thread->utcb = nova_region_reserve(NOVA_PAGE_SIZE);
        if (!thread->utcb)
                goto free_stack;
        thread->ec = nova_sel_alloc(2);
        if (thread->ec == NOVA_SEL_NONE)
                goto free_utcb;
        thread->sc = NOVA_SEL_NONE;
        thread->park = thread->ec + 2;
        if (nova_create_sm(thread->park, nova_program.pd, 0) != NOVA_SUCCESS)
                goto free_selectors;
        return thread;

free_selectors:
        nova_sel_free(thread->ec, 2);
free_utcb:
        nova_region_free(thread->utcb);
free_stack:
        nova_region_free(thread->stack);
        return NULL;
}

int novart_thread_cpu(nova_word_t *cpu)
{
        if (*cpu == NOVA_CPU_SELF)
                *cpu = nova_thread_cpu();
        return nova_program_has_cpu(*cpu) ? 0 : EINVAL;
}

static struct nova_thread *main_thread;

/* The objects are freed first: no instruction of the thread may run when its memory is freed. */
void novart_thread_block_destroy(struct nova_thread *thread)
{
        if (thread == main_thread)
                return;
        if (thread->sc != NOVA_SEL_NONE && !nova_program_is_root())
                nova_parent_sc_drop(thread->sc);
        nova_sel_release(thread->ec, 2);
        nova_region_free(thread->utcb);
        nova_region_free(thread->stack);
}

int novart_thread_make_main(nova_word_t *stack)
{
        /* The C library's record of its first thread is not in the block. */
        const size_t bytes = offsetof(struct nova_thread, own_reent);
        const size_t above = above_stack(bytes);
        const size_t whole = NOVA_LAYOUT_MAIN_STACK;
        struct nova_thread *const thread =
                make_stack(above < whole / 2 ? whole - above : whole, bytes);

        if (!thread)
                return ENOMEM;
        set_name(thread, "main");
        thread->reent = _GLOBAL_REENT;
        thread->cpu = nova_program.cpu;
        thread->ec = nova_program.ec;
        thread->counted = true;
        thread->sc = nova_program_is_root() ? NOVA_SEL_ROOT_SC : NOVA_SEL_NONE;
        thread->priority = nova_program_is_root() ? 1 : nova_program.priority;
        thread->utcb = nova_program_is_root()
                               ? (void *)((nova_word_t)nova_program.hip - NOVA_PAGE_SIZE)
                               : (void *)nova_program.start->utcb;
        thread->park = nova_sel_alloc(0);
        if (thread->park == NOVA_SEL_NONE)
                return ENOMEM;
        main_thread = thread;
        *stack = (nova_word_t)thread->stack + thread->stack_bytes;
        return nova_errno_of(nova_create_sm(thread->park, nova_program.pd, 0));
}

int novart_thread_main_running(void)
{
        return nova_errno_of(nova_thread_tls((nova_word_t)main_thread));
}
