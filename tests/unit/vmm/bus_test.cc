/* SPDX-License-Identifier: BSD-2-Clause */
/* Buses: the device that responds, and the result without a device. */
#include "novavmm/bus.h"
#include "novavmm/rtc.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace
{

uint64_t read_address(void *, uint64_t address, unsigned)
{
        return address | 0xabcd000000000000;
}

void note(void *device, uint64_t address, unsigned bytes, uint64_t value)
{
        *static_cast<uint64_t *>(device) = value << 32 | address << 8 | bytes;
}

struct bus : testing::Test {
        nova_bus table = {};
        uint64_t written = 0;

        int add(uint64_t first, uint64_t last)
        {
                const nova_bus_range range = {first, last, read_address, note, &written};
                return nova_bus_add(&table, &range);
        }
};

TEST_F(bus, the_device_of_the_address_answers)
{
        ASSERT_EQ(add(0x10, 0x1f), 0);
        EXPECT_EQ(nova_bus_get(&table, 0x12, 2), 0x12u);
        nova_bus_put(&table, 0x1f, 1, 0x1ff);
        EXPECT_EQ(written, uint64_t{0xff} << 32 | 0x1f << 8 | 1);
}

TEST_F(bus, where_no_device_is_reads_give_ones_and_writes_are_lost)
{
        ASSERT_EQ(add(0x10, 0x1f), 0);
        EXPECT_EQ(nova_bus_get(&table, 0x20, 1), 0xffu);
        EXPECT_EQ(nova_bus_get(&table, 0x0c, 4), 0xffffffffu);
        EXPECT_EQ(nova_bus_get(&table, UINT64_MAX, 8), UINT64_MAX);
        nova_bus_put(&table, 0x20, 1, 5);
        EXPECT_EQ(written, 0u);
}

TEST_F(bus, an_access_over_the_end_of_a_device_reaches_it_byte_by_byte)
{
        ASSERT_EQ(add(0x10, 0x1f), 0);
        EXPECT_EQ(nova_bus_get(&table, 0x1e, 4), 0xffff1f1eu);
        nova_bus_put(&table, 0x1f, 4, 0x12345678);
        EXPECT_EQ(written, uint64_t{0x78} << 32 | 0x1f << 8 | 1);
        EXPECT_EQ(nova_bus_get(&table, 0x0e, 4), 0x1110ffffu);
}

uint64_t no_time(void *)
{
        return 0;
}

TEST_F(bus, a_device_with_registers_of_a_byte_gets_larger_accesses_byte_by_byte)
{
        const nova_clock clock = {no_time, nullptr};
        const nova_line none = {};
        nova_rtc rtc;
        const nova_bus_range ports = {0x70, 0x71, nova_rtc_read, nova_rtc_write, &rtc};

        nova_rtc_init(&rtc, &clock, &none, 0);
        ASSERT_EQ(add(0x10, 0x1f), 0);
        ASSERT_EQ(nova_bus_add_bytes(&table, &ports), 0);
        nova_bus_put(&table, 0x70, 2, 0x5a40); /* index and value */
        EXPECT_EQ(nova_bus_get(&table, 0x71, 1), 0x5au);
        EXPECT_EQ(nova_bus_get(&table, 0x70, 2), 0x5affu);
        nova_bus_put(&table, 0x70, 4, 0xffffa541);
        EXPECT_EQ(nova_bus_get(&table, 0x70, 4), 0xffffa5ffu);
        nova_bus_put(&table, 0x12, 2, 7); /* the device before it */
        EXPECT_EQ(written, uint64_t{7} << 32 | 0x12 << 8 | 2);
}

TEST_F(bus, the_bus_for_devices_with_registers_of_a_byte_is_full)
{
        const nova_bus_range range = {0x10, 0x1f, read_address, note, &written};

        for (unsigned i = 0; i < NOVA_BUS_RANGES; i++)
                ASSERT_EQ(nova_bus_add_bytes(&table, &range), 0);
        EXPECT_EQ(nova_bus_add_bytes(&table, &range), ENOSPC);
        EXPECT_EQ(table.split, (uint64_t{1} << NOVA_BUS_RANGES) - 1);
}

TEST_F(bus, the_rest_is_where_no_device_is)
{
        ASSERT_EQ(add(0x10, 0x1f), 0);
        table.rest = {0x18, 0x2f, read_address, note, &written};
        EXPECT_EQ(nova_bus_get(&table, 0x20, 4), 0x20u);
        EXPECT_EQ(nova_bus_get(&table, 0x1f, 2), 0x201fu); /* a byte from each */
        EXPECT_EQ(nova_bus_get(&table, 0x2f, 2), 0xff2fu);
        EXPECT_EQ(nova_bus_get(&table, 0x30, 1), 0xffu);
        nova_bus_put(&table, 0x2e, 2, 0x1234);
        EXPECT_EQ(written, uint64_t{0x1234} << 32 | 0x2e << 8 | 2);
}

TEST_F(bus, an_access_of_the_rest_that_reaches_a_device_is_split)
{
        ASSERT_EQ(add(0x12, 0x12), 0);
        table.rest = {0x10, 0x1f, read_address, note, &written};
        EXPECT_EQ(nova_bus_get(&table, 0x10, 4), 0x13121110u);
        EXPECT_EQ(nova_bus_get(&table, 0x13, 2), 0x13u);
}

TEST_F(bus, an_access_to_two_devices_reaches_both)
{
        uint64_t other = 0;
        const nova_bus_range range = {0x20, 0x2f, nullptr, note, &other};
        ASSERT_EQ(add(0x10, 0x1f), 0);
        ASSERT_EQ(nova_bus_add(&table, &range), 0);
        EXPECT_EQ(nova_bus_get(&table, 0x1f, 2), 0xff1fu);
        nova_bus_put(&table, 0x1d, 8, 0x8877665544332211);
        EXPECT_EQ(written, uint64_t{0x33} << 32 | 0x1f << 8 | 1);
        EXPECT_EQ(other, uint64_t{0x88} << 32 | 0x24 << 8 | 1);
}

TEST_F(bus, an_access_over_the_end_of_the_address_space_is_survived)
{
        ASSERT_EQ(add(UINT64_MAX, UINT64_MAX), 0);
        EXPECT_EQ(nova_bus_get(&table, UINT64_MAX, 2), 0xffffu);
        nova_bus_put(&table, UINT64_MAX, 2, 0xabcd);
        EXPECT_EQ(written, uint64_t{0xcd} << 32 | UINT64_MAX << 8 | 1);
}

TEST_F(bus, a_device_at_the_end_of_the_address_space_answers)
{
        ASSERT_EQ(add(UINT64_MAX - 7, UINT64_MAX), 0);
        EXPECT_EQ(nova_bus_get(&table, UINT64_MAX - 7, 8), (UINT64_MAX - 7) | 0xabcd000000000000);
}

TEST_F(bus, sizes_that_no_instruction_has_do_nothing)
{
        ASSERT_EQ(add(0, UINT64_MAX), 0);
        EXPECT_EQ(nova_bus_get(&table, 0, 0), UINT64_MAX);
        EXPECT_EQ(nova_bus_get(&table, 0, 9), UINT64_MAX);
        nova_bus_put(&table, 0, 9, 1);
        EXPECT_EQ(written, 0u);
}

TEST_F(bus, refuses_a_range_that_is_turned_around_and_one_too_many)
{
        EXPECT_EQ(add(2, 1), EINVAL);
        for (unsigned i = 0; i < NOVA_BUS_RANGES; i++)
                ASSERT_EQ(add(i, i), 0);
        EXPECT_EQ(add(0x100, 0x100), ENOSPC);
}

} // namespace
