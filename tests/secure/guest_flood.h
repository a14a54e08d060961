/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_FLOOD_H
#define NOVA_TESTS_SECURE_GUEST_FLOOD_H

#include <stdint.h>

/* Makes ultracalls of a kind (PROBE_FLOOD_…) without a pause.
 * @return the number of wrong statuses */
uint32_t guest_flood(unsigned kind, unsigned count);

#endif
