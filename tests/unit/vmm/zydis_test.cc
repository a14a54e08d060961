/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the decoder with Zydis, a widely used decoder, on millions of byte strings. An
 * instruction that only one of them knows is a failure, too. */
#include "novavmm/decode.h"

#include <Zydis/Zydis.h>
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>

namespace
{

/* Operations by name. */
const std::map<ZydisMnemonic, nova_operation> moves = {
        {ZYDIS_MNEMONIC_MOVZX, NOVA_OP_LOAD},    {ZYDIS_MNEMONIC_MOVSX, NOVA_OP_LOAD},
        {ZYDIS_MNEMONIC_MOVSXD, NOVA_OP_LOAD},   {ZYDIS_MNEMONIC_MOVNTI, NOVA_OP_STORE},
        {ZYDIS_MNEMONIC_XCHG, NOVA_OP_EXCHANGE}, {ZYDIS_MNEMONIC_ADD, NOVA_OP_ADD},
        {ZYDIS_MNEMONIC_OR, NOVA_OP_OR},         {ZYDIS_MNEMONIC_ADC, NOVA_OP_ADC},
        {ZYDIS_MNEMONIC_SBB, NOVA_OP_SBB},       {ZYDIS_MNEMONIC_AND, NOVA_OP_AND},
        {ZYDIS_MNEMONIC_SUB, NOVA_OP_SUB},       {ZYDIS_MNEMONIC_XOR, NOVA_OP_XOR},
        {ZYDIS_MNEMONIC_CMP, NOVA_OP_CMP},       {ZYDIS_MNEMONIC_TEST, NOVA_OP_TEST},
        {ZYDIS_MNEMONIC_NOT, NOVA_OP_NOT},       {ZYDIS_MNEMONIC_NEG, NOVA_OP_NEG},
        {ZYDIS_MNEMONIC_INC, NOVA_OP_INC},       {ZYDIS_MNEMONIC_DEC, NOVA_OP_DEC},
        {ZYDIS_MNEMONIC_BT, NOVA_OP_BT},         {ZYDIS_MNEMONIC_BTS, NOVA_OP_BTS},
        {ZYDIS_MNEMONIC_BTR, NOVA_OP_BTR},       {ZYDIS_MNEMONIC_BTC, NOVA_OP_BTC},
        {ZYDIS_MNEMONIC_XADD, NOVA_OP_XADD},     {ZYDIS_MNEMONIC_CMPXCHG, NOVA_OP_CMPXCHG},
        {ZYDIS_MNEMONIC_MOV, NOVA_OP_LOAD}, /* or a store */
};
const std::map<ZydisMnemonic, nova_operation> strings = {
        {ZYDIS_MNEMONIC_MOVSB, NOVA_OP_MOVS}, {ZYDIS_MNEMONIC_MOVSW, NOVA_OP_MOVS},
        {ZYDIS_MNEMONIC_MOVSD, NOVA_OP_MOVS}, {ZYDIS_MNEMONIC_MOVSQ, NOVA_OP_MOVS},
        {ZYDIS_MNEMONIC_CMPSB, NOVA_OP_CMPS}, {ZYDIS_MNEMONIC_CMPSW, NOVA_OP_CMPS},
        {ZYDIS_MNEMONIC_CMPSD, NOVA_OP_CMPS}, {ZYDIS_MNEMONIC_CMPSQ, NOVA_OP_CMPS},
        {ZYDIS_MNEMONIC_STOSB, NOVA_OP_STOS}, {ZYDIS_MNEMONIC_STOSW, NOVA_OP_STOS},
        {ZYDIS_MNEMONIC_STOSD, NOVA_OP_STOS}, {ZYDIS_MNEMONIC_STOSQ, NOVA_OP_STOS},
        {ZYDIS_MNEMONIC_LODSB, NOVA_OP_LODS}, {ZYDIS_MNEMONIC_LODSW, NOVA_OP_LODS},
        {ZYDIS_MNEMONIC_LODSD, NOVA_OP_LODS}, {ZYDIS_MNEMONIC_LODSQ, NOVA_OP_LODS},
        {ZYDIS_MNEMONIC_SCASB, NOVA_OP_SCAS}, {ZYDIS_MNEMONIC_SCASW, NOVA_OP_SCAS},
        {ZYDIS_MNEMONIC_SCASD, NOVA_OP_SCAS}, {ZYDIS_MNEMONIC_SCASQ, NOVA_OP_SCAS},
        {ZYDIS_MNEMONIC_INSB, NOVA_OP_INS},   {ZYDIS_MNEMONIC_INSW, NOVA_OP_INS},
        {ZYDIS_MNEMONIC_INSD, NOVA_OP_INS},   {ZYDIS_MNEMONIC_OUTSB, NOVA_OP_OUTS},
        {ZYDIS_MNEMONIC_OUTSW, NOVA_OP_OUTS}, {ZYDIS_MNEMONIC_OUTSD, NOVA_OP_OUTS},
};

/* Two instructions are equal if these fields are. */
struct summary {
        int operation = -1; /* -1: an instruction that the decoder need not know */
        unsigned length = 0, bytes = 0, address_bytes = 0;
        int reg = ZYDIS_REGISTER_NONE;
        bool to_register = false, sign = false, has_immediate = false;
        uint64_t immediate = 0;
        int from = ZYDIS_REGISTER_NONE, repeat = NOVA_REPEAT_NONE;
        int base = ZYDIS_REGISTER_NONE, index = ZYDIS_REGISTER_NONE;
        unsigned scale = 0;
        uint64_t constant = 0;

