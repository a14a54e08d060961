/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI of a guest's PC: tables that can be walked, the timer, switching off. */
#include "novavmm/acpi.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "devices.h"

namespace
{

struct acpi : testing::Test {
        probe off;
        fake_clock time;
        nova_acpi ports;

        void SetUp() override
        {
                const nova_line line = off.line();
                const nova_clock clock = time.clock();
                nova_acpi_init(&ports, &clock, &line);
        }

        uint32_t in(unsigned port, unsigned bytes)
        {
                return static_cast<uint32_t>(nova_acpi_read(&ports, port, bytes));
        }
};

TEST_F(acpi, sleep_type_five_switches_off_and_others_do_not)
{
        nova_acpi_write(&ports, 0x604, 2, 0x2000);
        nova_acpi_write(&ports, 0x604, 2, 0x1400);
        EXPECT_FALSE(off.level);
        nova_acpi_write(&ports, 0x604, 2, 0x3400);
        EXPECT_TRUE(off.level);
}

TEST_F(acpi, bytes_of_a_register_can_be_written)
{
        nova_acpi_write(&ports, 0x602, 2, 0x0321);
        nova_acpi_write(&ports, 0x602, 1, 0x20);
        EXPECT_EQ(in(0x602, 2) & 0xffff, 0x0320u);
        nova_acpi_write(&ports, 0x603, 1, 0x01);
        EXPECT_EQ(in(0x602, 2) & 0xffff, 0x0120u);
        ports.status = 0x0521;
        nova_acpi_write(&ports, 0x601, 1, 0x01);
        EXPECT_EQ(in(0x600, 2) & 0xffff, 0x0421u);
        nova_acpi_write(&ports, 0x605, 1, 0x14);
        nova_acpi_write(&ports, 0x604, 1, 0x01);
        EXPECT_EQ(in(0x604, 2) & 0xffff, 0x1401u);
        EXPECT_FALSE(off.level);
        nova_acpi_write(&ports, 0x605, 1, 0x34);
        EXPECT_TRUE(off.level);
}

TEST_F(acpi, is_always_on)
{
        EXPECT_EQ(in(0x604, 2) & 1, 1u);
}

TEST_F(acpi, the_timer_runs_at_its_frequency)
{
        const uint32_t before = in(0x608, 4);
        time.ns += 1000000000;
        EXPECT_EQ(in(0x608, 4) - before, 3579545u);
}

TEST_F(acpi, reads_across_registers_and_outside_them_return_ones)
{
        EXPECT_EQ(in(0x603, 2), UINT32_MAX);
        EXPECT_EQ(in(0x60c, 1), UINT32_MAX);
        EXPECT_EQ(in(0x5ff, 1), UINT32_MAX);
        nova_acpi_write(&ports, 0x7fff, 4, UINT32_MAX);
}

TEST_F(acpi, enabled_events_are_kept)
{
        nova_acpi_write(&ports, 0x602, 2, 0x120);
        EXPECT_EQ(in(0x602, 2) & 0xffff, 0x120u);
}

struct tables : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(1 << 20);
        nova_guest_memory memory = {};
        nova_acpi_config config = {2, true};

        template <typename T> T get(uint64_t address)
        {
                T value;
                memcpy(&value, &ram[address], sizeof(value));
                return value;
        }

        /* Checks a table and returns its signature. */
        std::string check(uint64_t at)
        {
                uint8_t sum = 0;
                for (uint32_t i = 0; i < get<uint32_t>(at + 4); i++)
                        sum = static_cast<uint8_t>(sum + ram[at + i]);
                EXPECT_EQ(sum, 0);
                return std::string(reinterpret_cast<char *>(&ram[at]), 4);
        }

        uint64_t make()
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                return nova_acpi_tables(&memory, &config);
        }
};

TEST_F(tables, lead_from_the_root_pointer_to_each_other)
{
        const uint64_t rsdp = make();
        ASSERT_EQ(memcmp(&ram[rsdp], "RSD PTR ", 8), 0);
        const uint64_t xsdt = get<uint64_t>(rsdp + 24);
        EXPECT_EQ(check(xsdt), "XSDT");
        const uint64_t fadt = get<uint64_t>(xsdt + 36);
        EXPECT_EQ(check(fadt), "FACP");
        EXPECT_EQ(check(get<uint64_t>(xsdt + 44)), "APIC");
        EXPECT_EQ(check(get<uint64_t>(fadt + 140)), "DSDT");

        const uint64_t rsdt = get<uint32_t>(rsdp + 16); /* for systems before ACPI 2.0 */
        EXPECT_EQ(check(rsdt), "RSDT");
        EXPECT_EQ(get<uint32_t>(rsdt + 4), 44u);
        EXPECT_EQ(get<uint32_t>(rsdt + 36), fadt);
        EXPECT_EQ(get<uint32_t>(rsdt + 40), get<uint64_t>(xsdt + 44));
        EXPECT_EQ(memcmp(&ram[get<uint32_t>(fadt + 36)], "FACS", 4), 0);
}

TEST_F(tables, the_madt_lists_cpus_only_if_they_have_local_apics)
{
        const uint64_t rsdp = make(), madt = get<uint64_t>(get<uint64_t>(rsdp + 24) + 44);
        EXPECT_EQ(get<uint32_t>(madt + 4), 44u + 2 * 8 + 12 + 10 + 10);
        EXPECT_EQ(ram[madt + 44 + 8 + 3], 1);
        config.local_apics = false;
        make();
        EXPECT_EQ(get<uint32_t>(madt + 4), 44u);
}

TEST_F(tables, need_a_mebibyte_of_memory)
{
        ram.resize(0xf0000);
        EXPECT_EQ(make(), 0u);
}

} // namespace
