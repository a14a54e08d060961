/* SPDX-License-Identifier: BSD-2-Clause */
/* An instruction of the walk over all opcodes, with what it may do: shared by the program that
 * predicts and the one that executes. */
#ifndef TRAPS_WALK_RECORD_H
#define TRAPS_WALK_RECORD_H

#include <stdint.h>

/* Of `allowed`, besides a bit for each event below 29. */
/* Of exceptions: what must be an invalid instruction is executed. */
#define WALK_RUNS    (1u << 29)
#define WALK_ANY     (1u << 30) /* a branch: any event, at any address */
#define WALK_GOES_ON (1u << 31) /* the instruction after it is reached */

enum { WALK_MODE_64, WALK_MODE_COMPAT, WALK_MODE_32 };
enum { WALK_MAPPED, WALK_ABSENT, WALK_NON_CANONICAL };
/* Maps of opcodes; the last: VEX, EVEX and XOP. */
enum { WALK_MAP_1, WALK_MAP_0F, WALK_MAP_0F38, WALK_MAP_0F3A, WALK_MAP_VEX };

#define WALK_CODE 15

struct walk_record {
        uint8_t code[WALK_CODE];
        uint8_t length; /* 0: it must be an invalid instruction */
        uint32_t allowed;
        uint8_t mode, pointer;
        uint8_t map, opcode;
};

#define WALK_MAGIC 0x6b6c6177

struct walk_header {
        uint32_t magic, count;
        uint32_t reserved[4];
};

#endif
