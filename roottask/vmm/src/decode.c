/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes the bytes of instructions (see novavmm/decode.h); SDM 2, chapter 2 and appendix A. */
#include "novavmm/decode.h"

#include <string.h>

/* Prefixes. */
#define OPERAND_SIZE 0x66
#define ADDRESS_SIZE 0x67
#define LOCK         0xf0
#define REPNE        0xf2
#define REP          0xf3
#define REX_W        8
#define REX_R        4
#define REX_X        2
#define REX_B        1

/* Numbers of registers. */
#define BX 3
#define SP 4
#define BP 5
#define SI 6
#define DI 7

struct cursor {
        const uint8_t *code;
        size_t count, at;
        unsigned bits;
        bool operand16, address_switch, lock;
        uint8_t rex;
        enum nova_segment_number segment;
        bool overridden; /* the segment is not the operand's default */
        enum nova_repeat repeat;
        struct nova_address address;
        bool refused; /* the instruction is truncated or unknown */
};

static uint8_t next(struct cursor *cursor)
{
        if (cursor->at >= cursor->count) {
                cursor->refused = true;
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

/* Reads a sign-extended value; 0 if it has no bytes. */
static uint64_t next_signed(struct cursor *cursor, unsigned bytes)
{
        const unsigned shift = 64 - 8 * bytes;

        return bytes ? (uint64_t)((int64_t)(next_value(cursor, bytes) << shift) >> shift) : 0;
}

/* Records a segment prefix. In 64-bit mode only the prefixes of FS and GS have an effect. */
static void set_segment(struct cursor *cursor, enum nova_segment_number segment)
{
        if (cursor->bits == 64 && segment < NOVA_SEGMENT_FS)
                return;
        cursor->segment = segment;
        cursor->overridden = true;
}

/* Reads a prefix.
 * @return true if it was a prefix other than REX */
static bool read_prefix(struct cursor *cursor, uint8_t byte)
{
        switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
                set_segment(cursor, (enum nova_segment_number)(byte >> 3 & 3));
                return true;
        case 0x64:
        case 0x65:
                set_segment(cursor, byte & 1 ? NOVA_SEGMENT_GS : NOVA_SEGMENT_FS);
                return true;
        case OPERAND_SIZE:
                cursor->operand16 = true;
                return true;
        case ADDRESS_SIZE:
                cursor->address_switch = true;
                return true;
        case LOCK:
                cursor->lock = true;
                return true;
        case REPNE:
        case REP:
                cursor->repeat = byte == REP ? NOVA_REPEAT_EQUAL : NOVA_REPEAT_NOT_EQUAL;
                return true;
        default:
                return false;
        }
}

/* Reads prefixes and opcode. A REX prefix counts only directly before the opcode.
 * @return the opcode's first byte */
static uint8_t read_prefixes(struct cursor *cursor)
{
        for (;;) {
                const uint8_t byte = next(cursor);

                if (cursor->bits == 64 && (byte & 0xf0) == 0x40)
                        cursor->rex = byte;
                else if (read_prefix(cursor, byte))
                        cursor->rex = 0;
                else
                        return byte;
        }
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

/* Decodes the 16-bit forms of a memory operand (SDM 2, table 2-1). */
static void read_address16(struct cursor *cursor, unsigned mod, unsigned rm)
{
        static const uint8_t base[] = {BX, BX, BP, BP, SI, DI, BP, BX};
        static const uint8_t index[] = {SI, DI, SI, DI};
        struct nova_address *const address = &cursor->address;
        const bool absolute = mod == 0 && rm == 6;

        address->base = absolute ? NOVA_NO_REGISTER : base[rm];
        if (rm < 4)
                address->index = index[rm];
        address->constant = next_signed(cursor, mod == 1 ? 1 : mod == 2 || absolute ? 2 : 0);
}

static void read_sib(struct cursor *cursor, unsigned mod)
{
        struct nova_address *const address = &cursor->address;
        const uint8_t sib = next(cursor);
        const unsigned index = (sib >> 3 & 7) | (cursor->rex & REX_X ? 8 : 0);

        address->base = sib & 7;
        if (address->base == BP && mod == 0)
                address->base = NOVA_NO_REGISTER;
        if (index == SP)
                return;
        address->index = (uint8_t)index;
        address->scale = sib >> 6;
}

/* Decodes the other forms of a memory operand (tables 2-2 and 2-3). */
static void read_address32(struct cursor *cursor, unsigned mod, unsigned rm)
{
        struct nova_address *const address = &cursor->address;

        address->base = (uint8_t)rm;
        if (rm == SP)
                read_sib(cursor, mod);
        else if (rm == BP && mod == 0)
                address->base = NOVA_NO_REGISTER;

        const bool absolute = address->base == NOVA_NO_REGISTER;

        address->from_next = absolute && rm == BP && cursor->bits == 64;
        if (!absolute && cursor->rex & REX_B)
                address->base |= 8;
        address->constant = next_signed(cursor, mod == 1 ? 1 : mod == 2 || absolute ? 4 : 0);
}

/* Decodes ModRM, SIB and displacement of a memory operand.
 * @return ModRM's middle bits */
static unsigned read_modrm(struct cursor *cursor)
{
        const uint8_t modrm = next(cursor);
        const unsigned mod = modrm >> 6, rm = modrm & 7;

        if (mod == 3)
                cursor->refused = true;
        else if (address_bytes(cursor) == 2)
                read_address16(cursor, mod, rm);
        else
                read_address32(cursor, mod, rm);
        if (!cursor->overridden && (cursor->address.base == SP || cursor->address.base == BP))
                cursor->segment = NOVA_SEGMENT_SS;
        return modrm >> 3 & 7;
}

static void set_register(const struct cursor *cursor, unsigned number, struct nova_instruction *out)
{
        out->reg = (uint8_t)(number | (cursor->rex & REX_R ? 8 : 0));
        if (out->target_bytes == 1 && !cursor->rex && out->reg >= 4) {
                out->reg -= 4;
                out->high = true;
        }
}

static void set_bytes(const struct cursor *cursor, bool wide, struct nova_instruction *out)
{
        out->bytes = out->target_bytes = (uint8_t)operand_bytes(cursor, wide);
}

/* Decodes an instruction with ModRM whose register has the size of the memory operand. */
static bool decode_register(struct cursor *cursor, enum nova_operation operation, bool wide,
                            struct nova_instruction *out)
{
        out->operation = operation;
        set_bytes(cursor, wide, out);
        set_register(cursor, read_modrm(cursor), out);
        return true;
}

/* Reads a sign-extended immediate of at most four bytes. */
static void read_immediate(struct cursor *cursor, unsigned bytes, struct nova_instruction *out)
{
        out->has_immediate = true;
        out->immediate = next_signed(cursor, bytes > 4 ? 4 : bytes);
}

/* Decodes MOVZX, MOVSX and MOVSXD, whose register is larger than the memory operand. */
static bool decode_extended(struct cursor *cursor, unsigned bytes, bool sign,
                            struct nova_instruction *out)
{
        out->operation = NOVA_OP_LOAD;
        out->target_bytes = (uint8_t)operand_bytes(cursor, true);
        out->bytes = (uint8_t)bytes;
        out->sign = sign;
        set_register(cursor, read_modrm(cursor), out);
        return out->target_bytes >= bytes;
}

/* Decodes BT, BTS, BTR and BTC with an immediate: the upper half of a group. */
static bool decode_bit(struct cursor *cursor, struct nova_instruction *out)
{
        const unsigned number = read_modrm(cursor);

        if (number < 4)
                return false;
        out->operation = (enum nova_operation)(NOVA_OP_BT + number - 4);
        set_bytes(cursor, true, out);
        read_immediate(cursor, 1, out);
        return true;
}

/* Decodes MOVNTI, which permits no prefixes that change opcodes. */
static bool decode_movnti(struct cursor *cursor, struct nova_instruction *out)
{
        decode_register(cursor, NOVA_OP_STORE, true, out);
        if (out->bytes == 2)
                out->bytes = out->target_bytes = 4;
        return !cursor->operand16 && cursor->repeat == NOVA_REPEAT_NONE;
}

/* Decodes opcodes that begin with 0f. */
static bool decode_second(struct cursor *cursor, struct nova_instruction *out)
{
        const uint8_t opcode = next(cursor);

        switch (opcode) {
        case 0xa3:
        case 0xab:
        case 0xb3:
        case 0xbb:
                return decode_register(
                        cursor, (enum nova_operation)(NOVA_OP_BT + (opcode >> 3 & 3)), true, out);
        case 0xb0:
        case 0xb1:
                return decode_register(cursor, NOVA_OP_CMPXCHG, opcode & 1, out);
        case 0xb6:
        case 0xb7:
        case 0xbe:
        case 0xbf:
                return decode_extended(cursor, opcode & 1 ? 2 : 1, opcode & 8, out);
        case 0xba:
                return decode_bit(cursor, out);
        case 0xc0:
        case 0xc1:
                return decode_register(cursor, NOVA_OP_XADD, opcode & 1, out);
        case 0xc3:
                return decode_movnti(cursor, out);
        default:
                return false;
        }
}

/* Decodes MOV between the accumulator and an address in the instruction: a0 to a3. */
static bool decode_offset(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        cursor->address.constant = next_value(cursor, address_bytes(cursor));
        out->operation = opcode & 2 ? NOVA_OP_STORE : NOVA_OP_LOAD;
        set_bytes(cursor, opcode & 1, out);
        return true;
}

/* Decodes groups in which ModRM names the operation: 80 to 83, with an immediate. */
static bool decode_arithmetic(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        out->operation = (enum nova_operation)(NOVA_OP_ADD + read_modrm(cursor));
        set_bytes(cursor, opcode & 1, out);
        read_immediate(cursor, opcode == 0x83 ? 1 : out->bytes, out);
        return opcode != 0x82 || cursor->bits != 64;
}

/* Decodes groups c6, c7 (MOV), f6, f7 (TEST twice, NOT, NEG) and fe, ff (INC, DEC). Drivers do not
 * use the other operations of these groups on devices. */
static bool decode_group(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        const unsigned number = read_modrm(cursor);

        set_bytes(cursor, opcode & 1, out);
        if (opcode <= 0xc7) {
                out->operation = NOVA_OP_STORE;
                read_immediate(cursor, out->bytes, out);
                return number == 0;
        }
        if (opcode >= 0xfe) {
                out->operation = number ? NOVA_OP_DEC : NOVA_OP_INC;
                return number < 2;
        }
        if (number >= 2) {
                out->operation = number == 2 ? NOVA_OP_NOT : NOVA_OP_NEG;
                return number < 4;
        }
        out->operation = NOVA_OP_TEST;
        read_immediate(cursor, out->bytes, out);
        return true;
}

static bool decode_string(const struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        out->operation = opcode <= 0x6f   ? NOVA_OP_INS + (opcode >> 1 & 1)
                         : opcode <= 0xa7 ? NOVA_OP_MOVS + (opcode >> 1 & 1)
                                          : NOVA_OP_STOS + ((opcode - 0xaa) >> 1);
        set_bytes(cursor, opcode & 1, out);
        if (opcode <= 0x6f && out->bytes == 8) /* ports have four bytes at most */
                out->bytes = out->target_bytes = 4;
        out->repeat = cursor->repeat;
        return true;
}

static bool decode_opcode(struct cursor *cursor, uint8_t opcode, struct nova_instruction *out)
{
        static const uint8_t group[] = {0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff};
        static const uint8_t moves[] = {NOVA_OP_TEST, NOVA_OP_EXCHANGE, NOVA_OP_STORE,
                                        NOVA_OP_LOAD};

        if (opcode < 0x40 && (opcode & 7) < 4) {
                out->to_register = opcode & 2;
                return decode_register(cursor, (enum nova_operation)(NOVA_OP_ADD + (opcode >> 3)),
                                       opcode & 1, out);
        }
        if (opcode == 0x63 && cursor->bits == 64 && operand_bytes(cursor, true) != 2)
                return decode_extended(cursor, 4, true, out);
        if (opcode >= 0x80 && opcode <= 0x83)
                return decode_arithmetic(cursor, opcode, out);
        if (opcode >= 0x84 && opcode <= 0x8b)
                return decode_register(cursor, (enum nova_operation)moves[(opcode - 0x84) / 2],
                                       opcode & 1, out);
        if ((opcode & 0xfc) == 0xa0)
                return decode_offset(cursor, opcode, out);
        if ((opcode & 0xfc) == 0x6c || (opcode & 0xfc) == 0xa4 ||
            (opcode >= 0xaa && opcode <= 0xaf))
                return decode_string(cursor, opcode, out);
        if (memchr(group, opcode, sizeof(group)))
                return decode_group(cursor, opcode, out);
        return opcode == 0x0f && decode_second(cursor, out);
}

/* Returns true if LOCK is valid: the instruction must change memory. */
static bool may_lock(const struct nova_instruction *in)
{
        return !nova_is_string(in) && in->operation != NOVA_OP_STORE && nova_operand_is_written(in);
}

static struct cursor begin(const uint8_t *code, size_t count, unsigned bits)
{
        const struct cursor cursor = {
                .code = code,
                .count = count < NOVA_CODE_BYTES ? count : NOVA_CODE_BYTES,
                .bits = bits,
                .segment = NOVA_SEGMENT_DS,
                .address = {.base = NOVA_NO_REGISTER, .index = NOVA_NO_REGISTER},
        };

        return cursor;
}

bool nova_decode(const uint8_t *code, size_t count, unsigned bits, struct nova_instruction *out)
{
        struct cursor cursor = begin(code, count, bits);

        memset(out, 0, sizeof(*out));

        const uint8_t opcode = read_prefixes(&cursor);

        if (!decode_opcode(&cursor, opcode, out) || cursor.refused ||
            (cursor.lock && !may_lock(out)))
                return false;
        out->address_bytes = (uint8_t)address_bytes(&cursor);
        out->length = (uint8_t)cursor.at;
        out->from = cursor.segment;
        out->address = cursor.address;
        return true;
}

_Static_assert(sizeof(struct nova_code) == NOVA_CODE_BYTES + 1 + sizeof(unsigned),
               "compared as a whole");

const struct nova_instruction *nova_decode_again(struct nova_decoded *last,
                                                 const struct nova_code *code)
{
        if (code->count && memcmp(&last->code, code, sizeof(*code)) == 0)
                return &last->in;
        last->code = *code;
        if (nova_decode(code->byte, code->count, code->bits, &last->in))
                return &last->in;
        last->code.count = 0; /* there is no result to return again */
        return NULL;
}

/* The operand is a register for any value of ModRM's upper bits. On AMD CPUs, CR0 with a LOCK
 * prefix means CR8, outside 64-bit mode, too. */
bool nova_decode_cr8_write(const uint8_t *code, size_t count, unsigned bits,
                           struct nova_instruction *out)
{
        struct cursor cursor = begin(code, count, bits);
        const uint8_t first = read_prefixes(&cursor), second = next(&cursor);
        const uint8_t operands = next(&cursor);
        const unsigned number = (operands >> 3 & 7) | (cursor.rex & REX_R ? 8u : 0);

        memset(out, 0, sizeof(*out));
        out->operation = NOVA_OP_STORE;
        out->length = (uint8_t)cursor.at;
        out->bytes = out->target_bytes = bits == 64 ? 8 : 4;
        out->reg = (uint8_t)((operands & 7) | (cursor.rex & REX_B ? 8 : 0));
        return !cursor.refused && first == 0x0f && second == 0x22 &&
               number == (cursor.lock ? 0u : 8u);
}

size_t nova_decode_prefixes(const uint8_t *code, size_t count, unsigned bits)
{
        struct cursor cursor = begin(code, count, bits);

        read_prefixes(&cursor);
        return cursor.refused ? 0 : cursor.at - 1;
}
