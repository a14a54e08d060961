/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders: the state in which a kernel starts, and the files that a loader refuses. */
#include "loader.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

constexpr size_t mib = 1 << 20;

struct load : loader {
        nova_linux image = {};

        load() : loader(32 * mib, 0)
        {
        }

        void SetUp() override
        {
                put<uint8_t>(0x1f1, 3);
                put<uint32_t>(0x1f4, 0);
                put<uint16_t>(0x1fe, 0xaa55);
                put<uint8_t>(0x201, 0x66);
                put<uint32_t>(0x202, 0x53726448);
                put<uint16_t>(0x206, 0x20f);
                put<uint8_t>(0x211, 1);
                put<uint32_t>(0x22c, 0x7fffffff);
                put<uint16_t>(0x236, 1);
                put<uint32_t>(0x238, 2047);
                put<uint64_t>(0x258, 16 * mib);
                put<uint32_t>(0x260, 8 * mib);
                image.command_line = "console=ttyS0";
        }

        std::string load_linux()
        {
                image.kernel = file.data();
                image.kernel_bytes = file.size();
                const char *const why = nova_linux_load(&memory, &image, &start);
                return why ? why : "";
        }
};

/* The loader ignores fields of later protocol versions. */
TEST_F(load, a_kernel_of_an_older_protocol_begins_in_protected_mode)
{
        const std::string initrd(5000, 'i');
        image.initrd = initrd.data();
        image.initrd_bytes = initrd.size();
        for (uint16_t version : {0x202, 0x203, 0x204, 0x206, 0x209, 0x20a, 0x20b}) {
                put<uint16_t>(0x206, version);
                put<uint32_t>(0x22c, version < 0x203 ? 0 : 0x37ffffff);
                put<uint32_t>(0x238, version < 0x206 ? 0 : 2047);
                put<uint64_t>(0x258, version < 0x20a ? 0 : 16 * mib);
                put<uint32_t>(0x260, version < 0x20a ? 0 : 8 * mib);
                ASSERT_EQ(load_linux(), "") << version;
                const size_t at = version < 0x20a ? mib : 16 * mib;
                EXPECT_EQ(start.state.ip, at) << version;
                EXPECT_EQ(start.state.cr0 & (NOVA_CR0_PE | NOVA_CR0_PG), nova_word_t{NOVA_CR0_PE});
                EXPECT_EQ(memcmp(&ram[at], &file[2048], file.size() - 2048), 0);
                const size_t params = start.state.si;
                EXPECT_STREQ(reinterpret_cast<char *>(&ram[get<uint32_t>(params + 0x228)]),
                             "console=ttyS0");
                EXPECT_EQ(ram[get<uint32_t>(params + 0x218)], 'i');
                EXPECT_EQ(get<uint32_t>(params + 0x1e0), 31u * 1024);
        }
}

TEST_F(load, the_kernel_its_command_line_and_its_memory_map_are_in_place)
{
        image.rsdp = 0xe0000;
        ASSERT_EQ(load_linux(), "");
        EXPECT_EQ(start.state.ip, 16 * mib + 0x200);
        EXPECT_EQ(memcmp(&ram[16 * mib], &file[2048], file.size() - 2048), 0);
        const size_t params = start.state.si;
        EXPECT_STREQ(reinterpret_cast<char *>(&ram[get<uint32_t>(params + 0x228)]),
                     "console=ttyS0");
        EXPECT_EQ(get<uint64_t>(params + 0x70), 0xe0000u);
        ASSERT_EQ(ram[params + 0x1e8], 3);
        EXPECT_EQ(get<uint64_t>(params + 0x2d0 + 40), mib);
        EXPECT_EQ(get<uint64_t>(params + 0x2d0 + 48), 31 * mib);
        EXPECT_EQ(get<uint32_t>(params + 0x2d0 + 56), 1u);
}

TEST_F(load, long_mode_begins_with_an_identity_mapping)
{
        ASSERT_EQ(load_linux(), "");
        EXPECT_EQ(start.more.efer, uint64_t{NOVA_EFER_LME | NOVA_EFER_LMA});
        const uint64_t level3 = get<uint64_t>(start.state.cr3) & ~uint64_t{0xfff};
        const uint64_t level2 = get<uint64_t>(level3 + 8 * 3) & ~uint64_t{0xfff};
        EXPECT_EQ(get<uint64_t>(level2 + 8 * 511), 0xffe00000u | 0x83);
}

