/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of instructions (see novavmm/decode.h); SDM 2, chapter 2 and appendix A. */
#include "novavmm/decode.h"

#include <string.h>

/* Prefixes. */
#define OPERAND_SIZE 0x66
#define ADDRESS_SIZE 0x67
#define REX_W        8
#define REX_R        4

struct cursor {
        const uint8_t *code;
        size_t count, at;
        unsigned bits;
        bool operand16, address_switch;
        uint8_t rex;
        bool overrun;
};

static uint8_t next(struct cursor *cursor)
{
        if (cursor->at >= cursor->count) {
                cursor->overrun = true;
                return 0;
        }
        return cursor->code[cursor->at++];
}

static uint64_t next_value(struct cursor *cursor, unsigned bytes)
{
        uint64_t value = 0;

        for (unsigned i = 0; i < bytes; i++)
                value |= (uint64_t)next(cursor) << 8 * i;
        return value;
}

static bool is_prefix(uint8_t byte)
{
        static const uint8_t prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0};

        return memchr(prefix, byte, sizeof(prefix));
}

/* Reads prefixes. @return the first byte of the opcode */
static uint8_t read_prefixes(struct cursor *cursor)
{
        uint8_t byte = next(cursor);

        while (is_prefix(byte)) {
                cursor->operand16 |= byte == OPERAND_SIZE;
                cursor->address_switch |= byte == ADDRESS_SIZE;
                byte = next(cursor);
        }
        if (cursor->bits == 64 && (byte & 0xf0) == 0x40) {
                cursor->rex = byte;
                byte = next(cursor);
        }
        return byte;
}

static unsigned operand_bytes(const struct cursor *cursor, bool wide)
{
        if (!wide)
                return 1;
        if (cursor->rex & REX_W)
                return 8;
        return (cursor->bits == 16) != cursor->operand16 ? 2 : 4;
}

static unsigned address_bytes(const struct cursor *cursor)
{
        if (cursor->bits == 64)
                return cursor->address_switch ? 4 : 8;
        return (cursor->bits == 16) != cursor->address_switch ? 2 : 4;
}

