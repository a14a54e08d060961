/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest finds in model-specific registers: a table of those that it has. All others raise
 * #GP, reads and writes. */
#ifndef NOVAVMM_MSR_H
#define NOVAVMM_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/abi/mtd.h"
#include "nova/abi/utcb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Registers that the monitor itself keeps for a virtual CPU. */
struct nova_msr_kept {
        uint64_t apic_base;     /**< IA32_APIC_BASE: the local APIC's address, whether it is on,
                                     whether the virtual CPU is the first one; a guest may switch
                                     the local APIC off and on, any other change faults */
        uint64_t fixed[11];     /**< MTRRs of the first MiB */
        uint64_t range[8][2];   /**< other MTRRs: address and type, mask */
        uint64_t range_default; /**< MTRRdefType */
        uint64_t address_end;   /**< end of guest-physical addresses */
        bool local_apic;        /**< there is a local APIC */
        bool amd;               /**< CPUID says that the CPU is one of AMD */
};

/** Groups of a message that MSRs need. */
#define NOVA_MSR_MTD                                                                 \
        (NOVA_MTD_SYS | NOVA_MTD_FS_GS | NOVA_MTD_CR | NOVA_MTD_TSC | NOVA_MTD_MSR | \
         NOVA_MTD_PAT | NOVA_MTD_CSTAR_AUX)

/** Make registers what virtual CPU number @p vcpu begins with. @param local_apic it has one; else
 * it is like a CPU whose local APIC is switched off */
void nova_msr_init(struct nova_msr_kept *kept, unsigned vcpu, bool local_apic);

/** @return whether the local APIC is on */
bool nova_msr_apic_is_on(const struct nova_msr_kept *kept);

/** Read a register, MSR @p number, into @p value. @return false: the guest gets #GP */
bool nova_msr_get(const struct nova_utcb_event *event, const struct nova_msr_kept *kept,
                  uint32_t number, uint64_t *value);

/** Write @p value to a register, MSR @p number. @param[in,out] changed gets the group to be written
 * back
 *  @return false: the guest gets #GP, and nothing changed */
bool nova_msr_set(struct nova_utcb_event *event, struct nova_msr_kept *kept, nova_mtd_t *changed,
                  uint32_t number, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
