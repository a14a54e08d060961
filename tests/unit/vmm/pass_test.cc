/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's view of a PCI function that is passed through. */
#include "novavmm/pass.h"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

constexpr unsigned SLOT = 5;
constexpr uint32_t FIRST = 0xe1000000, MESSAGE = 0xfee01000;

/* A function with a large BAR 0, the table of MSI-X with 8 of its 16 vectors in BAR 3, and 32 bytes
 * at BAR 5. */
struct pass : testing::Test {
        nova_vpci bus;
        nova_pass view;
        nova_pass_function function = {};
        std::vector<std::string> log;
        std::vector<std::pair<uint64_t, uint32_t>> sent;

        static void master(void *context, bool on)
        {
                static_cast<pass *>(context)->log.emplace_back(on ? "on" : "off");
        }

        static void moved(void *context)
        {
                static_cast<pass *>(context)->log.emplace_back("moved");
        }

        static uint64_t read(void *context, unsigned bar, uint32_t at, unsigned bytes)
        {
                static_cast<pass *>(context)->log.push_back("read " + std::to_string(bar) + " " +
                                                            std::to_string(at) + " " +
                                                            std::to_string(bytes));
                return 0x77;
        }

        static void write(void *context, unsigned bar, uint32_t at, unsigned bytes, uint64_t value)
        {
                static_cast<pass *>(context)->log.push_back(
                        "write " + std::to_string(bar) + " " + std::to_string(at) + " " +
                        std::to_string(bytes) + " " + std::to_string(value));
        }

        static void send(void *context, uint64_t address, uint32_t data)
        {
                static_cast<pass *>(context)->sent.emplace_back(address, data);
        }

        void make()
        {
                const nova_pass_host host = {master, moved, read, write, send, this};
                uint32_t next = FIRST;

                nova_vpci_init(&bus);
                nova_pass_init(&view, &function, &host);
                ASSERT_TRUE(nova_pass_place(&view, &next, 0xf0000000));
                ASSERT_EQ(nova_vpci_add(&bus, SLOT, &view.pci), 0);
        }

        void SetUp() override
        {
                function.vendor = 0x8086;
                function.product = 0x10d3;
                function.subsystem_vendor = 0x1111;
                function.subsystem = 0x2222;
                function.class_code = 0x020000;
                function.revision = 3;
                function.bar[0].bytes = 0x20000;
                function.bar[3].bytes = 0x4000;
                function.bar[3].prefetch = true;
                function.bar[5].bytes = 32;
                function.messages = 8;
                function.msix = true;
                function.vectors = 16;
                function.table = 0x1000 | 3;
                function.pending = 0x2000 | 3;
                make();
        }

        void set(unsigned reg, uint32_t value)
        {
                nova_vpci_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | reg << 2);
                nova_vpci_write(&bus, 0xcfc, 4, value);
        }

        uint32_t get(unsigned reg)
        {
                nova_vpci_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | reg << 2);
                return (uint32_t)nova_vpci_read(&bus, 0xcfc, 4);
        }

        void switch_on()
        {
                set(1, 6);
                log.clear();
        }

        uint64_t load(uint64_t at, unsigned bytes)
        {
                return nova_vpci_memory_read(&bus, at, bytes);
        }

        void store(uint64_t at, unsigned bytes, uint64_t value)
        {
                nova_vpci_memory_write(&bus, at, bytes, value);
        }

        uint32_t bar(unsigned n)
        {
                return get(4 + n) & ~15u;
        }

        void set_entry(unsigned n, uint32_t data, uint32_t mask)
        {
                const uint64_t at = bar(3) + 0x1000 + 16 * n;

                store(at, 4, MESSAGE);
                store(at + 4, 4, 0);
                store(at + 8, 4, data);
                store(at + 12, 4, mask);
        }
};

TEST_F(pass, a_guest_finds_the_functions_identification)
{
        EXPECT_EQ(get(0), 0x10d38086u);
        EXPECT_EQ(get(2), 0x02000003u);
        EXPECT_EQ(get(11), 0x22221111u);
        EXPECT_EQ(get(12), 0u) << "no ROM";
        EXPECT_EQ(get(15) & 0xff00, 0u) << "no pin";
}

TEST_F(pass, the_only_capability_is_that_of_messages)
{
        EXPECT_EQ(get(1) >> 16 & 0x10, 0x10u);
        EXPECT_EQ(get(13), 0x40u);
        EXPECT_EQ(get(16), 0x00070011u);
        EXPECT_EQ(get(17), function.table);
        EXPECT_EQ(get(18), function.pending);
        function.msix = false;
        function.messages = 1;
        make();
        EXPECT_EQ(get(16), 0x00800005u);
}

