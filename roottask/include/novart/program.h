/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program with the runtime knows about itself: a record that start fills in before main().
 */
#ifndef NOVART_PROGRAM_H
#define NOVART_PROGRAM_H

#include <stdbool.h>

#include "nova/abi/hip.h"
#include "novart/start_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/** No selector: what a function returns that found none, and what a root has for a parent. */
#define NOVA_SEL_NONE ((nova_sel_t)-1)

/** The program's own record. Written by start only; everybody may read. */
struct nova_program {
        const char *name; /**< argv[0], or for a child what its parent calls it */
        int argc;         /**< number of arguments, the name included */
        char **argv;      /**< arguments, NULL at the end */
        char **envp;      /**< environment, NULL at the end; getenv() reads it */
        /** The hypervisor information page: the kernel's, or for a child a copy that shows what the
         *  parent grants. */
        const struct nova_hip *hip;
        const struct nova_start_page *start; /**< what the parent handed over; NULL for a root */
        nova_word_t cpu;                     /**< the main thread's CPU */
        uint64_t cpus;                       /**< bit n: threads may be created on CPU number n */
        nova_sel_t pd;                       /**< own PD */
        nova_sel_t ec;                       /**< the main thread's EC */
        nova_sel_t parent; /**< portal to the parent on CPU n: parent + n; NOVA_SEL_NONE: root */
        nova_sel_t fault_base; /**< the parent's event portals for CPU n: fault_base + 32 * n */
        unsigned priority;     /**< the highest that its threads may have */
};

extern struct nova_program nova_program;

/** True if the kernel started the program: there is no parent, and the H flag is honoured. */
static inline bool nova_program_is_root(void)
{
        return !nova_program.start;
}

/** True if a thread of the program may be created on a CPU. */
static inline bool nova_program_has_cpu(nova_word_t cpu)
{
        return cpu < NOVA_CPU_MAX && (nova_program.cpus >> cpu & 1);
}

#ifdef __cplusplus
}
#endif

#endif
