/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs and memory, from the information page. */
#include <nova/hip.h>
#include <novart/program.h>
#include <stdio.h>

#include "inspect.h"

#define MIB (UINT64_C(1) << 20)

/* Returns the bytes and counts the ranges of memory. Parts of it belong to the kernel and to boot
 * modules. */
static uint64_t memory(unsigned *ranges)
{
        struct nova_hip_mem mem;
        uint64_t bytes = 0;

        *ranges = 0;
        for (unsigned i = 0; nova_hip_get_mem(nova_program.hip, i, &mem); i++) {
                if (mem.type != NOVA_MEM_AVAILABLE)
                        continue;
                bytes += nova_hip_mem_end(&mem) - mem.addr;
                ++*ranges;
        }
        return bytes;
}

static const char *virtual_cpus(void)
{
        if (nova_hip_has(nova_program.hip, NOVA_HIP_SVM))
                return "with virtual CPUs (AMD SVM)";
        if (nova_hip_has(nova_program.hip, NOVA_HIP_VMX))
                return "with virtual CPUs (Intel VMX)";
        return "without virtual CPUs, so it runs no guests";
}

void machine_print(void)
{
        unsigned ranges;
        const uint64_t bytes = memory(&ranges);

        printf("# CPUs: %u, %s.\n", nova_hip_cpu_count(nova_program.hip), virtual_cpus());
        printf("# Memory: %llu MiB in %u range%s.\n", (unsigned long long)(bytes / MIB), ranges,
               ranges == 1 ? "" : "s");
}

void machine_describe(void)
{
        unsigned ranges;

        /* Firmware keeps a little of the installed memory, so the size is rounded up. */
        printf("machine\n        cpus %u\n        memory %lluM\n",
               nova_hip_cpu_count(nova_program.hip),
               (unsigned long long)((memory(&ranges) + MIB - 1) / MIB));
}
