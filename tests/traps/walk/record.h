/* SPDX-License-Identifier: BSD-2-Clause */
/* An instruction of the walk over all opcodes, with what it may do: shared by the program that
 * predicts and those that execute. */
#ifndef TRAPS_WALK_RECORD_H
#define TRAPS_WALK_RECORD_H

#include <stdint.h>

/* Bits of `allowed`, besides one for each event below 28. */
/* The instruction is executed, and continues at the low 16 bits of the next one's address, in a
 * page that is absent. */
#define WALK_LOW (1u << 28)
/* In exceptions.tsv: an instruction that must be invalid is executed. */
#define WALK_RUNS    (1u << 29)
#define WALK_ANY     (1u << 30) /* a branch: any event, at any address */
#define WALK_GOES_ON (1u << 31) /* the next instruction is reached */

enum { WALK_MODE_64, WALK_MODE_COMPAT, WALK_MODE_32 };
enum { WALK_MAPPED, WALK_ABSENT, WALK_NON_CANONICAL };
/* Maps of opcodes; the last: VEX, EVEX and XOP. */
enum { WALK_MAP_1, WALK_MAP_0F, WALK_MAP_0F38, WALK_MAP_0F3A, WALK_MAP_VEX };

/* Special needs of an instruction: a platform, a privilege, or the value of a register. */
enum {
        WALK_PLAIN,
        WALK_NOT_QEMU,  /* QEMU executes another instruction, or aborts in its translator */
        WALK_LEFT_OUT,  /* not executed at CPL 0 */
        WALK_WRITES_CR, /* `reg` holds the value that control register `control` has */
        WALK_MSR,       /* CX holds the number of the walker's MSR `control` */
        WALK_PORT,      /* DX holds a closed port, CX is small */
        WALK_LEAF,      /* AX is the leaf `control`, or an extended one */
        WALK_BIT,       /* `reg`, the number of a bit in memory, is small */
        WALK_TABLE,     /* the operand holds the walker's GDT, or its IDT if `control` is 1 */
        WALK_SHORT,     /* a branch of which QEMU reads 16 bits instead of 32 */
        WALK_HALT,      /* an interrupt must end the instruction */
        WALK_TASK, /* `reg`, or the operand, is a selector: the walker's task if `control` is 1 */
};

#define WALK_CODE        15
#define WALK_NO_REGISTER 0xff
#define WALK_CLOSED_PORT 0x1234
/* MSRs that are read, and those among them that are written, too. */
#define WALK_MSRS         6
#define WALK_WRITTEN_MSRS 2
#define WALK_LEAVES       16

struct walk_record {
        uint8_t code[WALK_CODE];
        uint8_t length; /* 0: the instruction must be invalid */
        uint32_t allowed;
        uint32_t seed; /* seed of registers, flags and memory */
        uint8_t mode;
        uint8_t pointer;        /* class of the address in the ModRM operand */
        uint8_t strings, stack; /* class of SI and DI, and of SP and BP */
        uint8_t map, opcode;
        uint8_t base, index; /* registers of the operand's address, or WALK_NO_REGISTER */
        int32_t displacement;
        uint8_t scale; /* 1, 2, 4 or 8 */
        uint8_t special;
        uint8_t reg, control;
};

#define WALK_MAGIC 0x6b6c6178

struct walk_header {
        uint32_t magic, count;
        uint32_t reserved[4];
};

_Static_assert(sizeof(struct walk_record) == 40, "the same layout on both sides, and in guest.py");

#endif
