// SPDX-License-Identifier: BSD-2-Clause
// Multiboot 2 information, good and bad.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "machine.h"
#include "tables.h"

extern "C" {
#include "firmware/acpi.h"
#include "firmware/multiboot.h"
#include "firmware/multiboot2.h"
}

namespace
{

constexpr uint64_t INFO = 0x9000;
constexpr uint32_t CMDLINE = 1, LOADER = 2, MODULE = 3, SIZES = 4, MAP = 6, OLD = 14, NEW = 15,
                   EFI_MAP = 17;

struct Builder {
        Bytes tags;

        Builder &tag(uint32_t type, const Bytes &data, int64_t size = -1)
        {
                put(tags, type, 4);
                put(tags, size < 0 ? data.size() + 8 : static_cast<uint64_t>(size), 4);
                tags.insert(tags.end(), data.begin(), data.end());
                tags.resize((tags.size() + 7) & ~size_t{7});
                return *this;
        }

        Bytes end(int64_t total = -1)
        {
                Bytes out;
                tag(0, {});
                put(out, total < 0 ? tags.size() + 8 : static_cast<uint64_t>(total), 4);
                put(out, 0, 4);
                out.insert(out.end(), tags.begin(), tags.end());
                return out;
        }
};

Bytes text(const char *string)
{
        return Bytes(string, string + std::strlen(string) + 1);
}

Bytes module(uint32_t start, uint32_t end, const char *line)
{
        Bytes data;
        put(data, start, 4);
        put(data, end, 4);
        for (const char *c = line; c && (c == line || c[-1]); c++)
                data.push_back(static_cast<uint8_t>(*c));
        return data;
}

Bytes map(std::initializer_list<std::array<uint64_t, 3>> entries, uint32_t entry_size = 24)
{
        Bytes data;
        put(data, entry_size, 4);
        put(data, 0, 4);
        for (const auto &entry : entries) {
                put(data, entry[0], 8);
                put(data, entry[1], 8);
                put(data, entry[2], 4);
                for (uint32_t i = 20; i < entry_size && i < 64; i++)
                        data.push_back(0xee);
        }
        return data;
}

Bytes efi_map(std::initializer_list<std::array<uint64_t, 3>> entries)
{
        Bytes data;
        put(data, 48, 4);
        put(data, 1, 4);
        for (const auto &[type, start, pages] : entries)
                for (uint64_t word : {type, start, uint64_t{0}, pages, uint64_t{0}, uint64_t{0}})
                        put(data, word, 8);
        return data;
}

bool read(Machine &m, const Bytes &info)
{
        std::memset(multiboot_cmdline, 0, sizeof(multiboot_cmdline));
        std::memset(multiboot_loader, 0, sizeof(multiboot_loader));
        acpi_loader_rsdp_size = multiboot2_damaged = 0;
        m.memory[INFO] = info;
        return multiboot_read(MULTIBOOT2_LOADER_MAGIC, INFO);
}

Bytes sound()
{
        return Builder()
                .tag(CMDLINE, text("serial kmem=4M"))
                .tag(LOADER, text("GRUB 2.06"))
                .tag(MODULE, module(0x400000, 0x480000, "root a b"))
                .tag(MODULE, module(0x500000, 0x500001, ""))
                .tag(MAP, map({{0, 0x9fc00, 1}, {0xf0000, 0x10000, 2}, {1ull << 32, 1 << 30, 1}}))
                .end();
}

TEST(multiboot2, reads_command_line_loader_modules_and_map)
{
        Machine m;
        ASSERT_TRUE(read(m, sound()));
        EXPECT_EQ(multiboot2_damaged, 0u);
        EXPECT_STREQ(multiboot_cmdline, "serial kmem=4M");
        EXPECT_STREQ(multiboot_loader, "GRUB 2.06");
        ASSERT_EQ(memory_map.entries, 3u);
        EXPECT_EQ(memory_map.entry[2].start, 1ull << 32);
        ASSERT_EQ(memory_map.modules, 2u);
        EXPECT_EQ(boot_roottask.size, 0x80000u);
        const uint32_t line = memory_map.module[0].cmdline;
        EXPECT_STREQ(reinterpret_cast<char *>(m.map(1, line, 9)), "root a b");
}

TEST(multiboot2, refuses_an_impossible_address)
{
        Machine m;
        m.memory[INFO + 4] = sound();
        EXPECT_FALSE(multiboot_read(MULTIBOOT2_LOADER_MAGIC, 0));
        EXPECT_FALSE(multiboot_read(MULTIBOOT2_LOADER_MAGIC, INFO + 4));
        EXPECT_FALSE(multiboot_read(MULTIBOOT2_LOADER_MAGIC, boot_phys_end));
        EXPECT_FALSE(multiboot_read(MULTIBOOT2_LOADER_MAGIC, ~7ull));
}

TEST(multiboot2, prefers_the_map_then_that_of_uefi_then_the_sizes)
{
        const Bytes sizes = {0x80, 2, 0, 0, 0, 4, 0, 0};
        const Bytes uefi = efi_map({{7, 0x1000, 2},
                                    {4, 0x5000, 1},
                                    {9, 0x8000, 1},
                                    {10, 0x9000, 1},
                                    {6, 0xa000, 1},
                                    {7, 0x100000, ~0ull}});
        Machine m;
        ASSERT_TRUE(read(m, Builder().tag(SIZES, sizes).end()));
        ASSERT_EQ(memory_map.entries, 2u);
        EXPECT_EQ(memory_map.entry[0].size, 640u << 10);
        Machine n;
        ASSERT_TRUE(read(n, Builder().tag(SIZES, sizes).tag(EFI_MAP, uefi).end()));
        ASSERT_EQ(memory_map.entries, 6u);
        const uint32_t types[] = {1, 1, 3, 4, 2, 1};
        for (unsigned i = 0; i < 6; i++)
                EXPECT_EQ(memory_map.entry[i].type, types[i]) << i;
        EXPECT_EQ(memory_map.entry[0].size, 0x2000u);
        Machine o;
        ASSERT_TRUE(read(o, Builder().tag(EFI_MAP, uefi).tag(MAP, map({{0, 1, 1}})).end()));
        EXPECT_EQ(memory_map.entries, 1u);
}

TEST(multiboot2, gives_acpi_the_newer_pointer_in_either_order_of_the_tags)
{
        for (bool swapped : {false, true}) {
                Machine m;
                Builder b;
                const Bytes one = rsdp(0, RSDT, 0), two = rsdp(2, RSDT, 0x123000);
                b.tag(swapped ? NEW : OLD, swapped ? two : Bytes(one.begin(), one.begin() + 20));
                b.tag(swapped ? OLD : NEW, swapped ? Bytes(one.begin(), one.begin() + 20) : two);
                ASSERT_TRUE(read(m, b.end()));
                EXPECT_EQ(acpi_loader_rsdp_size, 36u);
                EXPECT_EQ(acpi_loader_rsdp[15], 2);
        }
}

TEST(multiboot2, acpi_uses_the_loaders_pointer_only_if_it_is_sound)
{
        Machine m;
        m.memory[RSDT] = root("RSDT", {}, 4);
        Bytes pointer = rsdp(0, RSDT, 0);
        pointer.resize(20);
        ASSERT_TRUE(read(m, Builder().tag(OLD, pointer).end()));
        acpi_init();
        EXPECT_NE(m.console.find("no sound table of CPUs"), std::string::npos) << m.console;
        m.console.clear();
        pointer[10] ^= 1;
        ASSERT_TRUE(read(m, Builder().tag(OLD, pointer).end()));
        acpi_init();
        EXPECT_NE(m.console.find("no ACPI tables"), std::string::npos) << m.console;
        acpi_loader_rsdp_size = 0;
}

struct Broken {
        const char *name;
        Bytes info;
        unsigned modules, entries; // numbers that the kernel still reads
};

TEST(multiboot2, tolerates_broken_tags_and_says_where)
{
        const Bytes one = map({{0, 0x1000, 1}});
        const Bytes open = module(0x600000, 0x600008, nullptr);
        const Broken rows[] = {
                {"no tag", {8, 0, 0, 0, 0, 0, 0, 0}, 0, 0},
                {"total of 0", Builder().tag(MAP, one).end(0), 0, 0},
                {"total that cuts the head", Builder().tag(MAP, one).end(12), 0, 0},
                {"total that cuts a tag", Builder().tag(MAP, one).end(24), 0, 0},
                {"tag of size 0", Builder().tag(MAP, one).tag(CMDLINE, {}, 0).end(), 0, 1},
                {"tag of size 7", Builder().tag(MAP, one).tag(CMDLINE, {}, 7).end(), 0, 1},
                {"tag beyond the end", Builder().tag(MAP, one).tag(99, {}, 4096).end(), 0, 1},
                {"tag around the end", Builder().tag(99, {}, 0xfffffff8).tag(MAP, one).end(), 0, 0},
                {"tag of all", Builder().tag(99, {}, 0xffffffff).tag(MAP, one).end(), 0, 0},
                {"command line without end", Builder().tag(CMDLINE, {'a', 'b'}).tag(MAP, one).end(),
                 0, 1},
                {"command line of nothing", Builder().tag(CMDLINE, {}).tag(MAP, one).end(), 0, 1},
                {"loader without end", Builder().tag(LOADER, Bytes(80, 'x')).end(), 0, 0},
                {"module without end", Builder().tag(MODULE, open).tag(MAP, one).end(), 1, 1},
                {"module without place", Builder().tag(MODULE, {1, 2, 3}).end(), 0, 0},
                {"map without head", Builder().tag(MAP, {24, 0, 0}).end(), 0, 0},
                {"entries of size 0", Builder().tag(MAP, map({{0, 1, 1}}, 0)).end(), 0, 0},
                {"entries too small", Builder().tag(MAP, map({{0, 1, 1}}, 19)).end(), 0, 0},
                {"sizes cut", Builder().tag(SIZES, {1, 2, 3, 4, 5}).end(), 0, 0},
        };
        for (const Broken &row : rows) {
                Machine m;
                ASSERT_TRUE(read(m, row.info)) << row.name;
                EXPECT_NE(multiboot2_damaged, 0u) << row.name;
                EXPECT_EQ(memory_map.modules, row.modules) << row.name;
                EXPECT_EQ(memory_map.entries, row.entries) << row.name;
        }
}

TEST(multiboot2, a_module_without_an_end_has_no_command_line)
{
        Machine m;
        ASSERT_TRUE(read(m, Builder().tag(MODULE, module(0x600000, 0x700000, nullptr)).end()));
        ASSERT_EQ(memory_map.modules, 1u);
        EXPECT_EQ(memory_map.module[0].cmdline, 0u);
}

TEST(multiboot2, leaves_out_modules_that_overlap)
{
        Machine m;
        memory_map_take(0x200000, 0x20000, false);
        Builder b;
        for (auto [start, end] : {std::pair(0x400000u, 0x500000u),
                                  {0x4ff000u, 0x600000u},
                                  {0x300000u, 0x400001u},
                                  {0x100000u, 0x800000u},
                                  {0x500000u, 0x500000u},
                                  {0x500000u, 0x400000u},
                                  {0x500000u, 0x580000u}})
                b.tag(MODULE, module(start, end, "x"));
        ASSERT_TRUE(read(m, b.end()));
        EXPECT_EQ(memory_map.modules, 2u);
        EXPECT_EQ(memory_map.dropped_modules, 5u);
        EXPECT_NE(m.console.find("boot module 2, x is left out: it overlaps another module."),
                  std::string::npos);
        EXPECT_NE(m.console.find("boot module 5, x is left out: it is empty."), std::string::npos);
}

TEST(multiboot2, never_reads_beyond_its_end)
{
        const Bytes info = sound();
        for (size_t size = 8; size < info.size(); size++) {
                Machine m;
                Bytes cut(info.begin(), info.begin() + static_cast<long>(size));
                cut[0] = static_cast<uint8_t>(size);
                cut[1] = static_cast<uint8_t>(size >> 8);
                ASSERT_TRUE(read(m, cut));
                EXPECT_NE(multiboot2_damaged, 0u) << size;
        }
}

TEST(multiboot2, survives_random_changes)
{
        std::mt19937 random(2);
        for (unsigned round = 0; round < 3000; round++) {
                Machine m;
                Bytes info = sound();
                for (unsigned i = 0; i <= round % 5; i++)
                        info[random() % info.size()] = static_cast<uint8_t>(random());
                read(m, info);
                ASSERT_LE(memory_map.entries, unsigned{MEMORY_ENTRIES});
                ASSERT_LE(memory_map.modules, unsigned{MODULES});
        }
}

} // namespace
