/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU on which the kernel's search for errata runs. */
#ifndef UNIT_PLATFORM_ERRATA_CPU_H
#define UNIT_PLATFORM_ERRATA_CPU_H

#include "lib/types.h"

struct errata_cpu {
        uint32_t vendor, version; /* ECX of CPUID leaf 0, EAX of leaf 1 */
        bool has_hypervisor, has_capabilities;
        uint64_t capabilities;           /* IA32_ARCH_CAPABILITIES */
        unsigned treats_383, treats_793; /* numbers of writes */
};

extern struct errata_cpu errata_cpu;

#endif
