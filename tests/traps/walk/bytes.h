/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers, and the bytes of random instructions, for the program that predicts. */
#ifndef TRAPS_WALK_BYTES_H
#define TRAPS_WALK_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

void bytes_seed(uint64_t seed);
/* Returns a number below `end`. */
uint32_t bytes_draw(uint32_t end);
bool bytes_chance(unsigned percent);

/* Makes the record of opcode `turn`, counted over all maps. Returns the number of bytes before the
 * ModRM. */
unsigned bytes_make(struct walk_record *r, unsigned turn);

/* Returns whether the opcode leads to another map, or is IRET, which QEMU lets enter virtual-8086
 * mode. */
bool bytes_are_left_out(const struct walk_record *r);

#endif
