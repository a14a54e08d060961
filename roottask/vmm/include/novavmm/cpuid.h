/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID as a guest sees it: a table of leaves with the bits that the guest may see. All other bits
 * read as zero. */
#ifndef NOVAVMM_CPUID_H
#define NOVAVMM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Result registers of CPUID. */
struct nova_cpuid {
        uint32_t eax; /**< value that the guest gets in EAX */
        uint32_t ebx; /**< value that the guest gets in EBX */
        uint32_t ecx; /**< value that the guest gets in ECX */
        uint32_t edx; /**< value that the guest gets in EDX */
};

/** A leaf, or a range of leaves: the CPU's value is masked with these bits. */
struct nova_cpuid_row {
        uint32_t first;         /**< the leaf, or the lowest of a range */
        uint32_t last;          /**< the highest leaf */
        struct nova_cpuid mask; /**< bits that the guest may see */
};

/** Properties that a guest sees besides the table. */
struct nova_cpuid_view {
        unsigned vcpu;     /**< number of the virtual CPU, its APIC ID */
        unsigned vcpus;    /**< number of virtual CPUs */
        bool local_apic;   /**< the virtual CPU has a local APIC */
        bool os_xsave;     /**< value of its CR4.OSXSAVE */
        bool no_long_mode; /**< guests cannot use 64 bits, because the kernel does not support
                            * them */
        bool xsave;        /**< the guest has XSAVE and the features that need it:
                            * nova_cpuid_has_xsave() */
        uint64_t xcr0;     /**< its XCR0: enabled state components */
        bool same_tsc;     /**< the TSCs of all virtual CPUs stay equal */
};

/** Returns the CPU's own answer to @p leaf (EAX) and @p subleaf (ECX). */
typedef struct nova_cpuid nova_cpuid_source(uint32_t leaf, uint32_t subleaf);

/** The offered features. The table ends with a row whose first leaf is 1 and last leaf is 0. */
extern const struct nova_cpuid_row nova_cpuid_rows[];

/** Returns the answer of the current CPU to @p leaf (EAX) and @p subleaf (ECX). */
struct nova_cpuid nova_cpuid_host(uint32_t leaf, uint32_t subleaf);

/**
 * Computes the guest's answer to @p leaf (EAX) and @p subleaf (ECX).
 *
 * @code
 * const struct nova_cpuid_view view = {.vcpus = 1, .local_apic = true};
 * const struct nova_cpuid features = nova_cpuid_answer(nova_cpuid_host, &view, 1, 0);
 *
 * if (features.ecx & 1u << 30)
 *         puts("the guest may use RDRAND");
 * @endcode
 * @return the answer of @p source, masked by the table
 */
struct nova_cpuid nova_cpuid_answer(nova_cpuid_source *source, const struct nova_cpuid_view *view,
                                    uint32_t leaf, uint32_t subleaf);

/** Checks whether guests on the CPU @p source can have XSAVE. @return true if the kernel saves and
 * loads the state of XSAVE. False with SVM (@p svm) on a CPU that QEMU emulates, which loses a
 * guest's XCR0 */
bool nova_cpuid_has_xsave(nova_cpuid_source *source, bool svm);

/** Returns true if a guest may enable these state components: @p source (the CPU) has them, the
 * table offers them, and the set includes the components that they require. @param value new value
 * of XCR0
 * @return false: the guest gets #GP */
bool nova_xcr0_is_valid(nova_cpuid_source *source, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
