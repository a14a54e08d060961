/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's CPUID says: a table of leaves with the bits that pass. All else reads as zero. */
#ifndef NOVAVMM_CPUID_H
#define NOVAVMM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The registers that CPUID answers in. */
struct nova_cpuid {
        uint32_t eax, ebx, ecx, edx;
};

/** A leaf, or some in a row: what the CPU says, reduced to these bits. */
struct nova_cpuid_row {
        uint32_t first, last;
        struct nova_cpuid mask;
};

/** What a guest sees besides the table. */
struct nova_cpuid_view {
        unsigned vcpu;   /**< number of the virtual CPU, its APIC ID */
        unsigned vcpus;  /**< how many there are */
        bool local_apic; /**< it has a local APIC */
        bool os_xsave;   /**< its CR4.OSXSAVE */
};

/** The CPU's own answer. */
typedef struct nova_cpuid nova_cpuid_source(uint32_t leaf, uint32_t subleaf);

/** The offered features, NULL-terminated by a row whose last leaf is 0 and first is 1. */
extern const struct nova_cpuid_row nova_cpuid_rows[];

/** What the CPU that this runs on says. */
struct nova_cpuid nova_cpuid_host(uint32_t leaf, uint32_t subleaf);

/** @return the guest's answer: that of @p source, passed through the table */
struct nova_cpuid nova_cpuid_answer(nova_cpuid_source *source, const struct nova_cpuid_view *view,
                                    uint32_t leaf, uint32_t subleaf);

#ifdef __cplusplus
}
#endif

#endif
