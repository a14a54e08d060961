/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that access devices: bytes, operands, flags, page tables. */
#include "novavmm/decode.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "novavmm/registers.h"

namespace
{

using bytes = std::vector<uint8_t>;

struct decode : testing::Test {
        nova_instruction in = {};
        nova_utcb_state state = {};

        bool known(const bytes &code, unsigned bits = 64)
        {
                return nova_decode(code.data(), code.size(), bits, &in);
        }
};

TEST_F(decode, a_store_of_a_register)
{
        ASSERT_TRUE(known({0x89, 0xb7, 0x00, 0xd0, 0x5f, 0xff})); /* mov %esi, -0xa03000(%rdi) */
        EXPECT_EQ(in.operation, NOVA_OP_STORE);
        EXPECT_EQ(in.length, 6);
        EXPECT_EQ(in.bytes, 4);
        state.si = 0x1122334455667788;
        EXPECT_EQ(nova_operand_get(&state, &in), 0x55667788u);
}

TEST_F(decode, a_load_into_a_register_with_rex)
{
        ASSERT_TRUE(known({0x44, 0x8b, 0x04, 0x25, 0, 0xd0, 0x5f, 0xff})); /* mov …, %r8d */
        EXPECT_EQ(in.length, 8);
        state.r8 = UINT64_MAX;
        EXPECT_EQ(nova_operand_set(&state, &in, 0x80000001), nova_mtd_t{NOVA_MTD_R8_R15});
        EXPECT_EQ(state.r8, 0x80000001u);
}

TEST_F(decode, small_loads_keep_the_rest_of_the_register)
{
        state.ax = UINT64_MAX;
        ASSERT_TRUE(known({0x8a, 0x27})); /* mov (%rdi), %ah */
        EXPECT_EQ(nova_operand_set(&state, &in, 0x12), nova_mtd_t{NOVA_MTD_ACDB});
        EXPECT_EQ(state.ax, 0xffffffffffff12ffu);
        ASSERT_TRUE(known({0x66, 0x8b, 0x07})); /* mov (%rdi), %ax */
        nova_operand_set(&state, &in, 0x3456);
        EXPECT_EQ(state.ax, 0xffffffffffff3456u);
}

TEST_F(decode, a_rex_prefix_makes_low_bytes_of_the_high_ones)
{
        ASSERT_TRUE(known({0x40, 0x8a, 0x27})); /* mov (%rdi), %spl */
        state.sp = 0xff00;
        EXPECT_EQ(nova_operand_set(&state, &in, 0x12), nova_mtd_t{NOVA_MTD_ESP});
        EXPECT_EQ(state.sp, 0xff12u);
}

TEST_F(decode, loads_with_extension)
{
        ASSERT_TRUE(known({0x48, 0x0f, 0xbe, 0x07})); /* movsbq (%rdi), %rax */
        nova_operand_set(&state, &in, 0x80);
        EXPECT_EQ(state.ax, 0xffffffffffffff80u);
        ASSERT_TRUE(known({0x0f, 0xb7, 0x0f})); /* movzwl (%rdi), %ecx */
        state.cx = UINT64_MAX;
        nova_operand_set(&state, &in, 0x8000);
        EXPECT_EQ(state.cx, 0x8000u);
        ASSERT_TRUE(known({0x0f, 0xbf, 0x0f})); /* movswl (%rdi), %ecx */
        nova_operand_set(&state, &in, 0x8000);
        EXPECT_EQ(state.cx, 0xffff8000u);
}

TEST_F(decode, immediates)
{
        ASSERT_TRUE(known({0xc7, 0x40, 0x10, 0x78, 0x56, 0x34, 0x12})); /* movl $…, 16(%rax) */
        EXPECT_EQ(in.length, 7);
        EXPECT_EQ(nova_operand_get(&state, &in), 0x12345678u);
        ASSERT_TRUE(known({0x48, 0xc7, 0x00, 0xff, 0xff, 0xff, 0xff})); /* movq $-1, (%rax) */
        EXPECT_EQ(nova_operand_get(&state, &in), UINT64_MAX);
        ASSERT_TRUE(known({0x83, 0x08, 0x80})); /* orl $-128, (%rax) */
        EXPECT_EQ(in.operation, NOVA_OP_OR);
        EXPECT_EQ(nova_operand_get(&state, &in), 0xffffff80u);
        ASSERT_TRUE(known({0xf6, 0x00, 0x10})); /* testb $16, (%rax) */
        EXPECT_EQ(in.operation, NOVA_OP_TEST);
        EXPECT_EQ(in.bytes, 1);
}

TEST_F(decode, addresses_of_16_and_32_bits)
{
        ASSERT_TRUE(known({0x8b, 0x06, 0x34, 0x12}, 16)); /* mov 0x1234, %ax */
        EXPECT_EQ(in.length, 4);
        EXPECT_EQ(in.bytes, 2);
        ASSERT_TRUE(known({0x67, 0x66, 0x8b, 0x05, 1, 2, 3, 4}, 16)); /* mov 0x04030201, %eax */
        EXPECT_EQ(in.length, 8);
        EXPECT_EQ(in.bytes, 4);
        ASSERT_TRUE(known({0xa1, 1, 2, 3, 4}, 32)); /* mov 0x04030201, %eax */
        EXPECT_EQ(in.length, 5);
        ASSERT_TRUE(known({0x8b, 0x44, 0x98, 0x10}, 32)); /* mov 16(%eax,%ebx,4), %eax */
        EXPECT_EQ(in.length, 4);
}

TEST_F(decode, arithmetic_in_both_directions)
{
        ASSERT_TRUE(known({0x21, 0x07})); /* and %eax, (%rdi) */
        EXPECT_EQ(in.operation, NOVA_OP_AND);
        EXPECT_FALSE(in.to_register);
        ASSERT_TRUE(known({0x3b, 0x07})); /* cmp (%rdi), %eax */
        EXPECT_EQ(in.operation, NOVA_OP_CMP);
        EXPECT_TRUE(in.to_register);
        ASSERT_TRUE(known({0xf0, 0x87, 0x07})); /* lock xchg %eax, (%rdi) */
        EXPECT_EQ(in.operation, NOVA_OP_EXCHANGE);
}

TEST_F(decode, refuses_unknown_instructions_and_forms)
{
        EXPECT_FALSE(known({0x8b, 0xc0}));       /* no memory operand */
        EXPECT_FALSE(known({0xd1, 0x07}));       /* rol */
        EXPECT_FALSE(known({0xf0, 0x89, 0x07})); /* lock mov */
        EXPECT_FALSE(known({0x0f, 0x10, 0x07})); /* movups */
        EXPECT_FALSE(known({0xf7, 0x27}));       /* mul */
        EXPECT_FALSE(known({0x89}));             /* cut off */
        EXPECT_FALSE(known({0x89, 0x84, 0x98, 1, 2, 3}));
        EXPECT_FALSE(known({}));
        EXPECT_FALSE(known(bytes(20, 0x66)));
}

TEST_F(decode, every_pair_of_bytes_is_survived)
{
        bytes code(NOVA_CODE_BYTES, 0);
        for (unsigned first = 0; first < 0x10000; first++)
                for (unsigned bits : {16u, 32u, 64u}) {
                        code[0] = static_cast<uint8_t>(first);
                        code[1] = static_cast<uint8_t>(first >> 8);
                        if (!known(code, bits))
                                continue;
                        EXPECT_LE(in.length, NOVA_CODE_BYTES);
                        EXPECT_LT(in.reg, 16);
                        nova_operand_set(&state, &in, nova_operand_get(&state, &in));
                }
}

TEST(compute, flags_are_those_of_the_cpu)
{
        nova_word_t flags = NOVA_FLAG_IF;
        EXPECT_EQ(nova_compute(NOVA_OP_SUB, 1, 0, 1, &flags), 0xffu);
        EXPECT_EQ(flags, nova_word_t{NOVA_FLAG_IF | 0x1 | 0x4 | 0x10 | 0x80});
        EXPECT_EQ(nova_compute(NOVA_OP_ADD, 4, 0x7fffffff, 1, &flags), 0x80000000u);
        EXPECT_EQ(flags, nova_word_t{NOVA_FLAG_IF | 0x4 | 0x10 | 0x80 | 0x800});
        EXPECT_EQ(nova_compute(NOVA_OP_ADD, 8, UINT64_MAX, 1, &flags), 0u);
        EXPECT_EQ(flags, nova_word_t{NOVA_FLAG_IF | 0x1 | 0x4 | 0x10 | 0x40});
        EXPECT_EQ(nova_compute(NOVA_OP_AND, 2, 0x0ff0, 0x8180, &flags), 0x0180u);
        EXPECT_EQ(flags, nova_word_t{NOVA_FLAG_IF});
        EXPECT_EQ(nova_compute(NOVA_OP_XOR, 4, 5, 5, &flags), 0u);
        EXPECT_EQ(flags, nova_word_t{NOVA_FLAG_IF | 0x4 | 0x40});
}

/* Executes an operation on the CPU of this test. The area below the stack pointer may be in use. */
#define ON_CPU(name, operation, T)                                             \
        uint64_t name(uint64_t to, uint64_t from, nova_word_t *flags)          \
        {                                                                      \
                T left = static_cast<T>(to), right = static_cast<T>(from);     \
                __asm__("leaq -128(%%rsp), %%rsp; pushq %1; popfq; " operation \
                        "; pushfq; popq %1; leaq 128(%%rsp), %%rsp"            \
                        : "+r"(left), "+r"(*flags), "+r"(right)                \
                        :                                                      \
                        : "cc", "memory");                                     \
                return left;                                                   \
        }
#define ON_CPU_TWO(name)                            \
        ON_CPU(name##_1, #name " %2, %0", uint8_t)  \
        ON_CPU(name##_2, #name " %2, %0", uint16_t) \
        ON_CPU(name##_4, #name " %2, %0", uint32_t) \
        ON_CPU(name##_8, #name " %2, %0", uint64_t)
#define ON_CPU_ONE(name)                        \
        ON_CPU(name##_1, #name " %0", uint8_t)  \
        ON_CPU(name##_2, #name " %0", uint16_t) \
        ON_CPU(name##_4, #name " %0", uint32_t) \
        ON_CPU(name##_8, #name " %0", uint64_t)
#define ON_CPU_BIT(name)                            \
        ON_CPU(name##_2, #name " %2, %0", uint16_t) \
        ON_CPU(name##_4, #name " %2, %0", uint32_t) \
        ON_CPU(name##_8, #name " %2, %0", uint64_t)

ON_CPU_TWO(add)
ON_CPU_TWO(adc)
ON_CPU_TWO(sub)
ON_CPU_TWO(sbb)
ON_CPU_TWO(cmp)
ON_CPU_TWO(and)
ON_CPU_TWO(or)
ON_CPU_TWO(xor)
ON_CPU_TWO(test)
ON_CPU_ONE(not )
ON_CPU_ONE(neg)
ON_CPU_ONE(inc)
ON_CPU_ONE(dec)
ON_CPU_BIT(bt)
ON_CPU_BIT(bts)
ON_CPU_BIT(btr)
ON_CPU_BIT(btc)

struct operation_row {
        nova_operation operation;
        nova_word_t defined; /* flags that the operation defines */
        uint64_t (*on_cpu[4])(uint64_t, uint64_t, nova_word_t *);
};

void compare(const operation_row &row, unsigned size, uint64_t left, uint64_t right,
             nova_word_t before)
{
        const unsigned width = 1u << size;
        const uint64_t mask = ~0ull >> (64 - 8 * width);
        nova_word_t flags = before, want = before;
        const uint64_t result =
                nova_compute(row.operation, width, left & mask, right & mask, &flags);
        const uint64_t cpu = row.on_cpu[size](left, right, &want);

        if (row.operation != NOVA_OP_CMP && row.operation != NOVA_OP_TEST) {
                EXPECT_EQ(result, cpu) << row.operation << ": " << left << " " << right;
        }
        EXPECT_EQ(flags & row.defined, want & row.defined)
                << row.operation << ", " << width << ": " << left << " " << right;
}

TEST(compute, results_and_flags_are_those_of_this_cpu)
{
        constexpr nova_word_t all = 0x8d5, no_adjust = 0x8c5, carry = 0x1;
        const operation_row rows[] = {
                {NOVA_OP_ADD, all, {add_1, add_2, add_4, add_8}},
                {NOVA_OP_XADD, all, {add_1, add_2, add_4, add_8}},
                {NOVA_OP_ADC, all, {adc_1, adc_2, adc_4, adc_8}},
                {NOVA_OP_SUB, all, {sub_1, sub_2, sub_4, sub_8}},
                {NOVA_OP_SBB, all, {sbb_1, sbb_2, sbb_4, sbb_8}},
                {NOVA_OP_AND, no_adjust, {and_1, and_2, and_4, and_8}},
                {NOVA_OP_OR, no_adjust, {or_1, or_2, or_4, or_8}},
                {NOVA_OP_XOR, no_adjust, {xor_1, xor_2, xor_4, xor_8}},
                {NOVA_OP_NOT, all, {not_1, not_2, not_4, not_8}},
                {NOVA_OP_NEG, all, {neg_1, neg_2, neg_4, neg_8}},
                {NOVA_OP_INC, all, {inc_1, inc_2, inc_4, inc_8}},
                {NOVA_OP_DEC, all, {dec_1, dec_2, dec_4, dec_8}},
                {NOVA_OP_BT, carry, {nullptr, bt_2, bt_4, bt_8}},
                {NOVA_OP_BTS, carry, {nullptr, bts_2, bts_4, bts_8}},
                {NOVA_OP_BTR, carry, {nullptr, btr_2, btr_4, btr_8}},
                {NOVA_OP_BTC, carry, {nullptr, btc_2, btc_4, btc_8}},
                {NOVA_OP_CMP, all, {cmp_1, cmp_2, cmp_4, cmp_8}},
                {NOVA_OP_TEST, no_adjust, {test_1, test_2, test_4, test_8}},
        };
        const uint64_t values[] = {
                0,      1,      2,    0xf,        0x10,       0x7f,       0x80,
                0xff,   0x7fff, 0x55, 0x8000,     0xffff,     0x7fffffff, 0x80000000,
                0x1234, ~0ull,  0x90, 1ull << 63, ~0ull >> 1, 0xffffffff, 0x123456789abcdef0};

        for (const operation_row &row : rows)
                for (unsigned size = row.on_cpu[0] ? 0 : 1; size < 4; size++)
                        for (uint64_t left : values)
                                for (uint64_t right : values) {
                                        compare(row, size, left, right, 0x2);
                                        compare(row, size, left, right, 0x8d7);
                                }
}

struct perform : decode {
        uint64_t memory = 0;
        nova_mtd_t changed = 0;

        bool run(const bytes &code)
        {
                changed = 0;
                EXPECT_TRUE(known(code));
                return nova_operand_perform(&state, &in, &memory, &changed);
        }
};

TEST_F(perform, moves)
{
        memory = 0x8899aabb;
        EXPECT_FALSE(run({0x8b, 0x07})); /* mov (%rdi), %eax */
        EXPECT_EQ(state.ax, 0x8899aabbu);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_ACDB});
        state.cx = 0x1122;
        EXPECT_TRUE(run({0x88, 0x2f})); /* mov %ch, (%rdi) */
        EXPECT_EQ(memory, 0x11u);
        EXPECT_EQ(changed, 0u);
        EXPECT_TRUE(run({0x86, 0x0f})); /* xchg %cl, (%rdi) */
        EXPECT_EQ(memory, 0x22u);
        EXPECT_EQ(state.cx, 0x1111u);
}

TEST_F(perform, arithmetic_goes_where_it_belongs)
{
        memory = 5;
        state.ax = 3;
        EXPECT_TRUE(run({0x29, 0x07})); /* sub %eax, (%rdi) */
        EXPECT_EQ(memory, 2u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_EFL});
        EXPECT_FALSE(run({0x2b, 0x07})); /* sub (%rdi), %eax */
        EXPECT_EQ(state.ax, 1u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_EFL | NOVA_MTD_ACDB});
        EXPECT_FALSE(run({0x39, 0x07}));             /* cmp %eax, (%rdi) */
        EXPECT_FALSE(run({0x0f, 0xba, 0x27, 0x21})); /* btl $33, (%rdi) */
        EXPECT_EQ(state.flags & 1, 1u);
        EXPECT_TRUE(run({0xf0, 0x0f, 0xba, 0x37, 0x01})); /* lock btrl $1, (%rdi) */
        EXPECT_EQ(memory, 0u);
        EXPECT_TRUE(run({0xf6, 0x17})); /* notb (%rdi) */
        EXPECT_EQ(memory, 0xffu);
        EXPECT_TRUE(run({0xfe, 0x07})); /* incb (%rdi) */
        EXPECT_EQ(memory, 0u);
}

TEST_F(perform, exchanges_with_arithmetic)
{
        memory = 5;
        state.cx = 3;
        EXPECT_TRUE(run({0xf0, 0x0f, 0xc1, 0x0f})); /* lock xadd %ecx, (%rdi) */
        EXPECT_EQ(memory, 8u);
        EXPECT_EQ(state.cx, 5u);
        state.ax = UINT64_MAX;
        EXPECT_TRUE(run({0x0f, 0xb1, 0x0f})); /* cmpxchg %ecx, (%rdi): not equal */
        EXPECT_EQ(memory, 8u);
        EXPECT_EQ(state.ax, 8u);
        EXPECT_EQ(state.flags & 0x40, 0u);
        EXPECT_TRUE(run({0x0f, 0xb1, 0x0f}));
        EXPECT_EQ(memory, 5u);
        EXPECT_EQ(state.flags & 0x40, 0x40u);
}

struct paging : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(64 << 10);
        nova_guest_memory memory = {};
        nova_paging mode = {};
        uint64_t physical = 0;

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                mode.cr3 = 0x1000;
        }

        template <typename T> void entry(uint64_t at, T value)
        {
                memcpy(&ram[at], &value, sizeof(value));
        }

        bool walk(uint64_t linear)
        {
                return nova_translate(&memory, &mode, linear, &physical);
        }
};

TEST_F(paging, without_it_addresses_are_the_same)
{
        EXPECT_TRUE(walk(0x123456789));
        EXPECT_EQ(physical, 0x23456789u);
}

TEST_F(paging, four_levels)
{
        mode.cr0 = NOVA_CR0_PG;
        mode.cr4 = NOVA_CR4_PAE;
        mode.efer = NOVA_EFER_LMA;
        entry<uint64_t>(0x1000 + 8 * 511, 0x2003);
        entry<uint64_t>(0x2000 + 8 * 510, 0x3003);
        entry<uint64_t>(0x3000, 0x4003);
        entry<uint64_t>(0x4008, 0x8000000005678003);
        entry<uint64_t>(0x3008, 0x00400083);
        EXPECT_TRUE(walk(0xffffffff80001abc));
        EXPECT_EQ(physical, 0x5678abcu);
        EXPECT_TRUE(walk(0xffffffff80212345));
        EXPECT_EQ(physical, 0x412345u);
        entry<uint64_t>(0x3010, 0x00601083); /* bit 12 of a large page is not in its address */
        EXPECT_TRUE(walk(0xffffffff80412345));
        EXPECT_EQ(physical, 0x612345u);
        entry<uint64_t>(0x3010, 0);
        EXPECT_FALSE(walk(0xffffffff80400000));
        EXPECT_FALSE(walk(0));
}

struct access_paging : paging {
        uint32_t error = 0;

        void SetUp() override
        {
                paging::SetUp();
                mode.cr0 = NOVA_CR0_PG;
                mode.cr4 = NOVA_CR4_PAE;
                mode.efer = NOVA_EFER_LMA;
                entry<uint64_t>(0x1000, 0x2007);
                entry<uint64_t>(0x2000, 0x3007);
                entry<uint64_t>(0x3000, 0x4007);
                entry<uint64_t>(0x4000, 0x5003); /* the kernel's */
                entry<uint64_t>(0x4008, 0x6005); /* read-only */
                entry<uint64_t>(0x4010, 0x7007);
        }

        uint64_t entry_at(uint64_t at)
        {
                uint64_t value;
                memcpy(&value, &ram[at], sizeof(value));
                return value;
        }

        bool access(uint64_t linear, unsigned kind)
        {
                return nova_translate_access(&memory, &mode, linear, kind, &physical, &error);
        }
};

TEST_F(access_paging, user_mode_needs_the_user_bit_of_the_page)
{
        EXPECT_TRUE(access(0x123, 0));
        EXPECT_FALSE(access(0x123, NOVA_ACCESS_USER));
        EXPECT_EQ(error, 5u);
        EXPECT_TRUE(access(0x1123, NOVA_ACCESS_USER));
        EXPECT_EQ(physical, 0x6123u);
}

TEST_F(access_paging, a_write_needs_the_writable_bit)
{
        EXPECT_FALSE(access(0x1123, NOVA_ACCESS_USER | NOVA_ACCESS_WRITE));
        EXPECT_EQ(error, 7u);
        EXPECT_TRUE(access(0x1123, NOVA_ACCESS_WRITE));
        mode.cr0 |= 0x10000;
        EXPECT_FALSE(access(0x1123, NOVA_ACCESS_WRITE));
        EXPECT_EQ(error, 3u);
}

TEST_F(access_paging, a_read_marks_entries_as_accessed_and_a_write_the_last_one_as_dirty)
{
        EXPECT_TRUE(access(0x2000, NOVA_ACCESS_USER));
        EXPECT_EQ(entry_at(0x4010), 0x7027u);
        EXPECT_TRUE(access(0x2000, NOVA_ACCESS_USER | NOVA_ACCESS_WRITE));
        EXPECT_EQ(entry_at(0x4010), 0x7067u);
        EXPECT_EQ(entry_at(0x3000), 0x4027u);
        EXPECT_EQ(entry_at(0x1000), 0x2027u);
}

TEST_F(access_paging, tables_of_each_form_are_found_by_the_function_for_them)
{
        memory.base = nullptr;
        memory.bytes = 0;
        memory.find = [](void *, uint64_t, size_t, bool) -> void * { return nullptr; };
        memory.find_table = [](void *all, uint64_t at, size_t, bool) -> void * {
                return static_cast<uint8_t *>(all) + at;
        };
        memory.find_context = ram.data();
        EXPECT_TRUE(access(0x2000, NOVA_ACCESS_WRITE));
        EXPECT_EQ(entry_at(0x4010), 0x7067u);
        mode.efer = 0;
        EXPECT_TRUE(access(0x123, 0)) << "three levels";
        mode.cr4 = 0;
        EXPECT_TRUE(access(0x123, 0)) << "two levels";
}

// The guest is not offered this feature, but may enable it nevertheless.
TEST_F(paging, five_levels)
{
        mode.cr0 = NOVA_CR0_PG;
        mode.cr4 = NOVA_CR4_PAE | NOVA_CR4_LA57;
        mode.efer = NOVA_EFER_LMA;
        entry<uint64_t>(0x1000 + 8, 0x2003);
        entry<uint64_t>(0x2000 + 8 * 2, 0x3003);
        entry<uint64_t>(0x3008, 0x4003);
        entry<uint64_t>(0x4000, 0x5003);
        entry<uint64_t>(0x5000, 0x7003);
        EXPECT_TRUE(walk(0x0001010040000123));
        EXPECT_EQ(physical, 0x7123u);
        EXPECT_FALSE(walk(0x0000010040000123));
        mode.cr4 = NOVA_CR4_PAE;
        EXPECT_FALSE(walk(0x0001010040000123));
}

TEST_F(paging, tables_outside_of_memory_lead_nowhere)
{
        mode.cr0 = NOVA_CR0_PG;
        mode.efer = NOVA_EFER_LMA;
        entry<uint64_t>(0x1000, 0x000ffffffffff003);
        EXPECT_FALSE(walk(0));
        mode.cr3 = UINT64_MAX;
        EXPECT_FALSE(walk(0));
}

TEST_F(paging, two_levels_and_large_pages)
{
        mode.cr0 = NOVA_CR0_PG;
        mode.cr4 = 0x10;
        entry<uint32_t>(0x1000, 0x2003);
        entry<uint32_t>(0x2004, 0x9003);
        entry<uint32_t>(0x1004, 0x00800083);
        EXPECT_TRUE(walk(0x1abc));
        EXPECT_EQ(physical, 0x9abcu);
        EXPECT_TRUE(walk(0x412345));
        EXPECT_EQ(physical, 0x812345u);
        EXPECT_FALSE(walk(0x800000));
}

TEST_F(paging, three_levels)
{
        mode.cr0 = NOVA_CR0_PG;
        mode.cr4 = NOVA_CR4_PAE;
        mode.cr3 = 0x1020;
        entry<uint64_t>(0x1020 + 24, 0x2001);
        entry<uint64_t>(0x2000, 0x3003);
        entry<uint64_t>(0x3000, 0x7003);
        EXPECT_TRUE(walk(0xc0000123));
        EXPECT_EQ(physical, 0x7123u);
        EXPECT_FALSE(walk(0x123));
}

TEST_F(paging, code_is_fetched_up_to_where_memory_ends)
{
        uint8_t code[NOVA_CODE_BYTES];
        ram[0xfffe] = 0x89;
        EXPECT_EQ(nova_fetch(&memory, &mode, 0xfffe, code, sizeof(code)), 2u);
        EXPECT_EQ(code[0], 0x89);
        EXPECT_EQ(nova_fetch(&memory, &mode, 0x10000, code, sizeof(code)), 0u);
}

TEST(decode_cr8, finds_the_register_of_a_write)
{
        const struct {
                bytes code;
                unsigned bits;
                uint8_t length, reg, wide;
        } writes[] = {
                {{0x44, 0x0f, 0x22, 0xc0}, 64, 4, 0, 8},             /* mov %rax, %cr8 */
                {{0x44, 0x0f, 0x22, 0xc4, 0x90}, 64, 4, 4, 8},       /* mov %rsp, %cr8 */
                {{0x45, 0x0f, 0x22, 0xc7}, 64, 4, 15, 8},            /* mov %r15, %cr8 */
                {{0x4f, 0x0f, 0x22, 0x01}, 64, 4, 9, 8},             /* ModRM of memory */
                {{0x66, 0xf2, 0x44, 0x0f, 0x22, 0xc3}, 64, 6, 3, 8}, /* prefixes */
                {{0xf0, 0x0f, 0x22, 0xc1}, 64, 4, 1, 8},             /* lock mov %rcx, %cr0 */
                {{0xf0, 0x0f, 0x22, 0xc1}, 32, 4, 1, 4},
        };
        for (const auto &write : writes) {
                nova_instruction in;
                ASSERT_TRUE(nova_decode_cr8_write(write.code.data(), write.code.size(), write.bits,
                                                  &in));
                EXPECT_EQ(in.length, write.length);
                EXPECT_EQ(in.reg, write.reg);
                EXPECT_EQ(in.bytes, write.wide);
        }
}

TEST(decode_cr8, refuses_instructions_that_do_not_write_it)
{
        const struct {
                bytes code;
                unsigned bits;
        } others[] = {
                {{0x0f, 0x22, 0xc0}, 64},       /* CR0 */
                {{0x0f, 0x22, 0xd8}, 64},       /* CR3 */
                {{0x44, 0x0f, 0x20, 0xc0}, 64}, /* a read */
                {{0x44, 0x0f, 0x22}, 64},       /* cut off */
                {{}, 64},
                {{0x44, 0x0f, 0x22, 0xc0}, 32},       /* no prefix there */
                {{0x44, 0x66, 0x0f, 0x22, 0xc0}, 64}, /* REX has no effect here */
                {{0xf0, 0x44, 0x0f, 0x22, 0xc0}, 64}, /* LOCK makes it another instruction */
                {{0x44, 0x0f, 0x22, 0xc8}, 64},       /* CR9 */
        };
        for (const auto &other : others) {
                nova_instruction in;
                EXPECT_FALSE(nova_decode_cr8_write(other.code.data(), other.code.size(), other.bits,
                                                   &in));
        }
}

TEST(decode_prefixes, counts_the_bytes_before_the_opcode)
{
        const struct {
                bytes code;
                unsigned bits;
                size_t prefixes;
        } codes[] = {
                {{0x0f, 0xa2}, 32, 0},
                {{0x66, 0x0f, 0xa2}, 16, 1},
                {{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0xf4}, 32, 11},
                {{0x48, 0x0f, 0xa2}, 64, 1},
                {{0x48, 0x66, 0x41, 0x0f, 0xa2}, 64, 3},
                {{0x48, 0x0f, 0xa2}, 32, 0}, /* DEC */
                {{0xf3, 0x90}, 32, 1},
                {{0x66, 0x66}, 32, 0}, /* cut off */
                {{}, 32, 0},
        };
        for (const auto &code : codes)
                EXPECT_EQ(nova_decode_prefixes(code.code.data(), code.code.size(), code.bits),
                          code.prefixes);
}

} // namespace
