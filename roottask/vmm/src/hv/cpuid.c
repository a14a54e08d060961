/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID leaves of enlightened guests. TLFS 2.3, 2.4. docs/manual/enlightened.md has the comments of
 * leaves and of bits as tables (tests/docs/hv_tables.py). */
#include "novavmm/hv.h"

#define FIRST_LEAF 0x40000000u
#define LAST_LEAF  0x40000006u

/* "Microsoft Hv", the name that guests look for, and "Hv#1". */
#define VENDOR_EBX 0x7263694du
#define VENDOR_ECX 0x666f736fu
#define VENDOR_EDX 0x76482074u
#define INTERFACE  0x31237648u

/* The version of this SDK, 0.1, and no build number. */
#define VERSION 0x00000001u

#define NEVER_SPIN_CALL 0xffffffffu /* attempts before a guest notifies a long spin wait */
#define NESTED_PAGING   0x8u
#define XMM_INPUT       0x10u    /* XMM registers can contain the input of a fast call */
#define CAN_IDLE        0x20u    /* idle register */
#define HAS_FREQUENCIES 0x100u   /* registers of frequencies */
#define REPORTS_CRASHES 0x400u   /* registers for reports of crashes */
#define XMM_OUTPUT      0x8000u  /* XMM registers can contain the output of a fast call */
#define POLLED_SOURCES  0x20000u /* sources can be polled */
#define DIRECT_TIMERS   0x80000u /* timers can raise interrupts themselves */

static uint32_t features(const struct nova_hv *hv)
{
        uint32_t has = 0;

        if (hv->xmm_input)
                has |= XMM_INPUT;
        if (hv->xmm_output)
                has |= XMM_OUTPUT;
        if (hv->privileges & NOVA_HV_PRIVILEGE_IDLE)
                has |= CAN_IDLE;
        if (hv->privileges & NOVA_HV_PRIVILEGE_FREQUENCIES)
                has |= HAS_FREQUENCIES;
        if (hv->crashed)
                has |= REPORTS_CRASHES;
        if (hv->privileges & NOVA_HV_PRIVILEGE_SYNIC)
                has |= POLLED_SOURCES;
        if (hv->direct_timers)
                has |= DIRECT_TIMERS;
        return has;
}

struct nova_cpuid nova_hv_cpuid(const struct nova_hv *hv, uint32_t leaf)
{
        switch (leaf) {
        /* EAX: the highest leaf; EBX, ECX, EDX: `Microsoft Hv`, the name that guests look for */
        case FIRST_LEAF:
                return (struct nova_cpuid){LAST_LEAF, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX};
        case FIRST_LEAF + 1: /* EAX: `Hv#1` */
                return (struct nova_cpuid){.eax = INTERFACE};
        /* EBX: version of this SDK, major number in the upper half, minor number in the lower
         * half */
        case FIRST_LEAF + 2:
                return (struct nova_cpuid){.ebx = VERSION};
        case FIRST_LEAF + 3: /* EAX, EBX: privileges; EDX: features */
                return (struct nova_cpuid){.eax = (uint32_t)hv->privileges,
                                           .ebx = (uint32_t)(hv->privileges >> 32),
                                           .edx = features(hv)};
        /* EAX: recommendations, `nova_hv_config.hints`; EBX: never notify a long spin wait */
        case FIRST_LEAF + 4:
                return (struct nova_cpuid){.eax = hv->hints, .ebx = NEVER_SPIN_CALL};
        case FIRST_LEAF + 5: /* EAX, EBX: number of virtual processors */
                return (struct nova_cpuid){.eax = hv->vcpus, .ebx = hv->vcpus};
        case LAST_LEAF: /* EAX bit 3: nested page tables are in use */
                return (struct nova_cpuid){.eax = NESTED_PAGING};
        default:
                return (struct nova_cpuid){0, 0, 0, 0};
        }
}
