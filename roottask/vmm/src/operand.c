/* SPDX-License-Identifier: BSD-2-Clause */
/* Effects of decoded instructions on registers and flags (see novavmm/decode.h). */
#include "novavmm/decode.h"

#define FLAG_CARRY    0x001u
#define FLAG_PARITY   0x004u
#define FLAG_ADJUST   0x010u
#define FLAG_ZERO     0x040u
#define FLAG_SIGN     0x080u
#define FLAG_OVERFLOW 0x800u
#define FLAGS         0x8d5u /* all arithmetic flags */

static uint64_t mask(unsigned bytes)
{
        return UINT64_MAX >> (64 - 8 * bytes);
}

/* Returns a general register. The registers are fields in the order of their numbers. */
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

static uint64_t value_of(const struct nova_utcb_state *state, unsigned number)
{
        if (number == NOVA_NO_REGISTER)
                return 0;
        return *general((struct nova_utcb_state *)state, number);
}

/* Returns the offset, in bytes from the operand's address, of the unit that contains the bit. A bit
 * number in a register is signed and may select a bit outside the operand. */
static uint64_t bit_offset(const struct nova_utcb_state *state, const struct nova_instruction *in)
{
        const unsigned shift = 64 - 8 * in->bytes;
        const int64_t number = (int64_t)(value_of(state, in->reg) << shift) >> shift;

        return (uint64_t)(number >> 3) & ~(uint64_t)(in->bytes - 1);
}

