/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from the first instruction to main(), and from its return to exit(). */
#include "start/start.h"

#include <stdlib.h>
#include <unistd.h>

#include "memory/mapper.h"
#include "memory/memory.h"
#include "start/parent.h"
#include "thread/thread.h"

int main(int argc, char **argv, char **envp);

typedef void start_function(void);

/* Made by the linker from the program's constructors and destructors. */
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
        if (program_read_arguments())
                program_end(EXIT_FAILURE);
        environ = nova_program.envp;
        if (&__fini_array_end[0] > &__fini_array_start[0] && atexit(run_destructors))
                program_end(EXIT_FAILURE);
        run_forwards(__preinit_array_start, __preinit_array_end);
        run_forwards(__init_array_start, __init_array_end);
        exit(main(nova_program.argc, nova_program.argv, nova_program.envp));
}

void start_program(const void *page, nova_word_t cpu)
{
        nova_word_t stack;

        program_read(page, cpu);
        if (!nova_program_is_root() && parent_begin())
                program_end(EXIT_FAILURE);
        if (memory_start())
                program_end(EXIT_FAILURE);
        if (nova_program_is_root())
                serial_init();
        if (thread_make_main(&stack) || thread_main_running())
                program_end(EXIT_FAILURE);
        mapper_tls_ready();
        /* From now on memory comes when it is touched. */
        if (nova_event_base(nova_program.cpu) == NOVA_SEL_NONE)
                program_end(EXIT_FAILURE);
        start_on_stack(stack, run_main);
}
