/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader of Multiboot kernels: the state in which a kernel starts, and files that are
 * refused. */
#include "loader.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

constexpr size_t mib = 1 << 20;
constexpr uint32_t code_at = 2 * mib, linked_at = 0xc0200000;

struct multiboot_load : loader {
        std::vector<nova_multiboot_module> modules;
        std::string line = "serial";

        multiboot_load() : loader(8 * mib, 0xaa)
        {
        }

        std::string text(size_t address)
        {
                return reinterpret_cast<const char *>(&ram[address]);
        }

        /* Puts words into the file, beginning with the header. */
        void header(std::vector<uint32_t> words)
        {
                for (size_t i = 0; i < words.size(); i++)
                        put<uint32_t>(0x400 + 4 * i, words[i]);
        }

        /* Makes an ELF file with one segment: the file at 0x1000 and above, and a page without
         * contents. */
        void SetUp() override
        {
                memset(file.data(), 0, 0x100);
                memcpy(file.data(), "\177ELF\1\1\1", 7);
                put<uint16_t>(16, 2);
                put<uint16_t>(18, 3);
                put<uint32_t>(24, linked_at + 0x10);
                put<uint32_t>(28, 52);
                put<uint16_t>(42, 32);
                put<uint16_t>(44, 1);
                const uint32_t program[] = {1,      0x1000, linked_at, code_at,
                                            0x1000, 0x2000, 7,         0x1000};
                for (size_t i = 0; i < 8; i++)
                        put<uint32_t>(52 + 4 * i, program[i]);
                header({0x1badb002, 3, -(0x1badb002u + 3)});
        }

        std::string load()
        {
                const nova_multiboot image = {file.data(), file.size(), line.c_str(),
                                              modules.data(), unsigned(modules.size())};
                const char *const why = nova_multiboot_load(&memory, &image, &start);
                return why ? why : "";
        }
};

TEST_F(multiboot_load, an_elf_kernel_begins_in_protected_mode_at_its_physical_entry)
{
        ASSERT_EQ(load(), "");
        EXPECT_EQ(start.state.ip, code_at + 0x10);
        EXPECT_EQ(start.state.ax, 0x2badb002u);
        EXPECT_EQ(start.state.cr0 & (NOVA_CR0_PE | NOVA_CR0_PG), nova_word_t{NOVA_CR0_PE});
        EXPECT_EQ(ram[code_at], 0x90);
        EXPECT_EQ(ram[code_at + 0xfff], 0x90);
        EXPECT_EQ(ram[code_at + 0x1000], 0);
        EXPECT_EQ(ram[code_at + 0x1fff], 0);
        EXPECT_EQ(ram[code_at + 0x2000], 0xaa);
        put<uint32_t>(24, code_at + 0x20); /* a physical address already */
        ASSERT_EQ(load(), "");
        EXPECT_EQ(start.state.ip, code_at + 0x20);
}

/* Each segment is cleared: 65,535 segments of the memory's size would take hours. */
TEST_F(multiboot_load, overlapping_segments_may_not_exceed_the_memory_in_total)
{
        const uint32_t large[] = {1, 0x1000, linked_at, code_at, 0, 5 * mib, 7, 0x1000};
        const uint32_t small[] = {1, 0x1000, linked_at, code_at, 0, mib, 7, 0x1000};

        put<uint16_t>(44, 2);
        for (size_t i = 0; i < 8; i++) {
                put<uint32_t>(52 + 4 * i, large[i]);
                put<uint32_t>(84 + 4 * i, small[i]);
        }
        EXPECT_EQ(load(), "");
        for (size_t i = 0; i < 8; i++)
                put<uint32_t>(84 + 4 * i, large[i]);
        EXPECT_EQ(load(), "the guest has too little memory for it");
}

TEST_F(multiboot_load, it_finds_its_command_line_and_its_memory)
{
        ASSERT_EQ(load(), "");
        const size_t info = start.state.bx;
        EXPECT_EQ(get<uint32_t>(info), 0x24du);
        EXPECT_EQ(get<uint32_t>(info + 4), 639u);
        EXPECT_EQ(get<uint32_t>(info + 8), 7u * 1024);
        EXPECT_EQ(text(get<uint32_t>(info + 16)), "serial");
        EXPECT_EQ(text(get<uint32_t>(info + 64)), "novavmm");
        ASSERT_EQ(get<uint32_t>(info + 44), 3u * 24);
        const size_t last = get<uint32_t>(info + 48) + 2 * 24;
        EXPECT_EQ(get<uint32_t>(last), 20u);
        EXPECT_EQ(get<uint64_t>(last + 4), mib);
        EXPECT_EQ(get<uint64_t>(last + 12), 7 * mib);
        EXPECT_EQ(get<uint32_t>(last + 20), 1u);
}

