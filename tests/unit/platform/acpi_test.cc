// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables, good and bad.
#include <gtest/gtest.h>

#include <random>

#include "tables.h"

extern "C" {
#include "firmware/acpi.h"
}

namespace
{

constexpr uint64_t MADT = 0x20000, FADT = 0x30000;

Bytes lapic(unsigned id, unsigned flags = 1)
{
        Bytes bytes = {0, 8, 0, static_cast<uint8_t>(id)};

        put(bytes, flags, 4);
        return bytes;
}

Bytes x2apic(uint32_t id)
{
        Bytes bytes = {9, 16, 0, 0};

        put(bytes, id, 4);
        put(bytes, 1, 4);
        put(bytes, 0, 4);
        return bytes;
}

Bytes madt_body(std::initializer_list<Bytes> entries)
{
        Bytes body;

        put(body, 0xfee00000, 4);
        put(body, 1, 4);
        for (const Bytes &entry : entries)
                body.insert(body.end(), entry.begin(), entry.end());
        return body;
}

const Bytes io_apic = {1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0};
const Bytes override_0 = {2, 10, 0, 0, 2, 0, 0, 0, 5, 0};

// A machine with the tables of a small PC, each of which a test may replace.
struct Pc : Machine {
        Pc()
        {
                Bytes fadt(129 - 36);
                fadt[46 - 36] = 9;
                fadt[76 - 36] = 0x08;
                fadt[77 - 36] = 0x06;
                fadt[91 - 36] = 4;
                memory[RSDP] = rsdp(0, RSDT, 0);
                memory[RSDT] = root("RSDT", {FADT, MADT}, 4);
                memory[MADT] = table(
                        "APIC", madt_body({lapic(4), lapic(9, 0), lapic(2), io_apic, override_0}));
                memory[FADT] = table("FACP", fadt);
        }
};

TEST(acpi, lists_enabled_cpus_in_the_order_of_the_table)
{
        Pc pc;
        acpi_init();
        EXPECT_TRUE(acpi.found);
        ASSERT_EQ(acpi.cpus, 2u);
        EXPECT_EQ(acpi.cpu[0], 4);
        EXPECT_EQ(acpi.cpu[1], 2);
        EXPECT_EQ(pc.console, "");
}

TEST(acpi, reads_io_apics_overrides_and_pm_timer)
{
        Pc pc;
        acpi_init();
        ASSERT_EQ(acpi.io_apics, 1u);
        EXPECT_EQ(acpi.io_apic[0].phys, 0xfec00000u);
        EXPECT_EQ(acpi.io_apic[0].gsi, 24u);
        ASSERT_EQ(acpi.overrides, 1u);
        EXPECT_EQ(acpi.override[0].gsi, 2u);
        EXPECT_EQ(acpi.override[0].flags, 5u);
        EXPECT_EQ(acpi.pm_timer, 0x608);
        EXPECT_EQ(acpi.sci, 9);
}

TEST(acpi, goes_on_without_tables_and_says_so)
{
        Machine empty;
        acpi_init();
        EXPECT_FALSE(acpi.found);
        EXPECT_NE(empty.console.find("no ACPI tables"), std::string::npos);
}

TEST(acpi, ignores_an_rsdp_with_a_wrong_sum)
{
        Pc pc;
        pc.memory[RSDP][9] ^= 1;
        acpi_init();
        EXPECT_FALSE(acpi.found);
}

TEST(acpi, finds_the_rsdp_in_the_ebda)
{
        Pc pc;
        pc.memory.erase(RSDP);
        pc.memory[0x40e] = {0xc0, 0x9f};
        pc.memory[0x9fc20] = rsdp(0, RSDT, 0);
        acpi_init();
        EXPECT_TRUE(acpi.found);
}

TEST(acpi, prefers_the_xsdt)
{
        Pc pc;
        pc.memory[RSDP] = rsdp(2, 0x7777, XSDT);
        pc.memory[XSDT] = root("XSDT", {MADT}, 8);
        acpi_init();
        EXPECT_TRUE(acpi.found);
}

TEST(acpi, falls_back_to_the_rsdt_when_the_xsdt_is_damaged)
{
        Pc pc;
        pc.memory[RSDP] = rsdp(2, RSDT, XSDT);
        pc.memory[XSDT] = root("XSDT", {MADT}, 8);
        pc.memory[XSDT][20] ^= 1;
        acpi_init();
        EXPECT_TRUE(acpi.found);
}

TEST(acpi, leaves_out_a_table_with_a_wrong_sum)
{
        Pc pc;
        pc.memory[MADT].back() ^= 1;
        acpi_init();
        EXPECT_FALSE(acpi.found);
        EXPECT_EQ(acpi.pm_timer, 0x608);
        EXPECT_NE(pc.console.find("MADT"), std::string::npos);
}

TEST(acpi, leaves_out_tables_of_impossible_length)
{
        for (uint32_t length : {0u, 8u, 35u, 0x100001u, 0xffffffffu}) {
                Pc pc;
                for (unsigned i = 0; i < 4; i++)
                        pc.memory[MADT][4 + i] = static_cast<uint8_t>(length >> (8 * i));
                acpi_init();
                EXPECT_FALSE(acpi.found) << length;
        }
}

TEST(acpi, leaves_out_tables_that_lie_nowhere)
{
        Pc pc;
        pc.memory[RSDP] = rsdp(2, RSDT, XSDT);
        pc.memory[XSDT] = root("XSDT", {0, ~0ull, 1ull << 40, (1ull << 40) - 1, MADT}, 8);
        acpi_init();
        EXPECT_TRUE(acpi.found);
}

TEST(acpi, stops_reading_the_madt_at_an_entry_of_length_0_or_1)
{
        for (uint8_t length : {0, 1}) {
                Pc pc;
                pc.memory[MADT] = table("APIC", madt_body({lapic(1), {0, length}, lapic(2)}));
                acpi_init();
                EXPECT_EQ(acpi.cpus, 1u);
                EXPECT_NE(pc.console.find("damaged"), std::string::npos);
        }
}

TEST(acpi, stops_reading_the_madt_at_an_entry_that_reaches_beyond_it)
{
        Pc pc;
        pc.memory[MADT] = table("APIC", madt_body({lapic(1), {0, 200, 0, 3}}));
        acpi_init();
        EXPECT_EQ(acpi.cpus, 1u);
}

TEST(acpi, counts_a_cpu_once)
{
        Pc pc;
        pc.memory[MADT] = table("APIC", madt_body({lapic(1), lapic(1), x2apic(1), lapic(3)}));
        acpi_init();
        EXPECT_EQ(acpi.cpus, 2u);
}

TEST(acpi, leaves_out_a_cpu_that_can_only_be_plugged_in_later)
{
        Pc pc;
        /* 2: online capable, not enabled */
        pc.memory[MADT] = table("APIC", madt_body({lapic(1), lapic(3, 2)}));
        acpi_init();
        EXPECT_EQ(acpi.cpus, 1u);
}

TEST(acpi, leaves_out_cpus_that_it_cannot_address_or_number)
{
        Pc pc;
        Bytes body = madt_body({x2apic(300), lapic(255), x2apic(0xffffffff)});
        for (unsigned i = 0; i < 70; i++) {
                const Bytes entry = lapic(i);
                body.insert(body.end(), entry.begin(), entry.end());
        }
        pc.memory[MADT] = table("APIC", body);
        acpi_init();
        EXPECT_EQ(acpi.cpus, 64u);
        EXPECT_EQ(acpi.cpu[0], 300u);
        EXPECT_EQ(acpi.cpu[1], 0u);
        EXPECT_EQ(acpi.left_out, 9u);
}

TEST(acpi, takes_no_more_io_apics_and_overrides_than_fit)
{
        Pc pc;
        Bytes body = madt_body({lapic(0)});
        for (unsigned i = 0; i < 100; i++) {
                body.insert(body.end(), io_apic.begin(), io_apic.end());
                body.insert(body.end(), override_0.begin(), override_0.end());
        }
        pc.memory[MADT] = table("APIC", body);
        acpi_init();
        EXPECT_EQ(acpi.io_apics, unsigned{ACPI_IO_APICS});
        EXPECT_EQ(acpi.overrides, unsigned{ACPI_OVERRIDES});
}

TEST(acpi, refuses_a_pm_timer_outside_of_the_io_ports)
{
        Pc pc;
        pc.memory[FADT][78] = 1;
        fix_sum(pc.memory[FADT], 9, pc.memory[FADT].size());
        acpi_init();
        EXPECT_EQ(acpi.pm_timer, 0);
}

TEST(acpi, survives_tables_cut_at_every_byte)
{
        for (uint64_t which : {MADT, FADT, RSDT}) {
                const size_t whole = Pc().memory[which].size();
                for (size_t length = 36; length < whole; length++) {
                        Pc pc;
                        Bytes &bytes = pc.memory[which];
                        bytes.resize(length);
                        bytes[4] = static_cast<uint8_t>(length);
                        fix_sum(bytes, 9, length);
                        acpi_init();
                        EXPECT_LE(acpi.cpus, 2u);
                }
        }
}

TEST(acpi, survives_tables_of_random_content)
{
        std::mt19937 random(2012);
        for (unsigned round = 0; round < 3000; round++) {
                Pc pc;
                for (uint64_t which : {MADT, FADT, RSDT}) {
                        Bytes &bytes = pc.memory[which];
                        for (unsigned i = 0; i < 1 + random() % 4; i++)
                                bytes[36 + random() % (bytes.size() - 36)] =
                                        static_cast<uint8_t>(random());
                        fix_sum(bytes, 9, bytes.size());
                }
                acpi_init();
                ASSERT_LE(acpi.cpus, unsigned{ACPI_CPUS});
        }
}

constexpr uint64_t DSDT = 0x50000;

// Puts these bytes into the DSDT of a PC.
void put_dsdt(Pc &pc, const Bytes &code)
{
        Bytes body(40, 0x5f);
        body.insert(body.end(), code.begin(), code.end());
        pc.memory[DSDT] = table("DSDT", body);
        Bytes &fadt = pc.memory[FADT];
        fadt[42] = DSDT >> 16;
        fadt[64] = 4;
        fadt[65] = 6;
        fix_sum(fadt, 9, fadt.size());
}

TEST(acpi, finds_the_values_of_power_off)
{
        for (const Bytes &package :
             {Bytes{6, 4, 0x0a, 5, 0x0a, 7, 0, 0}, Bytes{6, 4, 0, 1, 0, 0, 0, 0},
              Bytes{0x40, 6, 4, 0x0a, 2, 1, 0, 0}}) {
                Pc pc;
                Bytes code = {8, '_', 'S', '5', '_', 0x12};
                code.insert(code.end(), package.begin(), package.end());
                put_dsdt(pc, code);
                acpi_init();
                EXPECT_TRUE(acpi.has_s5);
                EXPECT_EQ(acpi.pm1_control[0], 0x604);
                EXPECT_EQ(acpi.pm1_control[1], 0);
                EXPECT_EQ(acpi.s5_type[0] * 16 + acpi.s5_type[1], package[2] == 0x0a   ? 0x57
                                                                  : package[0] == 0x40 ? 0x21
                                                                                       : 0x01);
        }
}

TEST(acpi, leaves_a_wrong_power_off_package_alone)
{
        const Bytes whole = {8, '_', 'S', '5', '_', 0x12, 0xc6, 0, 0, 0, 4, 0x0a, 5, 0x0a, 7};
        for (size_t length = 1; length < whole.size(); length++) {
                Pc pc;
                put_dsdt(pc, Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
                acpi_init();
                EXPECT_TRUE(!acpi.has_s5 || length == whole.size() - 1) << length;
        }
        for (const Bytes &bad : {Bytes{8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0b, 5, 0, 0, 0, 0},
                                 Bytes{8, '_', 'S', '5', '_', 0x11, 6, 4, 0, 0, 0, 0, 0, 0}}) {
                Pc pc;
                put_dsdt(pc, bad);
                acpi_init();
                EXPECT_FALSE(acpi.has_s5);
        }
}

} // namespace