        /* Returns all fields, in order. */
        std::array<uint64_t, 15> values() const
        {
                return {uint64_t(operation),
                        length,
                        bytes,
                        address_bytes,
                        uint64_t(reg),
                        to_register,
                        sign,
                        has_immediate,
                        immediate,
                        uint64_t(from),
                        uint64_t(repeat),
                        uint64_t(base),
                        uint64_t(index),
                        scale,
                        constant};
        }

        /* Unknown instructions are equal, whatever their other fields. */
        bool operator==(const summary &other) const
        {
                if (operation < 0 || other.operation < 0)
                        return operation < 0 && other.operation < 0;
                return values() == other.values();
        }

        std::string text() const
        {
                std::string out;
                for (uint64_t value : values())
                        out += std::to_string(value) + " ";
                return operation < 0 ? "unknown" : out;
        }
};

uint64_t cut(uint64_t value, unsigned bytes)
{
        return value & UINT64_MAX >> (64 - 8 * bytes);
}

/* Immediates of bit instructions are byte-sized bit numbers. */
bool is_bit(int operation)
{
        return operation >= NOVA_OP_BT && operation <= NOVA_OP_BTC;
}

int register_of(const nova_instruction &in)
{
        switch (in.target_bytes) {
        case 1:
                if (in.high)
                        return ZYDIS_REGISTER_AH + in.reg;
                return in.reg < 4   ? ZYDIS_REGISTER_AL + in.reg
                       : in.reg < 8 ? ZYDIS_REGISTER_SPL + in.reg - 4
                                    : ZYDIS_REGISTER_R8B + in.reg - 8;
        case 2:
                return ZYDIS_REGISTER_AX + in.reg;
        case 4:
                return ZYDIS_REGISTER_EAX + in.reg;
        default:
                return ZYDIS_REGISTER_RAX + in.reg;
        }
}

/* Returns a general register of an address. */
int address_register(uint8_t number, unsigned bytes)
{
        if (number == NOVA_NO_REGISTER)
                return ZYDIS_REGISTER_NONE;
        return number + (bytes == 2   ? ZYDIS_REGISTER_AX
                         : bytes == 4 ? ZYDIS_REGISTER_EAX
                                      : ZYDIS_REGISTER_RAX);
}

void set_address(const nova_instruction &in, summary *out)
{
        out->from = ZYDIS_REGISTER_ES + in.from;
        out->base = address_register(in.address.base, in.address_bytes);
        if (in.address.from_next)
                out->base = in.address_bytes == 4 ? ZYDIS_REGISTER_EIP : ZYDIS_REGISTER_RIP;
        out->index = address_register(in.address.index, in.address_bytes);
        if (out->index)
                out->scale = 1u << in.address.scale;
        out->constant = cut(in.address.constant, in.address_bytes);
}

bool compares(int operation)
{
        return operation == NOVA_OP_CMPS || operation == NOVA_OP_SCAS;
}

bool reads_si(int operation)
{
        return operation == NOVA_OP_MOVS || operation == NOVA_OP_CMPS ||
               operation == NOVA_OP_LODS || operation == NOVA_OP_OUTS;
}

summary ours(const uint8_t *code, size_t count, unsigned bits)
{
        summary out;
        nova_instruction in;

        if (!nova_decode(code, count, bits, &in))
                return out;
        out.operation = in.operation;
        out.length = in.length;
        out.bytes = in.bytes;
        out.address_bytes = in.address_bytes;
        if (nova_is_string(&in)) {
                if (reads_si(in.operation))
                        out.from = ZYDIS_REGISTER_ES + in.from;
                out.repeat = in.repeat;
                if (in.repeat && !compares(in.operation))
                        out.repeat = NOVA_REPEAT_EQUAL;
                return out;
        }
        set_address(in, &out);
        out.sign = in.sign;
        out.has_immediate = in.has_immediate;
        if (in.has_immediate)
                out.immediate = cut(in.immediate, is_bit(in.operation) ? 1 : in.bytes);
        else if (in.operation < NOVA_OP_NOT || in.operation > NOVA_OP_DEC)
                out.reg = register_of(in);
        out.to_register = in.to_register;
        return out;
}

void read_string(const ZydisDecodedInstruction &in, const ZydisDecodedOperand *operand,
                 summary *out)
{
        for (unsigned i = 0; i < in.operand_count; i++) {
                if (operand[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
                        continue;
                out->bytes = operand[i].size / 8;
                const ZydisRegister base = operand[i].mem.base;
                if (base == ZYDIS_REGISTER_SI || base == ZYDIS_REGISTER_ESI ||
                    base == ZYDIS_REGISTER_RSI)
                        out->from = operand[i].mem.segment;
        }
        if (in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
                out->repeat = NOVA_REPEAT_EQUAL;
        if (in.attributes & ZYDIS_ATTRIB_HAS_REPNE)
                out->repeat = compares(out->operation) ? NOVA_REPEAT_NOT_EQUAL : NOVA_REPEAT_EQUAL;
}

/* Zydis reports no scale for 16-bit addresses, and with REX.B it reports a base for 32-bit
 * addresses that have none (SDM 2, table 2-3: a constant in its place). */
void read_address(const ZydisDecodedInstruction &in, const ZydisDecodedOperand &operand,
                  summary *out)
{
        const unsigned bytes = in.address_width / 8;
        const bool absolute = bytes == 4 && in.raw.modrm.mod == 0 && in.raw.modrm.rm == 4 &&
                              (in.attributes & ZYDIS_ATTRIB_HAS_SIB) && in.raw.sib.base == 5;

        out->from = operand.mem.segment;
        out->base = absolute ? ZYDIS_REGISTER_NONE : operand.mem.base;
        out->index = operand.mem.index;
        if (out->index)
                out->scale = bytes == 2 ? 1 : operand.mem.scale;
        const int64_t constant = absolute ? in.raw.disp.value : operand.mem.disp.value;
        out->constant = cut(static_cast<uint64_t>(constant), bytes);
}

/* @return false: there is no operand in memory */
bool read_operands(const ZydisDecodedInstruction &in, const ZydisDecodedOperand *operand,
                   summary *out)
{
        bool memory_first = false;

        for (unsigned i = 0; i < in.operand_count_visible; i++) {
                if (operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
                        out->bytes = operand[i].size / 8;
                        read_address(in, operand[i], out);
                        memory_first = i == 0;
                } else if (operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER) {
                        out->reg = operand[i].reg.value;
                } else {
                        out->has_immediate = true;
                        out->immediate = operand[i].imm.value.u;
                }
        }
        if (in.mnemonic == ZYDIS_MNEMONIC_MOV && memory_first)
                out->operation = NOVA_OP_STORE;
        out->to_register =
                out->operation >= NOVA_OP_ADD && out->operation <= NOVA_OP_CMP && !memory_first;
        out->sign = in.mnemonic == ZYDIS_MNEMONIC_MOVSX || in.mnemonic == ZYDIS_MNEMONIC_MOVSXD;
        if (!out->bytes)
                return false;
        if (out->has_immediate)
                out->immediate = cut(out->immediate, is_bit(out->operation) ? 1 : out->bytes);
        return true;
}

/* Returns true for instructions that only Zydis knows: a move of a segment register, and MOVSXD to
 * 16 bits, on which CPU vendors disagree. */
bool is_exception(const ZydisDecodedInstruction &in, const summary &out)
{
        return (out.reg >= ZYDIS_REGISTER_ES && out.reg <= ZYDIS_REGISTER_GS) ||
               (in.mnemonic == ZYDIS_MNEMONIC_MOVSXD && in.operand_width == 16);
}

summary theirs(const ZydisDecoder &decoder, const uint8_t *code, size_t count)
{
        const summary unknown;
        summary out;
        ZydisDecodedInstruction in;
        ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];

        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, count, &in, operand)))
                return unknown;
        out.length = in.length;
        out.address_bytes = in.address_width / 8;
        if (in.meta.category == ZYDIS_CATEGORY_STRINGOP ||
            in.meta.category == ZYDIS_CATEGORY_IOSTRINGOP) {
                const auto found = strings.find(in.mnemonic);
                if (found == strings.end())
                        return unknown;
                out.operation = found->second;
                read_string(in, operand, &out);
                return out;
        }
        const auto found = moves.find(in.mnemonic);
        if (found == moves.end())
                return unknown;
        out.operation = found->second;
        return read_operands(in, operand, &out) && !is_exception(in, out) ? out : unknown;
}

