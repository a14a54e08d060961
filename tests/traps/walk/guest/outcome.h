/* SPDX-License-Identifier: BSD-2-Clause */
/* Outcome of one instruction in the walker. */
#ifndef TRAPS_WALK_OUTCOME_H
#define TRAPS_WALK_OUTCOME_H

#include <stdint.h>

struct walk_outcome {
        uint8_t vector, ip; /* ip: offset from the instruction's first byte, or 0xff */
        uint16_t error;
        uint32_t registers; /* digests: general registers, flags, segments, all of IP, CR2 */
        uint32_t memory, fpu;
};

_Static_assert(sizeof(struct walk_outcome) == 16, "the same layout in guest.py");

#endif
