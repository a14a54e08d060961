/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_MARKS_H
#define NOVA_TESTS_SECURE_GUEST_MARKS_H

#include <stdint.h>

/* Makes the accesses of PROBE_MARKS @p rounds times, with interrupts enabled.
 * @return number of accesses */
uint32_t guest_marks(unsigned rounds);

#endif