TEST_F(pass, registers_report_their_sizes_and_lie_below_4_gib)
{
        for (unsigned i = 0; i < 6; i++)
                set(4 + i, UINT32_MAX);
        EXPECT_EQ(get(4), 0xfffe0000u);
        EXPECT_EQ(get(5), 0u) << "also where the function's upper half is";
        EXPECT_EQ(get(6), 0u);
        EXPECT_EQ(get(7), 0xffffc008u);
        EXPECT_EQ(get(8), 0u);
        EXPECT_EQ(get(9), 0xffffffe0u);
}

TEST_F(pass, the_first_places_are_aligned_and_do_not_overlap)
{
        EXPECT_EQ(bar(0), FIRST);
        EXPECT_EQ(bar(3), FIRST + 0x20000);
        EXPECT_EQ(bar(5), FIRST + 0x24000);
        function.bar[0].bytes = 0x80000000;

        const nova_pass_host host = {master, moved, read, write, send, this};
        uint32_t next = FIRST;

        nova_pass_init(&view, &function, &host);
        EXPECT_FALSE(nova_pass_place(&view, &next, 0xf0000000));
}

TEST_F(pass, writes_change_only_bits_that_a_guest_may_change)
{
        for (unsigned reg = 0; reg < 64; reg++)
                if (reg < 4 || reg > 9)
                        set(reg, UINT32_MAX);
        EXPECT_EQ(get(0), 0x10d38086u);
        EXPECT_EQ(get(1), 0x00100406u);
        EXPECT_EQ(get(2), 0x02000003u);
        EXPECT_EQ(get(13), 0x40u);
        EXPECT_EQ(get(16), 0xc0070011u);
        EXPECT_EQ(get(17), function.table);
        for (unsigned reg = 19; reg < 64; reg++)
                EXPECT_EQ(get(reg), 0u) << reg;
}

TEST_F(pass, only_a_change_of_the_bus_master_bit_reaches_the_function)
{
        set(1, 4);
        set(1, 4);
        set(1, 0x404);
        EXPECT_EQ(log, (std::vector<std::string>{"on"}));
        set(1, 0);
        EXPECT_EQ(log, (std::vector<std::string>{"on", "off"}));
}

TEST_F(pass, a_move_takes_the_memory_back_once)
{
        switch_on();
        set(4, bar(0));
        EXPECT_TRUE(log.empty());
        set(4, 0xe8000000);
        EXPECT_EQ(log, (std::vector<std::string>{"moved"}));
        set(1, 4);
        EXPECT_EQ(log.size(), 2u);
        set(4, 0xe4000000);
        EXPECT_EQ(log.size(), 2u) << "it does not respond";
}

TEST_F(pass, accesses_reach_the_memory_that_contains_them)
{
        unsigned number;
        uint32_t at;

        EXPECT_EQ(load(FIRST, 4), UINT64_MAX) << "it is off";
        switch_on();
        EXPECT_EQ(load(FIRST + 0x1fffc, 4), 0x77u);
        EXPECT_EQ(load(FIRST + 0x1fffe, 4), UINT64_MAX) << "it ends before";
        store(bar(5) + 30, 2, 9);
        EXPECT_EQ(log, (std::vector<std::string>{"read 0 131068 4", "write 5 30 2 9"}));
        EXPECT_TRUE(nova_pass_find(&view, FIRST + 0x1000, 4096, &number, &at));
        EXPECT_EQ(number, 0u);
        EXPECT_EQ(at, 0x1000u);
        EXPECT_FALSE(nova_pass_find(&view, bar(5), 4096, &number, &at));
}

TEST_F(pass, memory_at_0_responds_nowhere)
{
        unsigned number;
        uint32_t at;

        switch_on();
        set(4, 0);
        EXPECT_FALSE(nova_pass_find(&view, 0, 4, &number, &at));
        EXPECT_FALSE(nova_pass_find(&view, 0x100, 4, &number, &at));
}

