/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug registers of the guest of the ultravisor's tests. */
#ifndef NOVA_TESTS_SECURE_GUEST_DEBUG_H
#define NOVA_TESTS_SECURE_GUEST_DEBUG_H

#include <stdint.h>

/* Performs a command PROBE_DEBUG_READ to PROBE_DEBUG_TAKEN. @return its result */
uint32_t guest_debug(uint32_t command, unsigned long first, unsigned long second);

#endif