TEST_F(multiboot_load, it_finds_the_data_of_a_bios)
{
        ASSERT_EQ(load(), "");
        EXPECT_EQ(get<uint16_t>(0x400), 0x3f8);
        EXPECT_EQ(get<uint16_t>(0x410), 0x202); /* x87, one serial port */
        EXPECT_EQ(get<uint16_t>(0x413), 639);
        const uint32_t extended = uint32_t{get<uint16_t>(0x40e)} << 4;
        EXPECT_EQ(extended, 639u * 1024);
        EXPECT_EQ(get<uint8_t>(extended), 1);
        const size_t map = get<uint32_t>(start.state.bx + 48);
        EXPECT_EQ(get<uint64_t>(map + 12), extended); /* the first range ends there */
}

TEST_F(multiboot_load, calls_of_the_bios_return_with_the_carry_flag)
{
        ASSERT_EQ(load(), "");
        const size_t handler = get<uint16_t>(0) + 16 * size_t{get<uint16_t>(2)};
        for (size_t i = 0; i < 256; i++)
                EXPECT_EQ(get<uint32_t>(4 * i), get<uint32_t>(0));
        EXPECT_GT(handler, 639u * 1024);
        const uint8_t code[] = {0x55, 0x89, 0xe5, 0x80, 0x4e, 6, 1, 0x5d, 0xcf};
        EXPECT_EQ(memcmp(&ram[handler], code, sizeof(code)), 0);
}

TEST_F(multiboot_load, an_elf_file_of_64_bits_begins_in_protected_mode_too)
{
        memset(file.data(), 0, 0x100);
        memcpy(file.data(), "\177ELF\2\1\1", 7);
        put<uint16_t>(16, 2);
        put<uint16_t>(18, 62);
        put<uint64_t>(24, 0xffff82d040200010);
        put<uint64_t>(32, 64);
        put<uint16_t>(54, 56);
        put<uint16_t>(56, 1);
        put<uint32_t>(64, 1);
        const uint64_t program[] = {0x1000, 0xffff82d040200000, code_at, 0x1000, 0x2000, 0x1000};
        for (size_t i = 0; i < 6; i++)
                put<uint64_t>(72 + 8 * i, program[i]);
        ASSERT_EQ(load(), "");
        EXPECT_EQ(start.state.ip, code_at + 0x10);
        EXPECT_EQ(start.state.cr0 & (NOVA_CR0_PE | NOVA_CR0_PG), nova_word_t{NOVA_CR0_PE});
        EXPECT_EQ(ram[code_at + 0xfff], 0x90);
        EXPECT_EQ(ram[code_at + 0x1fff], 0);
        put<uint64_t>(88, uint64_t{1} << 63);
        EXPECT_EQ(load(), "the guest has too little memory for it");
        put<uint64_t>(88, code_at);
        put<uint64_t>(104, UINT64_MAX);
        EXPECT_EQ(load(), "the guest has too little memory for it");
        put<uint16_t>(18, 40); /* ARM, another kind of machine */
        EXPECT_EQ(load(), "it is not an ELF file for x86, and its header has no addresses");
}

TEST_F(multiboot_load, modules_lie_in_pages_after_the_kernel)
{
        const std::string first(5000, '1'), second(100, '2');
        modules = {{first.data(), first.size(), "one"}, {second.data(), second.size(), "two 2"}};
        ASSERT_EQ(load(), "");
        const size_t info = start.state.bx, list = get<uint32_t>(info + 24);
        ASSERT_EQ(get<uint32_t>(info + 20), 2u);
        EXPECT_EQ(get<uint32_t>(list), code_at + 0x2000);
        EXPECT_EQ(get<uint32_t>(list + 4), code_at + 0x2000 + 5000);
        EXPECT_EQ(text(get<uint32_t>(list + 8)), "one");
        EXPECT_EQ(get<uint32_t>(list + 16), code_at + 0x4000);
        EXPECT_EQ(text(get<uint32_t>(list + 24)), "two 2");
        EXPECT_EQ(ram[code_at + 0x2000 + 4999], '1');
        EXPECT_EQ(ram[code_at + 0x4000], '2');
}

