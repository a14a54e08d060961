/* SPDX-License-Identifier: BSD-2-Clause */
/* The frequency of the TSC that CPUID reports, for machines without a clock to measure it. */
#ifndef ARCH_X86_TOLD_RATE_H
#define ARCH_X86_TOLD_RATE_H

#include "lib/types.h"

/* Leaves of CPUID. A leaf above the last leaf has the data of another leaf. */
struct told_leaves {
        uint32_t last;                /* leaf 0, EAX: number of the last leaf */
        uint32_t divisor, factor, hz; /* leaf 0x15: the TSC runs at hz * factor / divisor */
        uint32_t mhz;                 /* leaf 0x16, EAX: base frequency of the CPU */
        bool has_hypervisor;          /* the following leaves exist */
        uint32_t hypervisor_last;     /* leaf 0x40000000, EAX */
        uint32_t hypervisor_name;     /* leaf 0x40000000, EBX: first letters of the name */
        uint32_t interface;           /* leaf 0x40000001, EAX */
        uint32_t may_access;          /* leaf 0x40000003, EAX: MSRs that the guest may access */
        uint32_t has;                 /* leaf 0x40000003, EDX */
        uint32_t hypervisor_khz;      /* leaf 0x40000010, EAX */
};

/** Returns the frequency of the TSC in kHz; 0: CPUID does not report it. */
uint32_t told_rate_khz(const struct told_leaves *leaves);

/** Returns true if Hyper-V's MSR reports the frequency. */
bool told_rate_by_msr(const struct told_leaves *leaves);

#endif
