/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of a guest: a table of the registers that exist. Reads and writes of all
 * others raise #GP. */
#ifndef NOVAVMM_MSR_H
#define NOVAVMM_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/abi/mtd.h"
#include "nova/abi/utcb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Registers of a virtual CPU that the monitor stores. */
struct nova_msr_kept {
        uint64_t apic_base; /**< IA32_APIC_BASE: address of the local APIC, its enable bit, and the
                               bit of the first virtual CPU. A guest may write both bits; any other
                               change raises #GP */
        uint64_t fixed[11]; /**< MTRRs of the first MiB */
        uint64_t range[8][2];   /**< other MTRRs: address and type, mask */
        uint64_t range_default; /**< MTRRdefType: type of memory outside all ranges, enable bits */
        uint64_t address_end;   /**< end of guest-physical addresses */
        bool local_apic;        /**< the virtual CPU has a local APIC */
        bool amd;               /**< CPUID reports an AMD CPU */
};

/** Groups of state that MSR accesses need in a message. */
#define NOVA_MSR_MTD                                                                 \
        (NOVA_MTD_SYS | NOVA_MTD_FS_GS | NOVA_MTD_CR | NOVA_MTD_TSC | NOVA_MTD_MSR | \
         NOVA_MTD_PAT | NOVA_MTD_CSTAR_AUX)

/** Sets the initial registers of virtual CPU number @p vcpu. @param local_apic false: the virtual
 * CPU is like a CPU whose local APIC is disabled */
void nova_msr_init(struct nova_msr_kept *kept, unsigned vcpu, bool local_apic);

/** Returns true if the local APIC is enabled. */
bool nova_msr_apic_is_on(const struct nova_msr_kept *kept);

/**
 * Reads a register, MSR @p number, into @p value.
 *
 * @code
 * extern struct nova_vcpu *vcpu; // at an exit, with the groups of NOVA_MSR_MTD
 * uint64_t value;
 *
 * if (!nova_msr_get((const struct nova_utcb_event *)vcpu->state, &vcpu->msr, 0x277, &value))
 *         puts("the guest gets #GP");
 * @endcode
 * @return false: the guest gets #GP
 */
bool nova_msr_get(const struct nova_utcb_event *event, const struct nova_msr_kept *kept,
                  uint32_t number, uint64_t *value);

/** Writes @p value to a register, MSR @p number. @param[in,out] changed receives the group to be
 * written back
 *  @return false: the guest gets #GP, and nothing changed */
bool nova_msr_set(struct nova_utcb_event *event, struct nova_msr_kept *kept, nova_mtd_t *changed,
                  uint32_t number, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
