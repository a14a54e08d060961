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
        uint32_t eax; /**< EAX */
        uint32_t ebx; /**< EBX */
        uint32_t ecx; /**< ECX */
        uint32_t edx; /**< EDX */
};

/** A leaf, or some in a row: what the CPU says, reduced to these bits. */
struct nova_cpuid_row {
        uint32_t first;         /**< the leaf, or the lowest of them */
        uint32_t last;          /**< the highest one */
        struct nova_cpuid mask; /**< bits that the guest may see */
};

/** What a guest sees besides the table. */
struct nova_cpuid_view {
        unsigned vcpu;     /**< number of the virtual CPU, its APIC ID */
        unsigned vcpus;    /**< how many there are */
        bool local_apic;   /**< it has a local APIC */
        bool os_xsave;     /**< its CR4.OSXSAVE */
        bool no_long_mode; /**< its kernel runs no guests with 64 bits */
        bool xsave;        /**< it gets XSAVE and what needs it: nova_cpuid_has_xsave() */
        uint64_t xcr0;     /**< its XCR0: state components that it has switched on */
};

/** The CPU's own answer to @p leaf (EAX) and @p subleaf (ECX). */
typedef struct nova_cpuid nova_cpuid_source(uint32_t leaf, uint32_t subleaf);

/** The offered features, NULL-terminated by a row whose last leaf is 0 and first is 1. */
extern const struct nova_cpuid_row nova_cpuid_rows[];

/** @return what the CPU that this runs on says to @p leaf (EAX) and @p subleaf (ECX) */
struct nova_cpuid nova_cpuid_host(uint32_t leaf, uint32_t subleaf);

/** @return the guest's answer to @p leaf (EAX) and @p subleaf (ECX): that of @p source, passed
 *  through the table */
struct nova_cpuid nova_cpuid_answer(nova_cpuid_source *source, const struct nova_cpuid_view *view,
                                    uint32_t leaf, uint32_t subleaf);

/** @return whether guests on the CPU @p source can have XSAVE: where the kernel saves and loads its
 *  state, but not on a CPU that QEMU emulates @p svm (with SVM), where a guest's XCR0 is lost */
bool nova_cpuid_has_xsave(nova_cpuid_source *source, bool svm);

/** Whether a guest may switch on these state components: those that @p source (the CPU) has and the
 *  table offers, with those that they stand on. @param value what goes to XCR0
 *  @return false: the guest gets #GP */
bool nova_xcr0_is_valid(nova_cpuid_source *source, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
