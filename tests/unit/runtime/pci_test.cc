/* SPDX-License-Identifier: BSD-2-Clause */
/* The scan of PCI buses, on simulated buses. */
extern "C" {
#include "config.h"
#include "scan.h"
}

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace
{

/* A function: its registers, and which of their bits can be written. */
struct function {
        std::array<uint32_t, 64> value = {}, writable = {};
        unsigned decoded_while_sizing = 0;

        void bar(unsigned n, uint32_t flags, uint32_t size, uint32_t base)
        {
                value.at(4 + n) = base | flags;
                writable.at(4 + n) = ~(size - 1);
        }
};

std::map<uint16_t, function> machine;
std::set<unsigned> mapped;
uint64_t accesses;

function &add(uint16_t address, uint32_t id, uint32_t class_code, uint32_t header = 0)
{
        function &f = machine[address];

        f.value[0] = id;
        f.value[1] = 0x7;
        f.writable[1] = 0x407;
        f.value[2] = class_code << 8 | 0x12;
        f.value[3] = header << 16;
        return f;
}

struct pci : testing::Test {
        std::vector<nova_pci_function> table;

        void SetUp() override
        {
                machine.clear();
                mapped.clear();
                accesses = 0;
        }

        unsigned scan(unsigned max = 64)
        {
                table.assign(max + 1, {});
                mapped.clear();
                const unsigned count = scan_buses(table.data(), max);
                EXPECT_EQ(table[max].vendor, 0) << "nothing is written beyond the table";
                return count;
        }
};

} // namespace

void config_map_bus(unsigned bus)
{
        EXPECT_TRUE(mapped.insert(bus).second) << "a bus is mapped once";
}

uint32_t config_read(uint16_t address, unsigned offset)
{
        accesses++;
        EXPECT_EQ(offset % 4, 0U);
        EXPECT_LT(offset, 256U);
        const auto found = machine.find(address);
        return found == machine.end() ? 0xffffffff : found->second.value.at(offset / 4);
}

void config_write(uint16_t address, unsigned offset, uint32_t value)
{
        accesses++;
        function &f = machine.at(address);
        uint32_t &word = f.value.at(offset / 4);
        const uint32_t bits = f.writable.at(offset / 4);

        if (offset >= 0x10 && offset < 0x28 && f.value[1] & 0x3)
                f.decoded_while_sizing++;
        word = (word & ~bits) | (value & bits);
}

TEST_F(pci, an_empty_machine_has_no_functions)
{
        EXPECT_EQ(scan(), 0U);
        EXPECT_TRUE(mapped.empty());
}

TEST_F(pci, functions_are_found_on_every_bus_in_the_order_of_addresses)
{
        add(0xff << 8 | 31 << 3, 0x00051234, 0x010802);
        add(0, 0x00018086, 0x060000);
        add(1 << 3, 0x00028086, 0x060400, 0x81);
        add(1 << 3 | 7, 0x00038086, 0x060400, 1);
        add(2 << 3 | 3, 0x00048086, 0x060400); /* no function 0: the device does not exist */
        add(3 << 3, 0x00068086, 0x030000);
        add(3 << 3 | 1, 0x00078086, 0x030000); /* the device has one function: this is its echo */

        ASSERT_EQ(scan(), 5U);
        EXPECT_EQ(table[0].address, 0);
        EXPECT_EQ(table[1].address, 1 << 3);
        EXPECT_EQ(table[1].header, NOVA_PCI_HEADER_BRIDGE);
        EXPECT_EQ(table[2].address, 1 << 3 | 7);
        EXPECT_EQ(table[3].address, 3 << 3);
        EXPECT_EQ(table[4].address, 0xff << 8 | 31 << 3);
        EXPECT_EQ(table[4].vendor, 0x1234);
        EXPECT_EQ(table[4].device, 5);
        EXPECT_EQ(table[4].class_code, 0x010802U);
        EXPECT_EQ(table[4].revision, 0x12);
        EXPECT_EQ(mapped, (std::set<unsigned>{0, 0xff}));
        EXPECT_EQ(scan_find(table.data(), 5, 1 << 3 | 7), &table[2]);
        EXPECT_EQ(scan_find(table.data(), 5, 2), nullptr);
}

TEST_F(pci, a_full_table_counts_the_functions_that_it_has_no_room_for)
{
        for (uint16_t device = 0; device < 10; device++)
                add((uint16_t)(device << 3), 0x00018086, 0x010000);
        EXPECT_EQ(scan(4), 10U);
        EXPECT_EQ(table[3].address, 3 << 3);
        EXPECT_EQ(scan(0), 10U);
}

TEST_F(pci, base_address_registers_have_sizes_and_keep_their_values)
{
        function &f = add(4 << 3, 0x10001af4, 0x020000);

        f.bar(0, 0x1, 0x20, 0xc040);
        f.writable[4] &= 0xffff; /* the upper half may be absent */
        f.bar(1, 0x0, 0x1000, 0xfebc0000);
        f.bar(2, 0xc, 0x4000, 0xfe000000);
        f.value[7] = 0x8;
        f.writable[7] = 0xffffffff;
        f.bar(4, 0xc, 1, 0); /* 2^36 bytes, not assigned */
        f.writable[8] = 0;
        f.writable[9] = 0xfffffff0;
        const auto before = f.value;

        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(machine[4 << 3].value, before);
        EXPECT_EQ(f.decoded_while_sizing, 0U);

        const nova_pci_bar *bar = table[0].bar;
        EXPECT_EQ(bar[0].base, 0xc040U);
        EXPECT_EQ(bar[0].size, 0x20U);
        EXPECT_EQ(bar[0].flags, unsigned{NOVA_PCI_BAR_PORTS});
        EXPECT_EQ(bar[1].base, 0xfebc0000U);
        EXPECT_EQ(bar[1].size, 0x1000U);
        EXPECT_EQ(bar[1].flags, 0U);
        EXPECT_EQ(bar[2].base, 0x8fe000000U);
        EXPECT_EQ(bar[2].size, 0x4000U);
        EXPECT_EQ(bar[2].flags, unsigned{NOVA_PCI_BAR_64 | NOVA_PCI_BAR_PREFETCH});
        EXPECT_EQ(bar[3].size, 0U);
        EXPECT_EQ(bar[4].base, 0U);
        EXPECT_EQ(bar[4].size, uint64_t{1} << 36);
        EXPECT_EQ(bar[5].size, 0U);
}

