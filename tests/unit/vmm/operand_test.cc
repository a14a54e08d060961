/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands in memory: their addresses, and accesses to an operand that lies in RAM and in a device,
 * or in two devices. */
#include "access.h"

namespace
{

using writes = std::vector<std::pair<uint64_t, uint64_t>>;

struct operand_access : guest_access {
        probe neighbour; /* after the device */
        nova_instruction in = {};

        void SetUp() override
        {
                guest_access::SetUp();
                const nova_bus_range range = {device_at + 0x1000, device_at + 0x1fff, probe::read,
                                              probe::write, &neighbour};
                nova_bus_add(&mmio, &range);
        }

        uint64_t offset(const bytes &code)
        {
                EXPECT_TRUE(nova_decode(code.data(), code.size(), nova_access_bits(&access), &in));
                return nova_operand_offset(&state, &in);
        }

        /* Runs code whose exit was for an access to this address. */
        bool run(const bytes &code, uint64_t address)
        {
                offset(code);
                changed = 0;
                return nova_access_perform(&access, &in, address, &changed, &fault);
        }
};

TEST_F(operand_access, in_one_device_it_goes_there_in_one_piece)
{
        wide();
        state.di = 0x40ffc;
        state.ax = 0x11223344;
        EXPECT_TRUE(run({0x89, 0x07}, device_at + 0xffc)); /* mov %eax, (%rdi) */
        EXPECT_EQ(device.written, (writes{{device_at + 0xffc, 0x11223344}}));
        state.di = 0x40000;
        EXPECT_TRUE(run({0x48, 0x89, 0x07}, device_at)); /* at the start of a page */
        EXPECT_EQ(device.written.back(), std::make_pair(device_at, uint64_t{0x11223344}));
        EXPECT_EQ(device.written.size(), 2u);
}

/* The exit is for the first byte of the device's page. */
TEST_F(operand_access, half_in_ram_and_half_in_a_device_each_byte_goes_where_it_belongs)
{
        wide();
        state.di = 0x3fffe;
        state.ax = 0x1122334455667788;
        EXPECT_TRUE(run({0x89, 0x07}, device_at));
        EXPECT_EQ(ram[0x3fffe], 0x88);
        EXPECT_EQ(ram[0x3ffff], 0x77);
        EXPECT_EQ(device.written, (writes{{device_at, 0x66}, {device_at + 1, 0x55}}));
        state.di = 0x3ffff;
        EXPECT_TRUE(run({0x48, 0x89, 0x07}, device_at)); /* mov %rax, (%rdi): eight bytes */
        EXPECT_EQ(ram[0x3ffff], 0x88);
        EXPECT_EQ(device.written.size(), 2u + 7u);
        EXPECT_EQ(device.written.back(), std::make_pair(device_at + 6, uint64_t{0x11}));
        EXPECT_TRUE(run({0x48, 0x8b, 0x0f}, device_at)); /* mov (%rdi), %rcx */
        EXPECT_EQ(state.cx, 0x4a49484746454488u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_ACDB});
}

TEST_F(operand_access, half_in_a_device_and_half_in_ram)
{
        wide();
        entry(0x4000 + 8 * 8, device_at | 7);
        state.di = 0x8ffd;
        state.ax = 0x11223344;
        EXPECT_TRUE(run({0x01, 0x07}, device_at + 0xffd)); /* add %eax, (%rdi) */
        EXPECT_EQ(device.reads, 3u);
        EXPECT_EQ(device.written, (writes{{device_at + 0xffd, 0x88},
                                          {device_at + 0xffe, 0x78},
                                          {device_at + 0xfff, 0x68}}));
        EXPECT_EQ(ram[0x9000], 0x11);
}

TEST_F(operand_access, in_two_devices)
{
        flat();
        state.di = device_at + 0xffe;
        state.ax = 0x11223344;
        EXPECT_TRUE(run({0x89, 0x07}, device_at + 0xffe));
        EXPECT_EQ(device.written, (writes{{device_at + 0xffe, 0x44}, {device_at + 0xfff, 0x33}}));
        EXPECT_EQ(neighbour.written,
                  (writes{{device_at + 0x1000, 0x22}, {device_at + 0x1001, 0x11}}));
        EXPECT_TRUE(run({0x8b, 0x07}, device_at + 0xffe));
        EXPECT_EQ(state.ax, 0x45444544u);
}

TEST_F(operand_access, over_the_end_of_a_device_the_rest_reads_as_ones)
{
        flat();
        state.di = device_at + 0x1fff;
        EXPECT_TRUE(run({0x8b, 0x07}, device_at + 0x1fff));
        EXPECT_EQ(state.ax, 0xffffff44u);
        EXPECT_TRUE(run({0x89, 0x07}, device_at + 0x1fff));
        EXPECT_EQ(neighbour.written, (writes{{device_at + 0x1fff, 0x44}}));
}

/* Another virtual CPU changes the code after the exit of a read. */
TEST_F(operand_access, a_write_needs_the_right_to_write_even_if_the_exit_was_a_read)
{
        wide();
        state.cr0 |= 0x10000;
        entry(0x4000 + 8 * 64, device_at | 5); /* read-only */
        state.di = 0x40010;
        EXPECT_TRUE(run({0x8b, 0x07}, device_at + 0x10)); /* mov (%rdi), %eax */
        EXPECT_FALSE(run({0x89, 0x07}, device_at + 0x10));
        EXPECT_EQ(fault.vector, 14);
        EXPECT_EQ(fault.error, 3u);
        EXPECT_EQ(fault.address, 0x40010u);
        EXPECT_TRUE(device.written.empty());
        state.qual[0] = 2; /* the CPU has checked the write */
        EXPECT_TRUE(run({0x89, 0x07}, device_at + 0x10));
        EXPECT_EQ(device.written.size(), 1u);
}

