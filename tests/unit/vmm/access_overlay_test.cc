/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated accesses to overlay pages: page tables that lie there, and data. */
#include "access.h"

#include "nova/abi/crd.h"

namespace
{

struct access_overlay : guest_access {
        alignas(8) uint8_t frame[0x1000] = {};

        /* Covers a page of RAM. */
        void cover(uint64_t page, unsigned rights)
        {
                memory.overlay[0] = {page, frame, rights};
                memory.overlays = 1;
        }

        /* Sets the first word of the frame. */
        void word(uint32_t value)
        {
                memcpy(frame, &value, sizeof(value));
        }

        uint32_t word()
        {
                uint32_t value;
                memcpy(&value, frame, sizeof(value));
                return value;
        }

        /* Writes a string of one byte to linear address @p at. */
        nova_string_end store(nova_word_t at)
        {
                const bytes code = {0xaa};
                nova_instruction in;
                EXPECT_TRUE(nova_decode(code.data(), code.size(), nova_access_bits(&access), &in));
                state.di = at;
                state.ax = 'x';
                return nova_string_run(&access, &in, 1, &changed, &fault);
        }

        /* Sets protected mode with tables of two levels. The second table is page 4. */
        void narrow()
        {
                flat();
                state.cr0 |= NOVA_CR0_PG;
                state.cr3 = 0x1000;
                entry(0x1000, 0x4007);
        }
};

TEST_F(access_overlay, tables_of_two_levels_may_lie_there)
{
        narrow();
        cover(4, NOVA_MEM_R | NOVA_MEM_W);
        word(0x9007);
        EXPECT_EQ(store(0x123), NOVA_STRING_DONE);
        EXPECT_EQ(ram[0x9123], 'x');
        EXPECT_EQ(word(), 0x9067u);
        EXPECT_EQ(entry(0x4000), 0u);
}

TEST_F(access_overlay, tables_of_four_levels_may_lie_there)
{
        wide();
        cover(4, NOVA_MEM_R | NOVA_MEM_W);
        word(0x9007);
        EXPECT_EQ(store(0x123), NOVA_STRING_DONE);
        EXPECT_EQ(ram[0x9123], 'x');
        EXPECT_EQ(word(), 0x9067u);
        EXPECT_EQ(entry(0x4000), 7u);
}

// The CPU itself cannot set bits of an entry in such a page; the attempt ends the machine.
TEST_F(access_overlay, tables_in_a_page_that_the_guest_cannot_write_stay_unchanged)
{
        narrow();
        cover(4, NOVA_MEM_R);
        word(0x9007);
        EXPECT_EQ(store(0x123), NOVA_STRING_DONE);
        EXPECT_EQ(word(), 0x9007u);
}

TEST_F(access_overlay, data_goes_to_a_page_that_the_guest_can_write)
{
        flat();
        cover(9, NOVA_MEM_R | NOVA_MEM_W);
        EXPECT_EQ(store(0x9001), NOVA_STRING_DONE);
        EXPECT_EQ(frame[1], 'x');
        EXPECT_EQ(ram[0x9001], 0);
}

TEST_F(access_overlay, a_write_without_permission_is_a_general_protection_fault)
{
        flat();
        cover(9, NOVA_MEM_R);
        EXPECT_EQ(store(0x9001), NOVA_STRING_FAULT);
        EXPECT_EQ(fault.vector, 13u);
        EXPECT_EQ(frame[1], 0);
        EXPECT_EQ(ram[0x9001], 0);
}

} // namespace
