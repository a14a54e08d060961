// SPDX-License-Identifier: BSD-2-Clause
// Multiboot information, good and bad.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "machine.h"

extern "C" {
#include "firmware/multiboot.h"
}

namespace
{

constexpr uint64_t INFO = 0x9000, MAP = 0xa000, MODULES_AT = 0xb000, CMDLINE = 0xc000,
                   LOADER = 0xd000;
constexpr uint32_t HAS_MEMORY = 1, HAS_CMDLINE = 4, HAS_MODULES = 8, HAS_MAP = 0x40,
                   HAS_LOADER = 0x200;

struct Info {
        uint32_t flags, mem_lower = 0, mem_upper = 0, cmdline = CMDLINE;
        uint32_t modules = 0, module_list = MODULES_AT;
        uint32_t map_length = 0, map = MAP;

        Bytes bytes() const
        {
                Bytes out;
                for (uint32_t field :
                     {flags, mem_lower, mem_upper, 0u, cmdline, modules, module_list, 0u, 0u, 0u,
                      0u, map_length, map, 0u, 0u, 0u, static_cast<uint32_t>(LOADER)})
                        put(out, field, 4);
                return out;
        }
};

void put_entry(Bytes &map, uint64_t start, uint64_t length, uint32_t type, uint32_t size = 20)
{
        put(map, size, 4);
        put(map, start, 8);
        put(map, length, 8);
        put(map, type, 4);
        for (uint32_t i = 20; i < size && i < 64; i++)
                map.push_back(0xee);
}

bool read(Machine &m, Info info)
{
        std::memset(multiboot_cmdline, 0, sizeof(multiboot_cmdline));
        std::memset(multiboot_loader, 0, sizeof(multiboot_loader));
        if (m.memory.count(MAP) && !info.map_length)
                info.map_length = static_cast<uint32_t>(m.memory[MAP].size());
        m.memory[INFO] = info.bytes();
        return multiboot_read(MULTIBOOT_LOADER_MAGIC, INFO);
}

TEST(multiboot, refuses_another_magic_and_address_0)
{
        Machine m;
        EXPECT_FALSE(multiboot_read(0x36d76289 + 1, INFO));
        EXPECT_FALSE(multiboot_read(MULTIBOOT_LOADER_MAGIC, 0));
        EXPECT_FALSE(multiboot_read(MULTIBOOT_LOADER_MAGIC, ~0ull));
}

TEST(multiboot, reads_map_modules_and_command_line)
{
        Machine m;
        put_entry(m.memory[MAP], 0, 0x9fc00, 1);
        put_entry(m.memory[MAP], 0xf0000, 0x10000, 2, 24);
        put_entry(m.memory[MAP], 0x100000, 0x7f00000, 1);
        for (uint32_t field : {0x400000u, 0x480000u, 0x3000u, 0u})
                put(m.memory[MODULES_AT], field, 4);
        m.memory[CMDLINE] = {'s', 'e', 'r', 'i', 'a', 'l', 0};
        EXPECT_TRUE(read(m, {.flags = HAS_MAP | HAS_MODULES | HAS_CMDLINE, .modules = 1}));
        ASSERT_EQ(memory_map.entries, 3u);
        EXPECT_EQ(memory_map.entry[1].start, 0xf0000u);
        EXPECT_EQ(memory_map.entry[2].size, 0x7f00000u);
        ASSERT_EQ(memory_map.modules, 1u);
        EXPECT_EQ(memory_map.module[0].cmdline, 0x3000u);
        EXPECT_EQ(boot_roottask.start, 0x400000u);
        EXPECT_EQ(boot_roottask.size, 0x80000u);
        EXPECT_STREQ(multiboot_cmdline, "serial");
}

TEST(multiboot, uses_only_what_the_flags_announce)
{
        Machine m;
        put_entry(m.memory[MAP], 0, 0x9fc00, 1);
        EXPECT_TRUE(read(m, {.flags = 0, .modules = 3}));
        EXPECT_EQ(memory_map.entries, 0u);
        EXPECT_EQ(memory_map.modules, 0u);
        EXPECT_STREQ(multiboot_cmdline, "");
}

TEST(multiboot, takes_the_sizes_where_there_is_no_map)
{
        Machine m;
        EXPECT_TRUE(read(m, {.flags = HAS_MEMORY, .mem_lower = 640, .mem_upper = 0xffffffff}));
        ASSERT_EQ(memory_map.entries, 2u);
        EXPECT_EQ(memory_map.entry[0].size, 640u << 10);
        EXPECT_EQ(memory_map.entry[1].size, uint64_t{0xffffffff} << 10);
}

TEST(multiboot, reads_the_loaders_name_if_there_is_one)
{
        Machine m;
        m.memory[LOADER] = {'l', 'i', 'l', 'o', 0};
        EXPECT_TRUE(read(m, {.flags = 0}));
        EXPECT_STREQ(multiboot_loader, "");
        EXPECT_TRUE(read(m, {.flags = HAS_LOADER}));
        EXPECT_STREQ(multiboot_loader, "lilo");
        m.memory[LOADER] = Bytes(100, 'x');
        EXPECT_TRUE(read(m, {.flags = HAS_LOADER}));
        EXPECT_EQ(std::string(multiboot_loader).size(), sizeof(multiboot_loader) - 1);
}

TEST(multiboot, cuts_a_command_line_without_an_end)
{
        Machine m;
        m.memory[CMDLINE] = Bytes(5000, 'x');
        EXPECT_TRUE(read(m, {.flags = HAS_CMDLINE}));
        EXPECT_EQ(std::string(multiboot_cmdline).size(), size_t{MULTIBOOT_CMDLINE - 1});
}

TEST(multiboot, ends_the_map_at_an_entry_of_a_wrong_size)
{
        for (uint32_t size : {0u, 4u, 19u, 0x7fffffffu, 0xfffffffcu, 0xffffffffu}) {
                Machine m;
                put_entry(m.memory[MAP], 0, 0x1000, 1);
                put_entry(m.memory[MAP], 0x1000, 0x1000, 1, size);
                put_entry(m.memory[MAP], 0x2000, 0x1000, 1);
                EXPECT_TRUE(read(m, {.flags = HAS_MAP, .map_length = 72}));
                EXPECT_LE(memory_map.entries, 2u) << size;
        }
}

TEST(multiboot, never_reads_beyond_the_map)
{
        for (uint32_t length = 0; length < 72; length++) {
                Machine m;
                for (unsigned i = 0; i < 3; i++)
                        put_entry(m.memory[MAP], i * 0x1000, 0x1000, 1);
                Info info = {.flags = HAS_MAP, .map_length = length};
                m.memory[INFO] = info.bytes();
                EXPECT_TRUE(multiboot_read(MULTIBOOT_LOADER_MAGIC, INFO));
                EXPECT_EQ(memory_map.entries, length / 24);
        }
}

TEST(multiboot, survives_lengths_and_counts_without_bound)
{
        Machine m;
        EXPECT_TRUE(read(m, {.flags = HAS_MAP | HAS_MODULES | HAS_CMDLINE,
                             .cmdline = 0xffffffff,
                             .modules = 0xffffffff,
                             .module_list = 0xfffffff0,
                             .map_length = 0xffffffff,
                             .map = 0xfffffff0}));
        EXPECT_EQ(memory_map.modules, 0u);
}

TEST(multiboot, leaves_out_invalid_modules)
{
        Machine m;
        memory_map_take(0x200000, 0x20000, false);
        for (auto [start, end] : {std::pair(0x5000u, 0x5000u),
                                  {0x6000u, 0x5000u},
                                  {0x21f000u, 0x300000u},
                                  {0x400000u, 0x500000u}}) {
                put(m.memory[MODULES_AT], start, 4);
                put(m.memory[MODULES_AT], end, 4);
                put(m.memory[MODULES_AT], 0, 8);
        }
        EXPECT_TRUE(read(m, {.flags = HAS_MODULES, .modules = 4}));
        ASSERT_EQ(memory_map.modules, 1u);
        EXPECT_EQ(boot_roottask.start, 0x400000u);
        EXPECT_EQ(memory_map.dropped_modules, 3u);
}

TEST(multiboot, names_the_first_modules_that_are_left_out)
{
        Machine m;
        const std::string line = "initrd.img " + std::string(100, 'x');
        m.memory[CMDLINE].assign(line.begin(), line.end());
        m.memory[CMDLINE].push_back(0);
        memory_map_take(0x200000, 0x20000, false);
        for (auto [start, end, name] : {std::tuple(0x400000u, 0x500000u, 0u),
                                        {0x5000u, 0x5000u, unsigned{CMDLINE}},
                                        {0x21f000u, 0x300000u, 0u},
                                        {0x4fffffu, 0x600000u, 0u},
                                        {0x6000u, 0x5000u, 0u},
                                        {0x7000u, 0x7000u, 0u}}) {
                put(m.memory[MODULES_AT], start, 4);
                put(m.memory[MODULES_AT], end, 4);
                put(m.memory[MODULES_AT], name, 8);
        }
        EXPECT_TRUE(read(m, {.flags = HAS_MODULES, .modules = 6}));
        EXPECT_EQ(m.console,
                  "NOVA: boot module 2, initrd.img " + std::string(52, 'x') +
                          " is left out: it is empty.\n"
                          "NOVA: boot module 3 is left out: it overlaps the kernel.\n"
                          "NOVA: boot module 4 is left out: it overlaps another module.\n"
                          "NOVA: boot module 5 is left out: it is empty.\n");
}

TEST(multiboot, takes_no_more_modules_than_fit)
{
        Machine m;
        for (unsigned i = 0; i < 40; i++) {
                put(m.memory[MODULES_AT], 0x400000 + i * 0x1000, 4);
                put(m.memory[MODULES_AT], 0x400800 + i * 0x1000, 4);
                put(m.memory[MODULES_AT], 0, 8);
        }
        EXPECT_TRUE(read(m, {.flags = HAS_MODULES, .modules = 40}));
        EXPECT_EQ(memory_map.modules, unsigned{MODULES});
        EXPECT_EQ(memory_map.dropped_modules, 40u - MODULES);
}

TEST(multiboot, counts_the_modules_after_the_last_that_it_reads)
{
        Machine m;
        m.memory[MODULES_AT].resize(3001 * 16);
        EXPECT_TRUE(read(m, {.flags = HAS_MODULES, .modules = 3001}));
        EXPECT_EQ(memory_map.dropped_modules, 3001u);
}

TEST(multiboot, survives_random_information)
{
        std::mt19937 random(626);
        for (unsigned round = 0; round < 300; round++) {
                Machine m;
                for (unsigned i = 0; i < 13; i++)
                        put(m.memory[INFO], random() & (random() % 2 ? 0xffff : 0xffffffff), 4);
                for (unsigned i = 0; i < 256; i++)
                        put(m.memory[MAP], random() & 0x1f, 4);
                m.memory[INFO][0] |= HAS_MAP;
                multiboot_read(MULTIBOOT_LOADER_MAGIC, INFO);
                ASSERT_LE(memory_map.entries, unsigned{MEMORY_ENTRIES});
        }
}

} // namespace
