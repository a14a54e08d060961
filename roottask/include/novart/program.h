/* SPDX-License-Identifier: BSD-2-Clause */
/* The record about a program with the runtime, which its start code fills in before main().
 */
#ifndef NOVART_PROGRAM_H
#define NOVART_PROGRAM_H

#include <stdbool.h>

#include "nova/abi/hip.h"
#include "novart/start_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/** No selector: the result of a function that found none, and nova_program.parent in a root. */
#define NOVA_SEL_NONE ((nova_sel_t)-1)

/** Exit status of a program that would fail again after a restart, such as a driver whose device is
 * absent. init does not restart it, regardless of its `restart` line. */
#define NOVA_EXIT_FINAL 78

/** The record about the program. Written by the start code only; any thread may read it. */
struct nova_program {
        const char *name; /**< argv[0]; of a child, the name that its parent uses */
        int argc;         /**< number of arguments, including the name */
        char **argv;      /**< arguments, NULL at the end */
        char **envp;      /**< environment, NULL at the end; getenv() reads it */
        /** The hypervisor information page; in a child a copy that shows only its own resources. */
        const struct nova_hip *hip;
        const struct nova_start_page *start; /**< start page from the parent; NULL for a root */
        nova_word_t cpu;                     /**< the main thread's CPU */
        uint64_t cpus;                       /**< bit n: threads may be created on CPU number n */
        nova_sel_t pd;                       /**< own PD */
        nova_sel_t ec;                       /**< the main thread's EC */
        nova_sel_t parent; /**< portal to the parent on CPU n: parent + n; NOVA_SEL_NONE: root */
        nova_sel_t fault_base; /**< the parent's event portals for CPU n: fault_base + 32 * n */
        unsigned priority;     /**< maximum priority of its threads */
};

extern struct nova_program nova_program;

/** Returns true if the kernel started the program. Such a program has no parent, and the kernel
 * accepts the H flag from it. */
static inline bool nova_program_is_root(void)
{
        return !nova_program.start;
}

/**
 * Returns true if a thread of the program may be created on a CPU.
 * @code
 * printf("%s runs on CPU %zu\n", nova_program.name, (size_t)nova_program.cpu);
 * if (nova_program_has_cpu(1))
 *         puts("and may have threads on CPU 1");
 * @endcode
 */
static inline bool nova_program_has_cpu(nova_word_t cpu)
{
        return cpu < NOVA_CPU_MAX && (nova_program.cpus >> cpu & 1);
}

#ifdef __cplusplus
}
#endif

#endif
