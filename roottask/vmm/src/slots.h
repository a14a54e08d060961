/* SPDX-License-Identifier: BSD-2-Clause */
/* The slots of a PC's PCI bus. */
#ifndef NOVAVMM_SRC_SLOTS_H
#define NOVAVMM_SRC_SLOTS_H

#include "novavmm/pc.h"

/* Adds the devices' memory to the machine.
 * @return 0 or ENOSPC */
int novavmm_slots_create(struct nova_pc *pc);

/* Delivers an interrupt message of a device; @p context is the struct nova_pc. */
void novavmm_slots_send(void *context, uint64_t address, uint32_t data);

#endif