struct zydis : testing::TestWithParam<unsigned> {
        ZydisDecoder decoder = {};
        unsigned bits = GetParam(), known = 0, wrong = 0;

        void SetUp() override
        {
                const ZydisMachineMode mode = bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                                              : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                                           : ZYDIS_MACHINE_MODE_LEGACY_16;
                const ZydisStackWidth width = bits == 64   ? ZYDIS_STACK_WIDTH_64
                                              : bits == 32 ? ZYDIS_STACK_WIDTH_32
                                                           : ZYDIS_STACK_WIDTH_16;
                ASSERT_TRUE(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, width)));
        }

        void compare(const uint8_t *code, size_t count)
        {
                const summary a = ours(code, count, bits), b = theirs(decoder, code, count);
                known += a.operation >= 0;
                if (a == b || ++wrong > 20)
                        return;
                std::string bytes;
                for (size_t i = 0; i < count; i++) {
                        char text[4];
                        snprintf(text, sizeof(text), "%02x ", code[i]);
                        bytes += text;
                }
                ADD_FAILURE() << bits << " bits: " << bytes << "\n  ours   " << a.text()
                              << "\n  theirs " << b.text();
        }

        void compare_operands(unsigned rex, unsigned opcode, unsigned modrm, unsigned sib)
        {
                uint8_t code[NOVA_CODE_BYTES];
                size_t at = 0;

                memset(code, 0x9c, sizeof(code));
                if (rex)
                        code[at++] = static_cast<uint8_t>(rex);
                if (opcode >= 256)
                        code[at++] = 0x0f;
                for (unsigned byte : {opcode, modrm, sib})
                        code[at++] = static_cast<uint8_t>(byte);
                compare(code, sizeof(code));
        }
};

