/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_MSR_H
#define NOVA_TESTS_SECURE_GUEST_MSR_H

#include <stdbool.h>
#include <stdint.h>

#define GUEST_MSR_RANGES 5
#define GUEST_MSR_COUNT  0x2000u /* MSRs of a range */

/* Reads each MSR of a range. Writes to each what it has read there, or 0 if the read raised #GP.
 * @return number of MSRs that can be read, and in the upper half of those that can be written */
uint32_t guest_msr_try(unsigned range);

/* Executes INVD, WBINVD, PAUSE and RDPMC. @return number of #GP exceptions */
uint32_t guest_msr_quiet(void);

#endif
