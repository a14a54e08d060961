/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_MSR_H
#define NOVA_TESTS_SECURE_GUEST_MSR_H

#include <stdbool.h>
#include <stdint.h>

#define GUEST_MSR_RANGES 6
#define GUEST_MSR_COUNT  0x2000u /* number of MSRs of a range */
#define GUEST_MSR_MAX    128u    /* maximum number of MSRs of the list */

/* Words of an entry of the list, and the values of the second word. */
#define GUEST_MSR_NUMBER 0
#define GUEST_MSR_ACCESS 1
#define GUEST_MSR_READ   1u
#define GUEST_MSR_WRITE  2u

/* Reads each MSR of a range. Writes the value back, or 0 if the read raised #GP. Adds the MSRs that
 * can be accessed to a list. The last range has MSRs that lie far apart.
 * @return number of MSRs that could be accessed so far, including those for which the list has no
 * room */
uint32_t guest_msr_try(unsigned range);

/* Returns a word of an entry of the list. */
uint32_t guest_msr_entry(unsigned entry, unsigned word);

#endif