TEST_F(load, the_initrd_lies_at_the_end_of_memory_and_below_the_kernels_limit)
{
        const std::string initrd(5000, 'i');
        image.initrd = initrd.data();
        image.initrd_bytes = initrd.size();
        ASSERT_EQ(load_linux(), "");
        const size_t params = start.state.si;
        EXPECT_EQ(get<uint32_t>(params + 0x218), 32 * mib - 8192);
        EXPECT_EQ(get<uint32_t>(params + 0x21c), 5000u);
        EXPECT_EQ(ram[32 * mib - 8192], 'i');

        put<uint32_t>(0x22c, 28 * mib - 1);
        ASSERT_EQ(load_linux(), "");
        EXPECT_EQ(get<uint32_t>(params + 0x218), 28 * mib - 8192);
}

TEST_F(load, refuses_a_file_that_is_not_a_kernel)
{
        put<uint32_t>(0x202, 0);
        EXPECT_EQ(load_linux(), "it is not a Linux kernel (bzImage)");
        file.resize(100);
        EXPECT_EQ(load_linux(), "it is not a Linux kernel (bzImage)");
        file.clear();
        EXPECT_EQ(load_linux(), "it is not a Linux kernel (bzImage)");
}

TEST_F(load, refuses_an_old_protocol)
{
        put<uint16_t>(0x206, 0x201);
        EXPECT_EQ(load_linux(), "its boot protocol is older than 2.02");
}

TEST_F(load, a_kernel_without_a_64_bit_entry_begins_in_protected_mode)
{
        put<uint16_t>(0x236, 0);
        ASSERT_EQ(load_linux(), "");
        EXPECT_EQ(start.state.ip, 16 * mib);
        EXPECT_EQ(start.more.efer, 0u);
        EXPECT_EQ(start.state.cr0 & NOVA_CR0_PG, 0u);
        EXPECT_NE(start.state.cr0 & NOVA_CR0_PE, 0u);
        EXPECT_EQ(start.state.cs.sel, 0x10);
        EXPECT_EQ(start.state.ds.sel, 0x18);
        EXPECT_EQ(get<uint64_t>(start.state.gdtr.base + 0x10), 0x00cf9b000000ffffu);
        EXPECT_EQ(get<uint64_t>(start.state.gdtr.base + 0x18), 0x00cf93000000ffffu);
        EXPECT_EQ(get<uint32_t>(start.state.si + 0x228), 0x20000u);
        EXPECT_EQ(start.state.bp | start.state.di | start.state.bx, 0u);
}

TEST_F(load, refuses_a_kernel_that_must_be_loaded_low)
{
        put<uint8_t>(0x211, 0);
        EXPECT_EQ(load_linux(), "it must be loaded below 1 MiB (zImage)");
}

TEST_F(load, refuses_a_kernel_without_its_entry_point)
{
        file.resize(2048 + 0x200);
        EXPECT_EQ(load_linux(), "it is truncated: the file has 2560 bytes, but needs 2561");
        put<uint8_t>(0x1f1, 255);
        EXPECT_EQ(load_linux(), "it is truncated: the file has 2560 bytes, but needs 131585");
}

TEST_F(load, refuses_a_kernel_without_its_end)
{
        put<uint32_t>(0x1f4, (8192 - 2048) / 16);
        EXPECT_EQ(load_linux(), "");
        put<uint32_t>(0x1f4, (8192 - 2048) / 16 + 1);
        EXPECT_EQ(load_linux(), "it is truncated: the file has 8192 bytes, but needs 8208");
        file.resize(8193); /* the last unit of 16 bytes need not be complete */
        EXPECT_EQ(load_linux(), "");
        put<uint32_t>(0x1f4, UINT32_MAX);
        EXPECT_EQ(load_linux(), "it is truncated: the file has 8193 bytes, but needs 68719478768");
        put<uint32_t>(0x1f4, 0); /* the file may be longer, because a signature may follow */
        EXPECT_EQ(load_linux(), "");
}

