/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata of CPUs by which a program or a guest can stop the machine. */
#ifndef ARCH_X86_ERRATA_H
#define ARCH_X86_ERRATA_H

#include "arch/x86/msr.h"
#include "lib/types.h"

#define ERRATUM_383  0x1u /* AMD family 10h: pages of two sizes for one address: machine check */
#define ERRATUM_793  0x2u /* AMD family 16h: locked instructions, write-combining: the CPU hangs */
#define ERRATUM_CODE 0x4u /* Intel: code in pages of two sizes for one address: machine check */

/** Returns true for Intel's models of family 6, except Atoms and Xeon Phis. These models have
 * CVE-2018-12207 ("iTLB multihit"), unless IA32_ARCH_CAPABILITIES says that they do not. */
static inline bool errata_has_code_sizes(uint32_t version)
{
        static const uint8_t without[] = {0x1c, 0x26, 0x27, 0x35, 0x36, 0x37, 0x4a, 0x4c,
                                          0x4d, 0x57, 0x5a, 0x5c, 0x5d, 0x5f, 0x65, 0x6e,
                                          0x75, 0x7a, 0x85, 0x86, 0x96, 0x9c};
        const uint32_t model = (version >> 4 & 0xf) | (version >> 12 & 0xf0);

        for (unsigned i = 0; i < array_size(without); i++)
                if (model == without[i])
                        return false;
        return (version >> 8 & 0xf) == 6;
}

/** Returns the errata of a CPU. vendor: ECX of CPUID leaf 0; version: EAX of leaf 1; capabilities:
 * IA32_ARCH_CAPABILITIES, or 0 if the CPU has no such MSR. */
static inline uint32_t errata_of(uint32_t vendor, uint32_t version, uint64_t capabilities)
{
        const uint32_t family = version >> 8 & 0xf, more = version >> 20 & 0xff;

        if (vendor == 0x6c65746e && !(capabilities & ARCH_CAPS_PSCHANGE_MC_NO)) /* GenuineI"ntel" */
                return errata_has_code_sizes(version) ? ERRATUM_CODE : 0;
        if (vendor != 0x444d4163 || family != 0xf) /* Authenti"cAMD" */
                return 0;
        if (more == 1)
                return ERRATUM_383;
        return more == 7 && !(version >> 16 & 0xf) ? ERRATUM_793 : 0;
}

/** Errata of this machine's CPUs. 0 under a hypervisor, which works around them itself. Each CPU
 * adds its own errata during its start. */
extern uint32_t errata;

/** Returns the errata of the CPU that executes this, even under a hypervisor. */
uint32_t errata_own(void);

/** Finds the errata of this CPU, and works around 383 and 793 as AMD's revision guides describe.
 * page_table.c works around ERRATUM_CODE for programs, vmx.c for guests. */
void errata_init_cpu(void);

/** Prints a line for each erratum. */
void errata_report(void);

#endif