TEST_F(pci, registers_whose_address_cannot_be_written_have_no_size)
{
        function &f = add(4 << 3, 0x10001af4, 0x020000);

        f.value[4] = 0x1;                             /* ports */
        f.value[5] = 0x8, f.value[6] = 0x2;           /* memory */
        f.value[7] = 0x4;                             /* memory with 64 bits */
        f.value[9] = 0x1, f.writable[9] = 0xffff0000; /* ports above the last one */
        const auto before = f.value;

        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(f.value, before);
        for (const nova_pci_bar &bar : table[0].bar)
                EXPECT_EQ(bar.size, 0U) << (&bar - table[0].bar);
}

TEST_F(pci, registers_with_holes_or_past_the_last_one_have_no_size)
{
        function &f = add(0, 0x10001af4, 0x020000);

        f.value[4] = 0;
        f.writable[4] = 0xf0f0f000;
        f.bar(5, 0x4, 0x1000, 0); /* 64 bits, and no register follows */

        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(table[0].bar[0].size, 0U);
        EXPECT_EQ(table[0].bar[5].size, 0U);
}

TEST_F(pci, a_bridge_has_two_registers_and_its_buses)
{
        function &f = add(2 << 3, 0x00018086, 0x060400, 1);

        f.bar(0, 0, 0x1000, 0xfe000000);
        f.value[6] = 0x00050201; /* primary 1, secondary 2, last 5 */
        f.writable[6] = 0xffffffff;

        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(table[0].bar[0].size, 0x1000U);
        EXPECT_EQ(table[0].secondary_bus, 2);
        EXPECT_EQ(table[0].last_bus, 5);
        EXPECT_EQ(f.value[6], 0x00050201U);
}

TEST_F(pci, host_bridges_and_iommus_are_never_written)
{
        for (const uint32_t class_code : {0x060000U, 0x080600U}) {
                SetUp();
                function &f = add(0, 0x00018086, class_code);
                f.bar(0, 0, 0x1000, 0xfe000000);
                f.writable[1] = 0;
                f.value[1] = 0;
                const auto before = f.value;

                ASSERT_EQ(scan(), 1U);
                EXPECT_EQ(f.value, before);
                EXPECT_EQ(table[0].bar[0].size, 0U);
        }
}

TEST_F(pci, capabilities_give_the_numbers_of_interrupts)
{
        function &f = add(0, 0x10001af4, 0x020000);

        f.value[1] |= 0x100000;
        f.value[13] = 0x43; /* the low bits are reserved */
        f.value[0x40 / 4] = 0x00005005 | 3 << 17;
        f.value[0x50 / 4] = 0x00006011 | 0x23 << 16;
        f.value[0x60 / 4] = 0x00020010 | 4 << 20;

        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(table[0].msi_vectors, 8);
        EXPECT_EQ(table[0].msix_vectors, 0x24);
        EXPECT_EQ(table[0].express_type, 4);
        EXPECT_EQ(table[0].capabilities, 1U << 5 | 1U << 17 | 1U << 16);
}

TEST_F(pci, a_list_of_capabilities_that_is_a_circle_ends)
{
        function &f = add(0, 0x10001af4, 0x020000);

        f.value[1] |= 0x100000;
        f.value[13] = 0x40;
        f.value[0x40 / 4] = 0x4009;
        ASSERT_EQ(scan(), 1U);
        EXPECT_EQ(table[0].capabilities, 1U << 9);
        EXPECT_EQ(table[0].express_type, NOVA_PCI_NO_EXPRESS);
}

/* Hostile devices: for any behaviour of their registers, the scan terminates, stays inside the
 * table, and leaves the address registers unchanged. */
TEST_F(pci, random_functions_are_read_to_the_end)
{
        std::mt19937 random(1);

        for (unsigned round = 0; round < 200; round++) {
                SetUp();
                for (unsigned i = 0; i < 20; i++) {
                        function &f = machine[(uint16_t)random()];
                        for (unsigned r = 0; r < 64; r++) {
                                f.value[r] = (uint32_t)random();
                                f.writable[r] = (uint32_t)random();
                        }
                        f.value[3] &= random() % 2 ? ~0U : 0xff80ffff;
                }
                const auto before = machine;
                EXPECT_LE(scan(8), 20U * 8);
                EXPECT_LT(accesses, 8192U + 20U * 200);
                for (const auto &[address, f] : machine)
                        for (unsigned r = 4; r < 10; r++)
                                EXPECT_EQ(f.value[r], before.at(address).value[r]);
                for (const nova_pci_function &function : table)
                        for (const nova_pci_bar &bar : function.bar)
                                EXPECT_EQ(bar.size & (bar.size - 1), 0U);
        }
}