/* Every opcode of one and two bytes with every ModRM and some SIBs; in 64-bit mode with REX. */
TEST_P(zydis, agrees_on_all_opcodes_and_operands)
{
        for (unsigned rex : {0x00u, 0x40u, 0x41u, 0x44u, 0x48u, 0x4fu}) {
                if (rex && bits != 64)
                        break;
                for (unsigned opcode = 0; opcode < 512; opcode++)
                        for (unsigned modrm = 0; modrm < 256; modrm++)
                                for (unsigned sib : {0x24u, 0x45u})
                                        compare_operands(rex, opcode, modrm, sib);
        }
        EXPECT_EQ(wrong, 0u);
        EXPECT_GT(known, 10000u);
}

/* Prefixes in all orders, truncated anywhere. */
TEST_P(zydis, agrees_on_random_bytes_after_prefixes)
{
        static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66, 0x67,
                                           0x67, 0xf0, 0xf2, 0xf3, 0xf3, 0x40, 0x44, 0x48, 0x4f};
        std::mt19937 random(bits);
        for (unsigned i = 0; i < 1000000; i++) {
                uint8_t code[NOVA_CODE_BYTES];
                size_t at = random() % 5;
                for (size_t n = 0; n < at; n++)
                        code[n] = prefixes[random() % sizeof(prefixes)];
                if (random() % 4 == 0)
                        code[at++] = 0x0f;
                while (at < sizeof(code))
                        code[at++] = static_cast<uint8_t>(random());
                compare(code, i % 8 ? sizeof(code) : random() % sizeof(code));
        }
        EXPECT_EQ(wrong, 0u);
        EXPECT_GT(known, 50000u);
}

INSTANTIATE_TEST_SUITE_P(bits, zydis, testing::Values(16, 32, 64));

} // namespace
