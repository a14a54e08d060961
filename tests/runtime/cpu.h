/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs that a program may use, one after the other. */
#ifndef TESTS_RUNTIME_CPU_H
#define TESTS_RUNTIME_CPU_H

#include "novart/program.h"

/** Returns the CPU after @p cpu; the first one comes after the last. */
static inline nova_word_t next_cpu(nova_word_t cpu)
{
        do
                cpu = (cpu + 1) % NOVA_CPU_MAX;
        while (!nova_program_has_cpu(cpu));
        return cpu;
}

#endif
