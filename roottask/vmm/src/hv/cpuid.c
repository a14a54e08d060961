/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID leaves of enlightened guests. TLFS 2.3, 2.4 */
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
#define CAN_IDLE        0x20u
#define HAS_FREQUENCIES 0x100u
#define REPORTS_CRASHES 0x400u
#define POLLED_SOURCES  0x20000u
#define DIRECT_TIMERS   0x80000u

static uint32_t features(const struct nova_hv *hv)
{
        uint32_t has = 0;

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
        case FIRST_LEAF:
                return (struct nova_cpuid){LAST_LEAF, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX};
        case FIRST_LEAF + 1:
                return (struct nova_cpuid){.eax = INTERFACE};
        case FIRST_LEAF + 2:
                return (struct nova_cpuid){.ebx = VERSION};
        case FIRST_LEAF + 3:
                return (struct nova_cpuid){.eax = (uint32_t)hv->privileges,
                                           .ebx = (uint32_t)(hv->privileges >> 32),
                                           .edx = features(hv)};
        case FIRST_LEAF + 4:
                return (struct nova_cpuid){.eax = hv->hints, .ebx = NEVER_SPIN_CALL};
        case FIRST_LEAF + 5:
                return (struct nova_cpuid){.eax = hv->vcpus, .ebx = hv->vcpus};
        case LAST_LEAF:
                return (struct nova_cpuid){.eax = NESTED_PAGING};
        default:
                return (struct nova_cpuid){0, 0, 0, 0};
        }
}