/* Steps over ModRM, SIB and displacement. @return ModRM; 0xc0 and more: no memory operand */
static uint8_t read_modrm(struct cursor *cursor)
{
        const uint8_t modrm = next(cursor);
        const unsigned mod = modrm >> 6, rm = modrm & 7;

        if (mod == 3)
                return modrm;
        if (address_bytes(cursor) == 2) {
                next_value(cursor, mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0);
                return modrm;
        }

        const unsigned base = rm == 4 ? next(cursor) & 7u : rm;

        next_value(cursor, mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
        return modrm;
}

static void set_register(const struct cursor *cursor, uint8_t modrm, struct nova_instruction *out)
{
        out->reg = (uint8_t)((modrm >> 3 & 7) | (cursor->rex & REX_R ? 8 : 0));
        if (out->target_bytes == 1 && !cursor->rex && out->reg >= 4) {
                out->reg -= 4;
                out->high = true;
        }
}

/* An instruction with ModRM, in which the register has as many bytes as the memory. */
static void read_register_form(struct cursor *cursor, bool wide, struct nova_instruction *out)
{
        const uint8_t modrm = read_modrm(cursor);

        cursor->overrun |= modrm >= 0xc0;
        out->bytes = out->target_bytes = (uint8_t)operand_bytes(cursor, wide);
        set_register(cursor, modrm, out);
}

/* An immediate of at most four bytes, extended with its sign. */
static void read_immediate(struct cursor *cursor, unsigned bytes, struct nova_instruction *out)
{
        const unsigned have = bytes > 4 ? 4 : bytes, shift = 64 - 8 * have;

        out->has_immediate = true;
        out->immediate = (uint64_t)((int64_t)(next_value(cursor, have) << shift) >> shift);
}

/* The operation of arithmetic opcodes, by the three bits that name it. */
static bool arithmetic(unsigned number, struct nova_instruction *out)
{
        static const int8_t operation[] = {NOVA_OP_ADD, NOVA_OP_OR,  -1,          -1,
                                           NOVA_OP_AND, NOVA_OP_SUB, NOVA_OP_XOR, NOVA_OP_CMP};

        if (operation[number] < 0)
                return false;
        out->operation = (enum nova_operation)operation[number];
        return true;
}

/* MOVZX and MOVSX: 0f b6, b7, be, bf. */
static bool decode_extended(struct cursor *cursor, struct nova_instruction *out)
{
        const uint8_t opcode = next(cursor);

        if ((opcode & 0xf6) != 0xb6)
                return false;
        out->target_bytes = (uint8_t)operand_bytes(cursor, true);

        const uint8_t modrm = read_modrm(cursor);

        cursor->overrun |= modrm >= 0xc0;
        set_register(cursor, modrm, out);
        out->operation = NOVA_OP_LOAD;
        out->bytes = opcode & 1 ? 2 : 1;
        out->sign = opcode & 8;
        return true;
}

/* MOV between AL or AX and an address that stands in the instruction: a0 to a3. */
static void decode_offset(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        next_value(cursor, address_bytes(cursor));
        out->operation = opcode & 2 ? NOVA_OP_STORE : NOVA_OP_LOAD;
        out->bytes = out->target_bytes = (uint8_t)operand_bytes(cursor, opcode & 1);
}

/* Groups in which ModRM names the operation: 80, 81, 83, c6, c7, f6, f7. */
static bool decode_group(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        const uint8_t modrm = read_modrm(cursor);
        const unsigned number = modrm >> 3 & 7;

        cursor->overrun |= modrm >= 0xc0;
        out->bytes = out->target_bytes = (uint8_t)operand_bytes(cursor, opcode & 1);
        read_immediate(cursor, opcode == 0x83 ? 1 : out->bytes, out);
        if (opcode <= 0x83)
                return arithmetic(number, out);
        out->operation = opcode <= 0xc7 ? NOVA_OP_STORE : NOVA_OP_TEST;
        return number == 0;
}

/* 84 to 8b: TEST, XCHG and MOV between a register and memory, of one byte or more. */
static bool decode_register(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        static const uint8_t operation[] = {NOVA_OP_TEST, NOVA_OP_EXCHANGE, NOVA_OP_STORE,
                                            NOVA_OP_LOAD};

        read_register_form(cursor, opcode & 1, out);
        out->operation = (enum nova_operation)operation[(opcode - 0x84) / 2];
        return true;
}

static bool decode_opcode(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        static const uint8_t group[] = {0x80, 0x81, 0x83, 0xc6, 0xc7, 0xf6, 0xf7};

        if (opcode < 0x40 && (opcode & 7) < 4) {
                read_register_form(cursor, opcode & 1, out);
                out->to_register = opcode & 2;
                return arithmetic(opcode >> 3, out);
        }
        if (opcode >= 0x84 && opcode <= 0x8b)
                return decode_register(cursor, opcode, out);
        if ((opcode & 0xfc) == 0xa0) {
                decode_offset(cursor, opcode, out);
                return true;
        }
        if (memchr(group, opcode, sizeof(group)))
                return decode_group(cursor, opcode, out);
        return opcode == 0x0f && decode_extended(cursor, out);
}

bool nova_decode(const uint8_t *code, size_t count, unsigned bits, struct nova_instruction *out)
{
        struct cursor cursor = {
                .code = code,
                .count = count < NOVA_CODE_BYTES ? count : NOVA_CODE_BYTES,
                .bits = bits,
        };

        memset(out, 0, sizeof(*out));

        const uint8_t opcode = read_prefixes(&cursor);

        if (!decode_opcode(&cursor, opcode, out) || cursor.overrun)
                return false;
        out->length = (uint8_t)cursor.at;
        return true;
}
