/* SPDX-License-Identifier: BSD-2-Clause */
/* String instructions: between memory, devices in memory and ports, in all modes. */
#include "access.h"

namespace
{

struct string_access : guest_access {
        nova_string_end run(const bytes &code, unsigned rounds = 1000)
        {
                nova_instruction in;
                EXPECT_TRUE(nova_decode(code.data(), code.size(), nova_access_bits(&access), &in));
                EXPECT_TRUE(nova_is_string(&in));
                changed = 0;
                return nova_string_run(&access, &in, rounds, &changed, &fault);
        }

        std::string output()
        {
                std::string out;
                for (const auto &[address, value] : port.written)
                        out += static_cast<char>(value);
                return out;
        }
};

TEST_F(string_access, outsb_in_real_mode_uses_ds_or_the_segment_of_its_prefix)
{
        text(0x20010, "ds");
        text(0x30010, "es");
        state.ds.base = 0x20000;
        state.es.base = 0x30000;
        state.si = 0xabcd0010;
        state.cx = 0xffff0002;
        EXPECT_EQ(run({0xf3, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "ds");
        EXPECT_EQ(state.si, 0xabcd0012u);
        EXPECT_EQ(state.cx, 0xffff0000u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_ACDB | NOVA_MTD_BSD});
        state.si = 0x10;
        EXPECT_EQ(run({0x26, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "dse");
}

TEST_F(string_access, ins_goes_to_es_in_all_widths)
{
        state.es.base = 0x20000;
        state.di = 0x10;
        EXPECT_EQ(run({0x6c}), NOVA_STRING_DONE);       /* byte */
        EXPECT_EQ(run({0x6d}), NOVA_STRING_DONE);       /* word */
        EXPECT_EQ(run({0x66, 0x6d}), NOVA_STRING_DONE); /* long */
        EXPECT_EQ(state.di, 0x17u);
        const bytes want = {0x44, 0x45, 0x33, 0x46, 0x33, 0x22, 0x11, 0};
        EXPECT_EQ(memcmp(&ram[0x20010], want.data(), want.size()), 0);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_BSD});
        EXPECT_EQ(state.cx, 0u);
}

TEST_F(string_access, strings_go_down_with_the_direction_flag)
{
        text(0x10, "abcd");
        state.flags |= NOVA_FLAG_DF;
        state.si = 0x13;
        state.cx = 4;
        EXPECT_EQ(run({0xf3, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "dcba");
        EXPECT_EQ(state.si, 0x0fu);
}

TEST_F(string_access, sixteen_bit_indices_wrap_and_words_may_not)
{
        text(0xffff, "x");
        text(0, "y");
        state.si = 0xffff;
        state.cx = 2;
        EXPECT_EQ(run({0xf3, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "xy");
        EXPECT_EQ(state.si, 1u);
        state.si = 0xffff;
        EXPECT_EQ(run({0x6f}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13);
        EXPECT_EQ(run({0x36, 0x6f}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 12);
}

TEST_F(string_access, addresses_of_32_bits_in_64_bit_mode_clear_the_upper_halves)
{
        wide();
        text(0x8000, "ab");
        state.si = 0xffffffff00008000;
        state.cx = 0xffffffff00000002;
        EXPECT_EQ(run({0x67, 0xf3, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "ab");
        EXPECT_EQ(state.si, 0x8002u);
        EXPECT_EQ(state.cx, 0u);
        state.si = 0x8000;
        state.cx = 2;
        EXPECT_EQ(run({0xf3, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "abab");
}

TEST_F(string_access, in_64_bit_mode_only_fs_and_gs_have_a_base)
{
        wide();
        text(0x8010, "0");
        text(0x8020, "f");
        state.ds.base = state.es.base = 0x10;
        state.fs.base = 0x10;
        state.si = 0x8010;
        EXPECT_EQ(run({0x26, 0x6e}), NOVA_STRING_DONE);
        state.si = 0x8010;
        EXPECT_EQ(run({0x64, 0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(output(), "0f");
        state.si = 0x0000800000000000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13);
        state.si = 0x00007fffffffffff;
        EXPECT_EQ(run({0x6f}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13);
        state.cr4 |= NOVA_CR4_LA57; /* canonical with five levels, but not mapped */
        EXPECT_EQ(run({0x6f}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 14);
        state.si = 0x0100000000000000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13);
}

TEST_F(string_access, an_element_may_lie_in_two_pages)
{
        wide();
        entry(0x4000 + 8 * 8, 0x20007); /* pages 8 and 9 are not contiguous in memory */
        entry(0x4000 + 8 * 9, 0x10007);
        state.di = 0x8ffd;
        EXPECT_EQ(run({0x6d}), NOVA_STRING_DONE);
        EXPECT_EQ(ram[0x20ffd], 0x44);
        EXPECT_EQ(ram[0x20fff], 0x22);
        EXPECT_EQ(ram[0x10000], 0x11);
        state.si = 0x8ffd;
        EXPECT_EQ(run({0x6f}), NOVA_STRING_DONE);
        EXPECT_EQ(port.written.back().second, 0x11223344u);
        /* Half of the element lies in a device. */
        entry(0x4000 + 8 * 9, device_at | 7);
        state.di = 0x8ffe;
        EXPECT_EQ(run({0xab}), NOVA_STRING_DONE);
        EXPECT_EQ(device.written.size(), 2u);
}

TEST_F(string_access, pages_fault_as_on_a_cpu_and_nothing_was_read)
{
        wide(user_rights);
        entry(0x4000 + 8 * 9, 0);
        state.di = 0x8ffe;
        state.cx = 3;
        EXPECT_EQ(run({0xf3, 0x66, 0x6d}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 14);
        EXPECT_EQ(fault.error, 6u); /* a user's write */
        EXPECT_EQ(fault.address, 0x9000u);
        EXPECT_EQ(port.reads, 1u);
        EXPECT_EQ(state.cx, 2u);
        EXPECT_EQ(state.di, 0x9000u);
        EXPECT_EQ(entry(0x4000 + 8 * 8), 0x8067u); /* used and changed */

        entry(0x4000 + 8 * 9, 0x9005); /* read-only */
        EXPECT_EQ(run({0x6c}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.error, 7u);
        entry(0x4000 + 8 * 9, 0x9003); /* the kernel's */
        EXPECT_EQ(run({0x6c}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.error, 7u);
        state.si = 0x9000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.error, 5u);
        EXPECT_EQ(port.reads, 1u);
}

TEST_F(string_access, the_kernel_may_write_to_read_only_pages_without_wp)
{
        wide();
        entry(0x4000 + 8 * 9, 0x9001);
        state.di = 0x9000;
        EXPECT_EQ(run({0x6c}), NOVA_STRING_DONE);
        state.cr0 |= 0x10000;
        EXPECT_EQ(run({0x6c}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.error, 3u);
}

TEST_F(string_access, with_smap_the_kernel_reaches_users_pages_only_when_it_says_so)
{
        wide();
        state.cr4 |= 0x200000;
        state.si = 0x8000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.error, 1u);
        state.flags |= 0x40000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_DONE);
}

TEST_F(string_access, a_read_marks_pages_as_used_only)
{
        wide();
        state.si = 0x8000;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_DONE);
        EXPECT_EQ(entry(0x4000 + 8 * 8), 0x8027u);
        EXPECT_EQ(entry(0x3000), 0x4027u);
        EXPECT_EQ(entry(0x1000), 0x2027u);
}

TEST_F(string_access, segments_limit_the_addresses_of_strings)
{
        flat();
        state.si = 0x10000;
        state.ds = {0, 0xc93, 0xffff, 0};
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13);
        EXPECT_EQ(fault.error, 0u);
        state.ds = {0, 0xc97, 0xffff, 0}; /* expands down: addresses above the limit */
        EXPECT_EQ(run({0x6e}), NOVA_STRING_DONE);
        state.si = 0xffff;
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        state.si = 0;
        state.ds = {0, 0xc13, 0xffffffff, 0}; /* not present */
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        state.ds = {0, 0xc99, 0xffffffff, 0}; /* code that cannot be read */
        EXPECT_EQ(run({0x6e}), NOVA_STRING_FAULT);
        state.es = {0, 0xc91, 0xffffffff, 0}; /* data that cannot be written */
        EXPECT_EQ(run({0x6c}), NOVA_STRING_FAULT);
        EXPECT_EQ(port.reads, 0u);
}

TEST_F(string_access, rounds_end_where_interrupts_are_to_come_in)
{
        flat();
        state.di = 0x8000;
        state.cx = 10;
        EXPECT_EQ(run({0xf3, 0x6c}, 4), NOVA_STRING_GOES_ON);
        EXPECT_EQ(state.cx, 6u);
        EXPECT_EQ(state.di, 0x8004u);
        EXPECT_EQ(run({0xf3, 0x6c}, 6), NOVA_STRING_DONE);
        EXPECT_EQ(run({0xf3, 0x6c}, 6), NOVA_STRING_DONE); /* no iteration at all */
        EXPECT_EQ(state.di, 0x800au);
        EXPECT_EQ(changed, 0u);
}

TEST_F(string_access, movs_copies_between_memory_and_a_device)
{
        wide();
        state.si = 0x40000;
        state.di = 0x8000;
        state.cx = 2;
        EXPECT_EQ(run({0xf3, 0x48, 0xa5}), NOVA_STRING_DONE);
        EXPECT_EQ(entry(0x8000), 0x11223344u);
        EXPECT_EQ(entry(0x8008), 0x11223345u);
        EXPECT_EQ(state.si, 0x40010u);
        state.si = 0x8000;
        state.di = 0x40004;
        EXPECT_EQ(run({0xa4}), NOVA_STRING_DONE);
        EXPECT_EQ(device.written.back(), std::make_pair(device_at + 4, uint64_t{0x44}));
        state.si = 0x40000; /* from one place in a device to another */
        EXPECT_EQ(run({0xa5}), NOVA_STRING_DONE);
        EXPECT_EQ(device.written.back(), std::make_pair(device_at + 5, uint64_t{0x11223346}));
}

TEST_F(string_access, stos_and_lods_take_the_accumulator)
{
        flat();
        state.ax = 0xcafe5678;
        state.di = device_at;
        state.cx = 3;
        EXPECT_EQ(run({0xf3, 0x66, 0xab}), NOVA_STRING_DONE);
        ASSERT_EQ(device.written.size(), 3u);
        EXPECT_EQ(device.written[2], std::make_pair(device_at + 4, uint64_t{0x5678}));
        state.si = device_at;
        EXPECT_EQ(run({0xac}), NOVA_STRING_DONE);
        EXPECT_EQ(state.ax, 0xcafe5644u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_ACDB | NOVA_MTD_BSD});
}

TEST_F(string_access, comparisons_end_when_they_found_something)
{
        flat();
        text(0x8000, "same text");
        text(0x9000, "same test");
        state.si = 0x8000;
        state.di = 0x9000;
        state.cx = 9;
        EXPECT_EQ(run({0xf3, 0xa6}), NOVA_STRING_DONE);
        EXPECT_EQ(state.cx, 1u);
        EXPECT_EQ(state.si, 0x8008u);
        EXPECT_EQ(state.flags & 0x41u, 0u); /* 'x' is above 's' */
        state.di = 0x9000;
        state.cx = 9;
        state.ax = ' ';
        EXPECT_EQ(run({0xf2, 0xae}), NOVA_STRING_DONE);
        EXPECT_EQ(state.di, 0x9005u);
        EXPECT_EQ(state.flags & 0x41u, 0x40u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_EFL});
}

TEST_F(string_access, ports_and_memory_without_a_device_give_ones)
{
        flat();
        state.dx = 0x80;
        state.di = 0x8000;
        EXPECT_EQ(run({0x6d}), NOVA_STRING_DONE);
        EXPECT_EQ(entry(0x8000), 0xffffffffu);
        state.si = 0xe0000000;
        EXPECT_EQ(run({0xad}), NOVA_STRING_DONE);
        EXPECT_EQ(state.ax, 0xffffffffu);
}

TEST_F(string_access, code_is_fetched_in_all_modes)
{
        uint8_t code[NOVA_CODE_BYTES];
        text(0x20010, "real");
        state.cs.base = 0x20000;
        state.ip = 0x10;
        EXPECT_EQ(nova_access_bits(&access), 16u);
        EXPECT_EQ(nova_access_fetch(&access, code), sizeof(code));
        EXPECT_EQ(memcmp(code, "real", 4), 0);
        wide();
        text(0x8010, "wide");
        state.ip = 0x8010;
        state.cs.base = 0x1000; /* no base in 64-bit mode */
        EXPECT_EQ(nova_access_bits(&access), 64u);
        nova_access_fetch(&access, code);
        EXPECT_EQ(memcmp(code, "wide", 4), 0);
        state.ip = 0x7fffffff;
        EXPECT_EQ(nova_access_fetch(&access, code), 0u);
}

} // namespace
