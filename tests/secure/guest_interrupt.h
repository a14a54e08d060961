/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of the guest of the ultravisor's tests, and its accesses with other page tables. */
#ifndef NOVA_TESTS_SECURE_GUEST_INTERRUPT_H
#define NOVA_TESTS_SECURE_GUEST_INTERRUPT_H

#include <stdint.h>

/* Returns how often a vector of probe.h has been taken. The first call installs the handlers. */
uint32_t guest_interrupt_count(unsigned vector);

/* Sets the task priority. */
void guest_interrupt_priority(unsigned long priority);

/* Writes a value to a port by OUTSL, while CR3 contains its address without the encryption bit: the
 * CPU reads the first table through the view without this bit. */
void guest_plain_out(unsigned port, unsigned long value);

#endif