TEST_F(multiboot_load, a_header_with_addresses_needs_no_elf_file)
{
        memset(file.data(), 0x55, 0x400);
        const uint32_t flags = 0x10003;
        header({0x1badb002, flags, -(0x1badb002u + flags), code_at + 0x100, code_at, 0,
                code_at + 0x3000, code_at + 0x42});
        ASSERT_EQ(load(), "");
        EXPECT_EQ(start.state.ip, code_at + 0x42);
        EXPECT_EQ(get<uint32_t>(code_at + 0x100), 0x1badb002u);
        EXPECT_EQ(ram[code_at], 0x55);
        EXPECT_EQ(ram[code_at + 8192 - 0x300 - 1], 0x90);
        EXPECT_EQ(ram[code_at + 8192 - 0x300], 0);

        put<uint32_t>(0x414, code_at + 0x200); /* ends early */
        put<uint32_t>(0x418, 0);
        ASSERT_EQ(load(), "");
        put<uint32_t>(0x414, code_at - 1);
        EXPECT_EQ(load(), "it ends before it begins");
        put<uint32_t>(0x414, code_at + 0x10000);
        EXPECT_EQ(load(), "it is truncated");
        put<uint32_t>(0x414, code_at + 0x200);
        put<uint32_t>(0x418, code_at + 0x100);
        EXPECT_EQ(load(), "one of its segments is larger in the file than in memory");
        put<uint32_t>(0x40c, code_at - 1);
        EXPECT_EQ(load(), "its header is not where its addresses say");
        put<uint32_t>(0x40c, code_at + 0x401);
        EXPECT_EQ(load(), "its header is not where its addresses say");
}

TEST_F(multiboot_load, refuses_a_file_that_is_not_a_multiboot_kernel)
{
        put<uint32_t>(0x408, 0);
        EXPECT_EQ(load(), "it has no Multiboot header");
        header({0x1badb002, 3, -(0x1badb002u + 3)});
        file.resize(0x408);
        EXPECT_EQ(load(), "it has no Multiboot header");
        file.clear();
        EXPECT_EQ(load(), "it has no Multiboot header");
}

TEST_F(multiboot_load, refuses_features_that_it_does_not_support)
{
        for (uint32_t flags : {4u, 8u, 0x8000u}) {
                header({0x1badb002, flags, -(0x1badb002u + flags)});
                EXPECT_EQ(load(), "it requests features that this loader does not support: a video "
                                  "mode, or unknown ones");
        }
}

TEST_F(multiboot_load, refuses_other_files_of_the_kind)
{
        put<uint16_t>(18, 62);
        EXPECT_EQ(load(), "it is not an ELF file for x86, and its header has no addresses");
        put<uint16_t>(18, 3);
        put<uint8_t>(4, 2);
        EXPECT_EQ(load(), "it is not an ELF file for x86, and its header has no addresses");
        put<uint8_t>(4, 1);
        put<uint16_t>(44, 0);
        EXPECT_EQ(load(), "it has no segments");
}

TEST_F(multiboot_load, refuses_a_kernel_that_is_cut_off)
{
        file.resize(0x1800);
        EXPECT_EQ(load(), "it is truncated");
        put<uint32_t>(28, 0xffffffff);
        EXPECT_EQ(load(), "it is truncated");
        put<uint32_t>(28, 52);
        put<uint16_t>(44, 0xffff);
        put<uint32_t>(52, 0);
        EXPECT_EQ(load(), "it is truncated");
}

TEST_F(multiboot_load, refuses_a_kernel_that_does_not_fit)
{
        put<uint32_t>(52 + 20, 7 * mib);
        EXPECT_EQ(load(), "the guest has too little memory for it");
        put<uint32_t>(52 + 12, 0xffffffff);
        EXPECT_EQ(load(), "the guest has too little memory for it");
        put<uint32_t>(52 + 12, 0x8f000);
        put<uint32_t>(52 + 20, 0x2000);
        EXPECT_EQ(load(), "it overlaps the place of its boot information");
        put<uint32_t>(52 + 20, 0x100);
        EXPECT_EQ(load(), "one of its segments is larger in the file than in memory");
        memory.bytes = mib;
        EXPECT_EQ(load(), "the guest has too little memory for it");
}

TEST_F(multiboot_load, refuses_modules_and_lines_that_are_too_large)
{
        const std::string large(7 * mib, 'm'), long_line(64 << 10, 'x');
        modules = {{large.data(), large.size(), "large"}};
        EXPECT_EQ(load(), "the guest has too little memory for its modules");
        modules = {{large.data(), 1, long_line.c_str()}};
        EXPECT_EQ(load(), "its command lines are too long");
        modules.assign(5000, {large.data(), 1, ""});
        EXPECT_EQ(load(), "it has too many modules");
        line = long_line;
        EXPECT_EQ(load(), "its command line is too long");
}

} // namespace
