// SPDX-License-Identifier: BSD-2-Clause
// The table of entry points, which one macro makes, and the gates that lead to them.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>
#include <vector>

extern "C" {
#include "arch/x86/descriptors.h"
#include "arch/x86/window.h"

// The descriptor of a TSS is not part of these tests.
uint64_t descriptors_tss(word_t /* base */, uint32_t /* limit */)
{
        return 0;
}
}

namespace
{

constexpr unsigned VECTORS = 256;
constexpr uint8_t PUSH_8 = 0x6a, PUSH_32 = 0x68, JMP_8 = 0xeb, JMP_32 = 0xe9;

// Exceptions whose error code the CPU pushes: SDM 3A, table 6-1; APM 2, table 8-1.
const std::set<unsigned> PUSHED = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30};
const std::set<unsigned> OWN_STACK = {1, 2, 8, 18};
const std::set<unsigned> OF_USERS = {3, 4};

constexpr std::array<uint8_t, 4> ENDBR64 = {0xf3, 0x0f, 0x1e, 0xfa};

// Returns the numbers that an entry point pushes after its ENDBR and before its first jump.
std::vector<int> pushes(word_t entry)
{
        std::vector<int> found;
        const auto *code = reinterpret_cast<const uint8_t *>(entry);

        EXPECT_EQ(memcmp(code, ENDBR64.data(), ENDBR64.size()), 0);
        code += ENDBR64.size();
        while (*code == PUSH_8 || *code == PUSH_32) {
                int32_t number = 0;
                if (*code == PUSH_8)
                        number = static_cast<int8_t>(code[1]);
                else
                        memcpy(&number, code + 1, sizeof(number));
                code += *code == PUSH_8 ? 2 : 5;
                found.push_back(number);
        }
        EXPECT_TRUE(*code == JMP_8 || *code == JMP_32) << "byte " << unsigned{*code};
        return found;
}

TEST(vectors, each_vector_has_an_entry_point_of_its_own)
{
        std::set<word_t> entries;

        for (const word_t entry : entry_vectors)
                entries.insert(entry);
        EXPECT_EQ(entries.size(), VECTORS);
}

// The vectors include 4 and 9, and the vectors that neither a device nor an exception uses.
TEST(vectors, an_entry_point_pushes_an_error_code_unless_the_cpu_does_and_then_its_vector)
{
        for (unsigned vector = 0; vector < VECTORS; vector++) {
                const int number = static_cast<int>(vector);
                const std::vector<int> expected = PUSHED.count(vector)
                                                          ? std::vector<int>{number}
                                                          : std::vector<int>{0, number};

                EXPECT_EQ(pushes(entry_vectors[vector]), expected) << "vector " << vector;
        }
}

// One macro makes all of them: they lie in the order of their vectors, at equal distances.
TEST(vectors, all_entry_points_come_from_one_macro)
{
        const word_t distance = entry_vectors[1] - entry_vectors[0];

        for (unsigned vector = 1; vector < VECTORS; vector++)
                EXPECT_EQ(entry_vectors[vector] - entry_vectors[vector - 1], distance)
                        << "vector " << vector;
}

TEST(vectors, each_gate_leads_to_its_entry_point_with_the_privilege_of_the_page_about_traps)
{
        std::array<uint64_t, VECTORS * 2> idt{};

        for (unsigned vector = 0; vector < VECTORS; vector++)
                descriptors_fill_gate(idt.data(), vector, 0xffff800012345678 + vector);
        for (unsigned vector = 0; vector < VECTORS; vector++) {
                const uint64_t low = idt[2 * vector], high = idt[2 * vector + 1];

                EXPECT_EQ((low & 0xffff) | (low >> 32 & 0xffff0000) | high << 32,
                          0xffff800012345678 + vector);
                EXPECT_EQ(low >> 16 & 0xffff, uint64_t{SEL_KERNEL_CODE});
                EXPECT_EQ(low >> 40 & 0x1f, 14u) << "an interrupt gate, vector " << vector;
                EXPECT_EQ(low >> 45 & 3, OF_USERS.count(vector) ? 3u : 0u) << "vector " << vector;
                EXPECT_EQ(low >> 47 & 1, 1u) << "present, vector " << vector;
                EXPECT_EQ((low >> 32 & 7) != 0, OWN_STACK.count(vector) != 0)
                        << "interrupt stack, vector " << vector;
                EXPECT_EQ(high >> 32, 0u);
        }
}

} // namespace
