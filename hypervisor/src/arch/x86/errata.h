/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata of AMD's CPUs by which a program or a guest can stop the machine. */
#ifndef ARCH_X86_ERRATA_H
#define ARCH_X86_ERRATA_H

#include "lib/types.h"

#define ERRATUM_383 0x1u /* family 10h: pages of two sizes for one address are a machine check */
#define ERRATUM_793 0x2u /* family 16h: locked instructions and write-combining hang the CPU */

/** Returns the errata of a CPU. vendor: ECX of CPUID leaf 0; version: EAX of leaf 1. */
static inline uint32_t errata_of(uint32_t vendor, uint32_t version)
{
        const uint32_t family = version >> 8 & 0xf, more = version >> 20 & 0xff;

        if (vendor != 0x444d4163 || family != 0xf) /* Authenti"cAMD" */
                return 0;
        if (more == 1)
                return ERRATUM_383;
        return more == 7 && !(version >> 16 & 0xf) ? ERRATUM_793 : 0;
}

/** Errata of this machine's CPUs. 0 below a hypervisor, which treats them itself. */
extern uint32_t errata;

/** Treats the errata of this CPU, as AMD's revision guides say. */
void errata_init_cpu(void);

/** Prints a line for each erratum. */
void errata_report(void);

#endif
