/* SPDX-License-Identifier: BSD-2-Clause */
/* Opcodes that an emulator does not execute as the manuals say: rows of exceptions.tsv. */
#ifndef TRAPS_WALK_EXCEPTION_H
#define TRAPS_WALK_EXCEPTION_H

#include <stdint.h>

struct walk_exception {
        uint8_t emulators; /* a bit for each emulator, in the order of struct cell's outcomes */
        uint8_t map, opcode;
        uint8_t reg; /* middle field of the ModRM; 0xff: all */
        uint32_t allowed;
};

extern const struct walk_exception walk_exceptions[];
extern const unsigned walk_exception_count;

#endif
