/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes each vector that a monitor can send, during a computation in all registers. Also asks for
 * random numbers. */
#ifndef NOVA_TESTS_SECURE_GUEST_VECTORS_H
#define NOVA_TESTS_SECURE_GUEST_VECTORS_H

#include <stdint.h>

/* Performs a command from PROBE_CHAIN to PROBE_RANDOM (probe.h). */
uint32_t guest_vectors(uint32_t command, unsigned long first, unsigned long second);

#endif
