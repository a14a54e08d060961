/* SPDX-License-Identifier: BSD-2-Clause */
/* What decoded instructions do to registers and flags (see novavmm/decode.h). */
#include "novavmm/decode.h"

#define FLAG_CARRY    0x001u
#define FLAG_PARITY   0x004u
#define FLAG_ADJUST   0x010u
#define FLAG_ZERO     0x040u
#define FLAG_SIGN     0x080u
#define FLAG_OVERFLOW 0x800u
#define FLAGS         0x8d5u /* all of them */

static uint64_t mask(unsigned bytes)
{
        return UINT64_MAX >> (64 - 8 * bytes);
}

/* The general registers lie in a row, in the order of their numbers. */
static nova_word_t *general(struct nova_utcb_state *state, unsigned number)
{
        return (nova_word_t *)((char *)state + offsetof(struct nova_utcb_state, ax)) + number;
}

uint64_t nova_operand_get(const struct nova_utcb_state *state, const struct nova_instruction *in)
{
        if (in->has_immediate)
                return in->immediate & mask(in->bytes);

        const uint64_t value = *general((struct nova_utcb_state *)state, in->reg);

        return (in->high ? value >> 8 : value) & mask(in->bytes);
}

static nova_mtd_t group_of(unsigned number)
{
        if (number < 4)
                return NOVA_MTD_ACDB;
        if (number == 4)
                return NOVA_MTD_ESP;
        return number < 8 ? NOVA_MTD_BSD : NOVA_MTD_R8_R15;
}

nova_mtd_t nova_operand_set(struct nova_utcb_state *state, const struct nova_instruction *in,
                            uint64_t value)
{
        nova_word_t *const to = general(state, in->reg);
        const unsigned shift = 64 - 8 * in->bytes;

        value = in->sign ? (uint64_t)((int64_t)(value << shift) >> shift) : value & mask(in->bytes);
        if (in->target_bytes >= 4) /* 32 bits clear the upper half */
                *to = (nova_word_t)(value & mask(in->target_bytes));
        else if (in->high)
                *to = (*to & ~(nova_word_t)0xff00) | (nova_word_t)(value & 0xff) << 8;
        else
                *to = (*to & ~(nova_word_t)mask(in->target_bytes)) |
                      (nova_word_t)(value & mask(in->target_bytes));
        return group_of(in->reg);
}

static bool parity(uint64_t value)
{
        value ^= value >> 4;
        return !(0x6996 >> (value & 15) & 1);
}

uint64_t nova_compute(enum nova_operation operation, unsigned bytes, uint64_t left, uint64_t right,
                      nova_word_t *flags)
{
        const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
        nova_word_t out = 0;
        uint64_t result = 0;

        switch (operation) {
        case NOVA_OP_ADD:
                result = (left + right) & mask(bytes);
                out |= result < left ? FLAG_CARRY : 0;
                out |= ~(left ^ right) & (left ^ result) & sign ? FLAG_OVERFLOW : 0;
                out |= (left ^ right ^ result) & FLAG_ADJUST;
                break;
        case NOVA_OP_SUB:
        case NOVA_OP_CMP:
                result = (left - right) & mask(bytes);
                out |= left < right ? FLAG_CARRY : 0;
                out |= (left ^ right) & (left ^ result) & sign ? FLAG_OVERFLOW : 0;
                out |= (left ^ right ^ result) & FLAG_ADJUST;
                break;
        case NOVA_OP_OR:
                result = left | right;
                break;
        case NOVA_OP_AND:
        case NOVA_OP_TEST:
                result = left & right;
                break;
        case NOVA_OP_XOR:
                result = left ^ right;
                break;
        default:
                return right;
        }
        out |= result ? 0 : FLAG_ZERO;
        out |= result & sign ? FLAG_SIGN : 0;
        out |= parity(result) ? FLAG_PARITY : 0;
        *flags = (*flags & ~(nova_word_t)FLAGS) | out;
        return result;
}
