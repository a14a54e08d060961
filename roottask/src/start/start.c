/* SPDX-License-Identifier: BSD-2-Clause */
/* The path from the first instruction to main(), and from its return to exit(). */
#include "start/start.h"

#include <stdlib.h>
#include <unistd.h>

#include "memory/mapper.h"
#include "memory/memory.h"
#include "start/parent.h"
#include "thread/thread.h"

int main(int argc, char **argv, char **envp);

typedef void start_function(void);

/* The program's constructors and destructors, defined by the linker. */
extern start_function *__preinit_array_start[], *__preinit_array_end[];
extern start_function *__init_array_start[], *__init_array_end[];
extern start_function *__fini_array_start[], *__fini_array_end[];

static void run_forwards(start_function **begin, start_function **end)
{
        for (start_function **function = begin; function < end; function++)
                (*function)();
}

static void run_destructors(void)
{
        for (start_function **function = __fini_array_end; function > __fini_array_start;)
                (*--function)();
}

static void run_main(void)
{
        if (novart_program_read_arguments())
                novart_program_end(EXIT_FAILURE);
        environ = nova_program.envp;
        if (&__fini_array_end[0] > &__fini_array_start[0] && atexit(run_destructors))
                novart_program_end(EXIT_FAILURE);
        run_forwards(__preinit_array_start, __preinit_array_end);
        run_forwards(__init_array_start, __init_array_end);
        exit(main(nova_program.argc, nova_program.argv, nova_program.envp));
}

void novart_start_program(const void *page, nova_word_t cpu)
{
        nova_word_t stack;

        novart_program_read(page, cpu);
        if (!nova_program_is_root() && novart_parent_begin())
                novart_program_end(EXIT_FAILURE);
        if (novart_memory_start())
                novart_program_end(EXIT_FAILURE);
        if (nova_program_is_root())
                novart_serial_init();
        if (novart_thread_make_main(&stack) || novart_thread_main_running())
                novart_program_end(EXIT_FAILURE);
        novart_mapper_tls_ready();
        /* Now lazy memory is committed on first touch. */
        if (nova_event_base(nova_program.cpu) == NOVA_SEL_NONE)
                novart_program_end(EXIT_FAILURE);
        novart_start_on_stack(stack, run_main);
}
