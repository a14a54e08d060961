/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to exits of enlightened guests. */
#ifndef NOVAVMM_SRC_HV_EXITS_H
#define NOVAVMM_SRC_HV_EXITS_H

#include "novavmm/hv.h"
#include "vm.h"

/* Handles VMCALL and VMMCALL. */
void novavmm_hv_call(struct nova_vcpu *vcpu);

/* Reads an MSR of the interface; the machine has the interface. A read may put the guest to sleep.
 * @return false: the guest gets #GP */
bool novavmm_hv_get(struct nova_vcpu *vcpu, uint32_t number, uint64_t *value);

/* Writes an MSR of the interface; the machine has the interface. @return false: the guest gets
 * #GP */
bool novavmm_hv_set(struct nova_vcpu *vcpu, uint32_t number, uint64_t value);

#endif
