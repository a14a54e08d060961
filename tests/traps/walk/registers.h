/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers, flags and memory with which an instruction of the walk begins: all of them follow
 * from the record and the addresses of the places. */
#ifndef TRAPS_WALK_REGISTERS_H
#define TRAPS_WALK_REGISTERS_H

#include <stdbool.h>

#include "record.h"

/* General registers by their numbers in instructions. */
enum {
        WALK_AX,
        WALK_CX,
        WALK_DX,
        WALK_BX,
        WALK_SP,
        WALK_BP,
        WALK_SI,
        WALK_DI,
        WALK_REGISTERS = 16
};

/* Places in the operand's page. */
#define WALK_DATA      0xc00 /* operand of the ModRM */
#define WALK_SP_AT     0x400
#define WALK_BP_AT     0x500
#define WALK_SI_AT     0xe00
#define WALK_DI_AT     0xe80
#define WALK_SMALL     0xffffu
#define WALK_HIGH      0xc0000000u
#define WALK_FPU_WORDS 128
#define WALK_STATUS    0xcd5u /* CF, PF, AF, ZF, SF, DF, OF */

struct walk_places {
        uint64_t operand;               /* address of a mapped page between absent ones */
        uint64_t absent, non_canonical; /* their low halves are not addresses, either */
};

static inline uint32_t walk_draw(uint64_t *state)
{
        *state = *state * 6364136223846793005 + 1442695040888963407;
        return (uint32_t)(*state >> 32);
}

/* Returns 32 bits that are not an address of the walk's programs: below 64 KiB, or in the last GiB.
 */
static inline uint32_t walk_half(uint64_t *state)
{
        const uint32_t value = walk_draw(state);

        return value & 0x800 ? value | WALK_HIGH : value >> 16;
}

static inline uint64_t walk_value(uint64_t *state)
{
        const uint32_t low = walk_half(state), kind = walk_draw(state) >> 24;

        switch (kind & 3) {
        case 0:
                return low;
        case 1:
                return (uint64_t)(int64_t)(int32_t)low;
        case 2:
                return (uint64_t)(kind >> 2) << 58 | low;
        default:
                return (uint64_t)walk_draw(state) << 32 | low;
        }
}

static inline uint64_t walk_place(const struct walk_places *places, unsigned kind, uint32_t offset)
{
        return kind == WALK_MAPPED   ? places->operand + offset
               : kind == WALK_ABSENT ? places->absent + offset
                                     : places->non_canonical + offset;
}

/* Puts the operand of the ModRM at its place, by its base or by its index. */
static inline void walk_aim(const struct walk_record *r, const struct walk_places *places,
                            uint64_t *reg)
{
        const uint64_t target = walk_place(places, r->pointer, WALK_DATA);

        if (r->base == WALK_NO_REGISTER)
                return;
        reg[r->base] = 0;
        const uint64_t index = r->index == WALK_NO_REGISTER ? 0 : reg[r->index] * r->scale;
        reg[r->base] = target - index - (uint64_t)(int64_t)r->displacement;
}

static inline void walk_registers(const struct walk_record *r, const struct walk_places *places,
                                  uint64_t *reg)
{
        uint64_t state = r->seed;

        for (unsigned i = 0; i < WALK_REGISTERS; i++)
                reg[i] = walk_value(&state);
        reg[WALK_BX] = walk_place(places, r->pointer, WALK_DATA);
        reg[WALK_SP] = walk_place(places, r->stack, WALK_SP_AT);
        reg[WALK_BP] = walk_place(places, r->stack, WALK_BP_AT);
        reg[WALK_SI] = walk_place(places, r->strings, WALK_SI_AT);
        reg[WALK_DI] = walk_place(places, r->strings, WALK_DI_AT);
        if (r->special == WALK_PORT) {
                reg[WALK_DX] = WALK_CLOSED_PORT;
                reg[WALK_CX] &= 0x1f;
        }
        if (r->special == WALK_LEAF)
                reg[WALK_AX] = r->control < WALK_LEAVES ? r->control
                                                        : 0x80000000u + r->control - WALK_LEAVES;
        if (r->special == WALK_BIT)
                reg[r->reg] &= 0xff;
        walk_aim(r, places, reg);
}

/* Returns flags besides those that the mode needs. */
static inline uint32_t walk_flags(const struct walk_record *r)
{
        uint64_t state = r->seed ^ 0xf1a65;

        return walk_draw(&state) & WALK_STATUS;
}

/* Fills memory with words that are not addresses of the walk's programs, and with zeroes. */
static inline void walk_fill(const struct walk_record *r, uint32_t *to, unsigned words)
{
        uint64_t state = r->seed ^ 0xda7a;
        const bool zero = walk_draw(&state) >> 30 == 0;

        for (unsigned i = 0; i < words; i++)
                to[i] = zero ? 0 : walk_half(&state);
}

/* Fills in the state of FXRSTOR: exceptions are masked, and registers have any values. */
static inline void walk_fpu(const struct walk_record *r, uint32_t *to)
{
        uint64_t state = r->seed ^ 0xf9;

        for (unsigned i = 0; i < WALK_FPU_WORDS; i++)
                to[i] = i < 8 ? 0 : walk_draw(&state);
        for (unsigned i = 0; i < 8; i++) { /* an FPU register has 10 of 16 bytes */
                to[8 + 4 * i + 2] &= 0xffff;
                to[8 + 4 * i + 3] = 0;
        }
        to[0] = 0x37f;
        to[1] = walk_draw(&state) & 0xff;
        to[6] = 0x1f80;
}

/* ---- Code ------------------------------------------------------------------------------------ */

static inline bool walk_is_prefix(uint8_t byte, unsigned mode)
{
        return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 ||
               byte == 0x64 || byte == 0x65 || (byte & 0xe7) == 0x26 ||
               (mode == WALK_MODE_64 && (byte & 0xf0) == 0x40);
}

/* Returns the number of prefixes. */
static inline unsigned walk_prefixes(const struct walk_record *r)
{
        unsigned n = 0;

        while (n < WALK_CODE && walk_is_prefix(r->code[n], r->mode))
                n++;
        return n;
}

/* Writes the instruction; returns its size. The opcodes a0 to a3 contain their operand's address.
 */
static inline unsigned walk_code(const struct walk_record *r, const struct walk_places *places,
                                 uint8_t *to)
{
        const unsigned size = r->length ? r->length : WALK_CODE, at = walk_prefixes(r) + 1;
        const uint64_t pointer = walk_place(places, r->pointer, WALK_DATA);
        const bool address = r->map == WALK_MAP_1 && (r->opcode & 0xfc) == 0xa0;

        for (unsigned i = 0; i < size; i++)
                to[i] = address && i >= at ? (uint8_t)(pointer >> 8 * (i - at)) : r->code[i];
        return size;
}

#endif
