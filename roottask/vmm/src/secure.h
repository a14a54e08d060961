/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's side of secure guests (see novavmm/secure.h). */
#ifndef NOVAVMM_SRC_SECURE_H
#define NOVAVMM_SRC_SECURE_H

#include "novavmm/secure.h"

/* Enters a machine in the ultravisor's table. @return 0 or an error of errno.h */
int novavmm_secure_attach(struct nova_vm *vm);

/* Ends the secure guest of a machine that is being destroyed. */
void novavmm_secure_detach(struct nova_vm *vm);

/* Does an action on a virtual CPU if the ultravisor runs it. @return false if it does not; the
 * caller then does the action */
bool novavmm_secure_kick(struct nova_vcpu *vcpu);
bool novavmm_secure_start(struct nova_vcpu *vcpu, uint8_t vector);
bool novavmm_secure_reset(struct nova_vcpu *vcpu);

#endif