uint64_t nova_operand_offset(const struct nova_utcb_state *state, const struct nova_instruction *in)
{
        const struct nova_address *const address = &in->address;
        uint64_t offset = address->constant + value_of(state, address->base) +
                          (value_of(state, address->index) << address->scale);

        if (address->from_next)
                offset += state->ip + in->length;
        if (in->operation >= NOVA_OP_BT && in->operation <= NOVA_OP_BTC && !in->has_immediate)
                offset += bit_offset(state, in);
        return offset & mask(in->address_bytes);
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
        if (in->target_bytes >= 4) /* a 32-bit value clears the upper half */
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

static void set_flags(nova_word_t *flags, nova_word_t which, nova_word_t to)
{
        *flags = (*flags & ~which) | (to & which);
}

/* Adds, and sets the flags that only sums and differences set. @p carry: carry into the lowest
 * bit */
static uint64_t add(unsigned bytes, uint64_t left, uint64_t right, unsigned carry, nova_word_t *out)
{
        const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
        const uint64_t result = (left + right + carry) & mask(bytes);

        *out |= result < left || (carry && result == left) ? FLAG_CARRY : 0;
        *out |= ~(left ^ right) & (left ^ result) & sign ? FLAG_OVERFLOW : 0;
        *out |= (left ^ right ^ result) & FLAG_ADJUST;
        return result;
}

static uint64_t subtract(unsigned bytes, uint64_t left, uint64_t right, unsigned borrow,
                         nova_word_t *out)
{
        const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
        const uint64_t result = (left - right - borrow) & mask(bytes);

        *out |= left < right || (borrow && left == right) ? FLAG_CARRY : 0;
        *out |= (left ^ right) & (left ^ result) & sign ? FLAG_OVERFLOW : 0;
        *out |= (left ^ right ^ result) & FLAG_ADJUST;
        return result;
}

/* Tests a bit. Only the carry flag changes: it receives the old value of the bit. */
static uint64_t compute_bit(enum nova_operation operation, unsigned bytes, uint64_t left,
                            uint64_t right, nova_word_t *flags)
{
        const uint64_t bit = (uint64_t)1 << right % (8 * bytes);

        set_flags(flags, FLAG_CARRY, left & bit ? FLAG_CARRY : 0);
        switch (operation) {
        case NOVA_OP_BTS:
                return left | bit;
        case NOVA_OP_BTR:
                return left & ~bit;
        case NOVA_OP_BTC:
                return left ^ bit;
        default:
                return left;
        }
}

/* Computes sums, differences and logical operations. */
static uint64_t compute_value(enum nova_operation operation, unsigned bytes, uint64_t left,
                              uint64_t right, unsigned carry, nova_word_t *out)
{
        switch (operation) {
        case NOVA_OP_ADD:
        case NOVA_OP_XADD:
                return add(bytes, left, right, 0, out);
        case NOVA_OP_ADC:
                return add(bytes, left, right, carry, out);
        case NOVA_OP_INC:
                return add(bytes, left, 1, 0, out);
        case NOVA_OP_SBB:
                return subtract(bytes, left, right, carry, out);
        case NOVA_OP_NEG:
                return subtract(bytes, 0, left, 0, out);
        case NOVA_OP_DEC:
                return subtract(bytes, left, 1, 0, out);
        case NOVA_OP_OR:
                return left | right;
        case NOVA_OP_AND:
        case NOVA_OP_TEST:
                return left & right;
        case NOVA_OP_XOR:
                return left ^ right;
        default: /* SUB, CMP, CMPXCHG */
                return subtract(bytes, left, right, 0, out);
        }
}

uint64_t nova_compute(enum nova_operation operation, unsigned bytes, uint64_t left, uint64_t right,
                      nova_word_t *flags)
{
        const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
        const bool counts = operation == NOVA_OP_INC || operation == NOVA_OP_DEC;
        nova_word_t out = 0;

        if (operation == NOVA_OP_NOT)
                return ~left & mask(bytes);
        if (operation >= NOVA_OP_BT && operation <= NOVA_OP_BTC)
                return compute_bit(operation, bytes, left, right, flags);

        const uint64_t result =
                compute_value(operation, bytes, left, right, *flags & FLAG_CARRY, &out);

        out |= result ? 0 : FLAG_ZERO;
        out |= result & sign ? FLAG_SIGN : 0;
        out |= parity(result) ? FLAG_PARITY : 0;
        set_flags(flags, counts ? FLAGS & ~FLAG_CARRY : FLAGS, out);
        return result;
}

/* Compares memory with the accumulator. If they are equal, memory receives the register; otherwise
 * the accumulator receives memory. With 32 bits and equal values, the accumulator keeps its upper
 * half. */
static void compare_exchange(struct nova_utcb_state *state, const struct nova_instruction *in,
                             uint64_t *memory, nova_mtd_t *changed)
{
        struct nova_instruction accumulator = *in;
        const uint64_t operand = nova_operand_get(state, in);

        accumulator.reg = 0;
        accumulator.high = false;
        nova_compute(NOVA_OP_CMP, in->bytes, nova_operand_get(state, &accumulator), *memory,
                     &state->flags);
        *changed |= NOVA_MTD_EFL;
        if (state->flags & FLAG_ZERO)
                *memory = operand;
        else
                *changed |= nova_operand_set(state, &accumulator, *memory);
}

bool nova_operand_is_written(const struct nova_instruction *in)
{
        switch (in->operation) {
        case NOVA_OP_LOAD:
        case NOVA_OP_CMP:
        case NOVA_OP_TEST:
        case NOVA_OP_BT:
                return false;
        default:
                return !in->to_register;
        }
}

/* Performs arithmetic, logical and bit operations. */
static void perform_computation(struct nova_utcb_state *state, const struct nova_instruction *in,
                                uint64_t *memory, nova_mtd_t *changed)
{
        const uint64_t before = *memory, operand = nova_operand_get(state, in);
        const uint64_t result =
                nova_compute(in->operation, in->bytes, in->to_register ? operand : before,
                             in->to_register ? before : operand, &state->flags);

        *changed |= NOVA_MTD_EFL;
        if (in->operation == NOVA_OP_XADD)
                *changed |= nova_operand_set(state, in, before);
        if (nova_operand_is_written(in))
                *memory = result;
        else if (in->to_register && in->operation != NOVA_OP_CMP)
                *changed |= nova_operand_set(state, in, result);
}

bool nova_operand_perform(struct nova_utcb_state *state, const struct nova_instruction *in,
                          uint64_t *memory, nova_mtd_t *changed)
{
        const uint64_t before = *memory, operand = nova_operand_get(state, in);

        switch (in->operation) {
        case NOVA_OP_LOAD:
                *changed |= nova_operand_set(state, in, before);
                break;
        case NOVA_OP_STORE:
                *memory = operand;
                break;
        case NOVA_OP_EXCHANGE:
                *changed |= nova_operand_set(state, in, before);
                *memory = operand;
                break;
        case NOVA_OP_CMPXCHG:
                compare_exchange(state, in, memory, changed);
                break;
        default:
                perform_computation(state, in, memory, changed);
        }
        return nova_operand_is_written(in);
}