TEST_F(pass, pages_with_vectors_or_pending_bits_are_withheld)
{
        EXPECT_TRUE(nova_pass_is_open(&view, 3, 0));
        EXPECT_FALSE(nova_pass_is_open(&view, 3, 1));
        EXPECT_FALSE(nova_pass_is_open(&view, 3, 2));
        EXPECT_TRUE(nova_pass_is_open(&view, 3, 3));
        EXPECT_FALSE(nova_pass_is_open(&view, 3, 4)) << "it ends before";
        EXPECT_TRUE(nova_pass_is_open(&view, 0, 1));
        EXPECT_FALSE(nova_pass_is_open(&view, 5, 0)) << "it is not a whole page";
        function.table = 0x0ff0 | 3; /* the guest's vectors are in two pages */
        function.vectors = 600;      /* the function's vectors are in four pages */
        make();
        for (unsigned page = 0; page < 4; page++)
                EXPECT_FALSE(nova_pass_is_open(&view, 3, page));
}

TEST_F(pass, no_access_to_a_withheld_page_reaches_the_function)
{
        switch_on();
        for (uint32_t at = 0x1000; at < 0x3000; at += 4) {
                load(bar(3) + at, 4);
                store(bar(3) + at, 4, UINT32_MAX);
        }
        load(bar(3) + 0xffc, 8);
        store(bar(3) + 0xffe, 4, 1);
        store(bar(3) + 0x2ffe, 4, 1);
        load(bar(3) + 0x2ffe, 4);
        EXPECT_TRUE(log.empty());
        EXPECT_EQ(load(bar(3) + 0x1000 + 16 * 8, 4), 0u) << "a vector that the guest does not have";
}

TEST_F(pass, a_message_is_the_one_of_its_vector)
{
        switch_on();
        set_entry(2, 0x41, 0);
        nova_pass_message(&view, 2);
        EXPECT_TRUE(sent.empty()) << "messages are off";
        EXPECT_EQ(view.lost, 1u);
        set(16, 0x80000000);
        EXPECT_TRUE(sent.empty());
        nova_pass_message(&view, 2);
        nova_pass_message(&view, 8);
        EXPECT_EQ(sent, (decltype(sent){{MESSAGE, 0x41}}));
}

TEST_F(pass, a_masked_message_waits)
{
        switch_on();
        set(16, 0x80000000);
        set_entry(7, 0x47, 1);
        nova_pass_message(&view, 7);
        nova_pass_message(&view, 7);
        EXPECT_TRUE(sent.empty());
        EXPECT_EQ(load(bar(3) + 0x2000, 4), 0x80u);
        set_entry(7, 0x48, 0);
        EXPECT_EQ(sent, (decltype(sent){{MESSAGE, 0x48}}));
        EXPECT_EQ(load(bar(3) + 0x2000, 4), 0u);
        set(16, 0xc0000000);
        nova_pass_message(&view, 7);
        EXPECT_EQ(sent.size(), 1u);
        set(16, 0x80000000);
        EXPECT_EQ(sent.size(), 2u);
}

TEST_F(pass, entries_hold_whole_words_of_the_guest)
{
        const uint64_t at = bar(3) + 0x1000;

        switch_on();
        store(at, 8, 0x12345678fee0100fu);
        EXPECT_EQ(load(at, 8), 0x12345678fee0100cu);
        store(at + 12, 4, UINT32_MAX);
        EXPECT_EQ(load(at + 12, 4), 1u);
        store(at, 2, 0);
        store(at + 2, 4, 0);
        EXPECT_EQ(load(at, 4), 0xfee0100cu);
        EXPECT_EQ(load(at + 1, 1), 0x10u);
}

TEST_F(pass, msi_is_one_message)
{
        function.msix = false;
        function.messages = 1;
        make();
        switch_on();
        set(17, MESSAGE | 3);
        set(19, 0xffff0051);
        nova_pass_message(&view, 0);
        EXPECT_TRUE(sent.empty());
        set(16, 0x00710000);
        EXPECT_EQ(get(16), 0x00810005u) << "never several";
        nova_pass_message(&view, 0);
        nova_pass_message(&view, 1);
        EXPECT_EQ(sent, (decltype(sent){{MESSAGE, 0x51}}));
        EXPECT_EQ(load(bar(3) + 0x1000, 4), 0x77u) << "its memory has no table";
}

TEST_F(pass, the_device_of_a_page_is_the_first_by_number)
{
        nova_vpci_device card = {};

        switch_on();
        EXPECT_EQ(nova_vpci_memory_device(&bus, FIRST, 4096), &view.pci);
        EXPECT_EQ(nova_vpci_memory_device(&bus, bar(5), 4096), nullptr);
        nova_vpci_set_memory(&card, FIRST, 0x8000);
        ASSERT_EQ(nova_vpci_add(&bus, 3, &card), 0);
        EXPECT_EQ(nova_vpci_memory_device(&bus, FIRST, 4096), &card);
}

} // namespace
