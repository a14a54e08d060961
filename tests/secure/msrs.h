/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs that a secure guest can access, in the order of guest_msr.h. The policy is stated here a
 * second time, so that a change of the library's table cannot widen it unnoticed. */
#ifndef NOVA_TESTS_SECURE_MSRS_H
#define NOVA_TESTS_SECURE_MSRS_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_msr.h"

#define MSR_BOTH (GUEST_MSR_READ | GUEST_MSR_WRITE)

struct msr_row {
        uint32_t first, last;
        uint32_t access;
        bool of_amd; /* only AMD CPUs have it */
};

static const struct msr_row msr_rows[] = {
        {0x10, 0x10, MSR_BOTH, false},                   /* time-stamp counter */
        {0x17, 0x17, MSR_BOTH, false},                   /* platform identity */
        {0x1b, 0x1b, MSR_BOTH, false},                   /* base of the local APIC */
        {0x8b, 0x8b, MSR_BOTH, false},                   /* version of the microcode */
        {0xfe, 0xfe, GUEST_MSR_READ, false},             /* MTRR capabilities */
        {0x174, 0x176, MSR_BOTH, false},                 /* SYSENTER */
        {0x179, 0x179, GUEST_MSR_READ, false},           /* machine-check capabilities */
        {0x17a, 0x17a, MSR_BOTH, false},                 /* machine-check status */
        {0x1a0, 0x1a0, MSR_BOTH, false},                 /* IA32_MISC_ENABLE */
        {0x1d9, 0x1d9, MSR_BOTH, false},                 /* IA32_DEBUGCTL */
        {0x200, 0x20f, MSR_BOTH, false},                 /* variable MTRRs */
        {0x250, 0x250, MSR_BOTH, false},                 /* fixed MTRRs, and IA32_PAT */
        {0x258, 0x259, MSR_BOTH, false},                 /* … */
        {0x268, 0x26f, MSR_BOTH, false},                 /* … */
        {0x277, 0x277, MSR_BOTH, false},                 /* … */
        {0x2ff, 0x2ff, MSR_BOTH, false},                 /* default memory type */
        {0xc0000080, 0xc0000084, MSR_BOTH, false},       /* EFER, SYSCALL */
        {0xc0000100, 0xc0000103, MSR_BOTH, false},       /* FS, GS, KernelGSbase, TSC_AUX */
        {0xc0010000, 0xc0010007, MSR_BOTH, true},        /* performance counters; they read 0 */
        {0xc0010010, 0xc0010010, MSR_BOTH, true},        /* SYSCFG */
        {0xc0010015, 0xc0010015, MSR_BOTH, true},        /* HWCR */
        {0xc001001a, 0xc001001a, MSR_BOTH, true},        /* TOP_MEM */
        {0xc001001d, 0xc001001d, MSR_BOTH, true},        /* TOP_MEM2 */
        {0xc001001f, 0xc001001f, MSR_BOTH, true},        /* NB_CFG */
        {0xc0010055, 0xc0010055, MSR_BOTH, true},        /* interrupts pending */
        {0xc0010112, 0xc0010113, MSR_BOTH, true},        /* TSEG */
        {0xc0010117, 0xc0010117, MSR_BOTH, true},        /* VM_HSAVE_PA */
        {0xc0010131, 0xc0010131, GUEST_MSR_READ, false}, /* SEV status: a value of the ultravisor */
        {0xc0011020, 0xc0011020, MSR_BOTH, true},        /* configuration of units of the CPU */
        {0xc0011022, 0xc0011023, MSR_BOTH, true},        /* … */
        {0xc0011029, 0xc001102a, MSR_BOTH, true},        /* … */
};

#endif
