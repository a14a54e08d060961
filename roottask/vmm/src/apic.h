/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's APICs and their connections: pins, messages, virtual CPUs. */
#ifndef NOVAVMM_SRC_APIC_H
#define NOVAVMM_SRC_APIC_H

#include "novavmm/pc.h"

/* Creates the APICs at their addresses.
 * @return 0 or an errno value */
int novavmm_apic_create(struct nova_pc *pc);

/* Drives a device's interrupt, by its number on an ISA bus, at the 8259s and the I/O APIC. */
void novavmm_apic_set_pin(void *context, unsigned irq, bool level);

/* The functions of struct nova_vm_interrupts. */
bool novavmm_apic_pending(void *context, unsigned vcpu);
int novavmm_apic_take(void *context, unsigned vcpu);

/* Delivers an interrupt message of the I/O APIC or of a device. */
bool novavmm_apic_send(struct nova_pc *pc, const struct nova_apic_message *message);

#endif