TEST_F(load, refuses_a_kernel_that_does_not_fit)
{
        const std::string nowhere =
                "it must be loaded at an address at which guests have no memory";

        put<uint32_t>(0x260, 17 * mib);
        EXPECT_EQ(load_linux(), "the guest has 32 MiB of memory, but needs 33");
        put<uint32_t>(0x260, UINT32_MAX);
        EXPECT_EQ(load_linux(), "the guest has 32 MiB of memory, but needs 4112");
        for (uint64_t at : {UINT64_MAX - 100, uint64_t{0x8000}, uint64_t{0xc0000000}}) {
                put<uint64_t>(0x258, at);
                EXPECT_EQ(load_linux(), nowhere) << at;
        }
        put<uint64_t>(0x258, mib);
        put<uint32_t>(0x260, 4096);
        memory.bytes = mib;
        EXPECT_EQ(load_linux(), "the guest has 1 MiB of memory, but needs 2");
        memory.bytes = mib + file.size() - 4096;
        EXPECT_EQ(load_linux(), "the guest has 1 MiB of memory, but needs 2");
        memory.bytes = mib + file.size();
        EXPECT_EQ(load_linux(), "");
}

TEST_F(load, refuses_an_initrd_that_would_lie_in_the_kernel)
{
        const std::string initrd(9 * mib, 'i');
        image.initrd = initrd.data();
        image.initrd_bytes = initrd.size();
        EXPECT_EQ(load_linux(), "the guest has 32 MiB of memory, but needs 33 with its initrd");
        put<uint32_t>(0x260, 4 * mib);
        EXPECT_EQ(load_linux(), "");
        put<uint32_t>(0x22c, 100);
        EXPECT_EQ(load_linux(), "no memory that it can reach is left for its initrd");
}

TEST_F(load, refuses_a_command_line_that_is_too_long)
{
        const std::string line(2048, 'x');
        image.command_line = line.c_str();
        EXPECT_EQ(load_linux(), "its command line is too long");
        put<uint32_t>(0x238, UINT32_MAX);
        const std::string longer(mib, 'x');
        image.command_line = longer.c_str();
        EXPECT_EQ(load_linux(), "its command line is too long");
}

TEST_F(load, firmware_ends_below_1_mib_and_begins_as_after_a_reset)
{
        ASSERT_EQ(nova_firmware_load(&memory, file.data(), file.size(), &start), nullptr);
        EXPECT_EQ(start.state.cs.sel, 0xf000);
        EXPECT_EQ(start.state.cs.base, 0xf0000u);
        EXPECT_EQ(start.state.ip, 0xfff0u);
        EXPECT_EQ(ram[mib - 8192], file[0]);
        EXPECT_EQ(ram[mib - 8193], 0);
        EXPECT_EQ(ram[mib], 0);
        EXPECT_NE(nova_firmware_load(&memory, file.data(), 0, &start), nullptr);
        EXPECT_NE(nova_firmware_load(&memory, file.data(), 4095, &start), nullptr);
        file.resize((128 << 10) + 4096);
        EXPECT_NE(nova_firmware_load(&memory, file.data(), file.size(), &start), nullptr);
        memory.bytes = mib - 4096;
        EXPECT_NE(nova_firmware_load(&memory, file.data(), 4096, &start), nullptr);
}

TEST_F(load, a_flat_file_begins_in_real_mode)
{
        ASSERT_EQ(nova_flat_load(&memory, file.data(), file.size(), 0x7c00, &start), nullptr);
        EXPECT_EQ(start.state.cs.base, 0x7c00u);
        EXPECT_EQ(start.state.ip, 0u);
        EXPECT_EQ(ram[0x7c00 + 8191], 0x90);
        EXPECT_NE(nova_flat_load(&memory, file.data(), file.size(), 0x7c01, &start), nullptr);
        EXPECT_NE(nova_flat_load(&memory, file.data(), file.size(), 0x100000, &start), nullptr);
        memory.bytes = 0x8000;
        EXPECT_NE(nova_flat_load(&memory, file.data(), file.size(), 0x7c00, &start), nullptr);
}

} // namespace