TEST_F(operand_access, a_page_that_faults_is_reported_before_anything_is_done)
{
        wide();
        entry(0x4000 + 8 * 65, 0);
        state.di = 0x40ffe;
        EXPECT_FALSE(run({0x87, 0x07}, device_at + 0xffe)); /* xchg %eax, (%rdi) */
        EXPECT_EQ(fault.vector, 14);
        EXPECT_EQ(fault.error, 2u);
        EXPECT_EQ(fault.address, 0x41000u);
        EXPECT_EQ(device.reads, 0u);
        EXPECT_TRUE(device.written.empty());
        state.cr0 |= 0x10000;
        entry(0x4000 + 8 * 63, 0x3f005); /* read-only */
        state.di = 0x3fffe;
        EXPECT_FALSE(run({0x0f, 0xb1, 0x0f}, device_at)); /* cmpxchg %ecx, (%rdi) */
        EXPECT_EQ(fault.error, 3u);
        EXPECT_TRUE(run({0x3b, 0x07}, device_at)); /* cmp (%rdi), %eax: reads alone */
}

TEST_F(operand_access, segments_limit_operands_that_cross_a_page_boundary)
{
        state.ds.base = device_at - 0xf000;
        state.di = 0xfffe;
        state.ax = 0x1122;
        EXPECT_TRUE(run({0x89, 0x05}, device_at + 0xffe)); /* real mode: mov %ax, (%di) */
        EXPECT_EQ(device.written.back().second, 0x1122u);
        state.di = 0xffff;
        EXPECT_FALSE(run({0x89, 0x05}, device_at + 0xfff));
        EXPECT_EQ(fault.vector, 13);
        state.bp = 0xffff;
        EXPECT_FALSE(run({0x89, 0x46, 0x00}, device_at + 0xfff)); /* mov %ax, (%bp): the stack */
        EXPECT_EQ(fault.vector, 12);
}

TEST_F(operand_access, offsets_in_64_bit_code)
{
        wide();
        state.ip = 0x1000;
        state.bx = 0x100000010;
        state.cx = 0x20;
        state.r13 = 0x3000;
        state.r12 = 4;
        EXPECT_EQ(offset({0x8b, 0x44, 0x8b, 0xf0}), 0x100000080u); /* -16(%rbx,%rcx,4) */
        EXPECT_EQ(offset({0x67, 0x8b, 0x44, 0x8b, 0xf0}), 0x80u);  /* the same with 32 bits */
        EXPECT_EQ(offset({0x8b, 0x05, 0x10, 0, 0, 0}), 0x1016u);   /* 16(%rip) */
        EXPECT_EQ(offset({0xc7, 0x05, 0xf0, 0xff, 0xff, 0xff, 1, 2, 3, 4}), 0xffau);
        EXPECT_EQ(offset({0x43, 0x8b, 0x44, 0xe5, 0x01}), 0x3021u); /* 1(%r13,%r12,8) */
        EXPECT_EQ(offset({0x8b, 0x04, 0x25, 0, 0, 0, 0x80}), 0xffffffff80000000u);
        EXPECT_EQ(offset({0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8}), 0x0807060504030201u);
}

TEST_F(operand_access, offsets_in_16_bit_code_wrap)
{
        state.bx = 0xfff0;
        state.si = 0x12340020;
        EXPECT_EQ(offset({0x8b, 0x00}), 0x10u);         /* (%bx,%si) */
        EXPECT_EQ(offset({0x8b, 0x40, 0x80}), 0xff90u); /* -128(%bx,%si) */
        EXPECT_EQ(offset({0x8b, 0x06, 0x34, 0x12}), 0x1234u);
        EXPECT_EQ(offset({0xa1, 0x34, 0x12}), 0x1234u);
        EXPECT_EQ(offset({0x67, 0x8b, 0x06}), 0x12340020u); /* (%esi) */
}

TEST_F(operand_access, bit_numbers_continue_beyond_the_operand)
{
        flat();
        state.di = 0x8000;
        state.ax = 37;
        EXPECT_EQ(offset({0x0f, 0xab, 0x07}), 0x8004u); /* bts %eax, (%edi) */
        state.ax = static_cast<nova_word_t>(-1);
        EXPECT_EQ(offset({0x0f, 0xab, 0x07}), 0x7ffcu);
        EXPECT_EQ(offset({0x66, 0x0f, 0xab, 0x07}), 0x7ffeu);
        EXPECT_EQ(offset({0x0f, 0xba, 0x2f, 0x25}), 0x8000u); /* bts $37, (%edi) does not */
}

TEST_F(operand_access, instruction_pointers_end_at_4_gib_but_in_64_bit_mode)
{
        EXPECT_EQ(nova_access_cut(&access, 0x10000), 0x10000u); /* real mode: not at 64 KiB */
        EXPECT_EQ(nova_access_cut(&access, 0x100000001), 1u);
        flat();
        EXPECT_EQ(nova_access_cut(&access, 0x100000001), 1u);
        wide();
        EXPECT_EQ(nova_access_cut(&access, 0x100000001), 0x100000001u);
        state.cs.ar = 0xc9b; /* compatibility mode */
        EXPECT_EQ(nova_access_cut(&access, 0x100000001), 1u);
}

} // namespace
