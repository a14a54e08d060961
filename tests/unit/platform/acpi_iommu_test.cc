// SPDX-License-Identifier: BSD-2-Clause
// The ACPI tables of I/O MMUs, good and bad.
#include <gtest/gtest.h>

#include <random>

#include "tables.h"

extern "C" {
#include "firmware/acpi.h"
}

namespace
{

constexpr uint64_t TABLE = 0x40000;

Bytes join(std::initializer_list<Bytes> parts)
{
        Bytes all;

        for (const Bytes &part : parts)
                all.insert(all.end(), part.begin(), part.end());
        return all;
}

Bytes scope(unsigned type, unsigned id, unsigned bus, std::initializer_list<uint8_t> path)
{
        Bytes bytes = {uint8_t(type), uint8_t(6 + path.size()), 0, 0, uint8_t(id), uint8_t(bus)};

        bytes.insert(bytes.end(), path.begin(), path.end());
        return bytes;
}

Bytes drhd(uint64_t phys, unsigned segment, std::initializer_list<Bytes> scopes)
{
        const Bytes all = join(scopes);
        Bytes bytes;

        put(bytes, 0, 2);
        put(bytes, 16 + all.size(), 2);
        put(bytes, 1, 2);
        put(bytes, segment, 2);
        put(bytes, phys, 8);
        return join({bytes, all});
}

Bytes ivhd(unsigned type, unsigned rid, uint64_t phys, std::initializer_list<Bytes> entries)
{
        const Bytes all = join(entries);
        const size_t head = type == 0x10 ? 24 : 40;
        Bytes bytes = {uint8_t(type), 0};

        put(bytes, head + all.size(), 2);
        put(bytes, rid, 2);
        put(bytes, 0x40, 2);
        put(bytes, phys, 8);
        bytes.resize(head);
        return join({bytes, all});
}

const Bytes any_block = {9, 9, 4, 0};
const Bytes all_devices = {1, 0, 0, 0};
const Bytes io_apic = {0x48, 0, 0, 0, 7, 0xa0, 0x00, 1};
const Bytes hpet = {0x48, 0, 0, 0, 2, 0xa8, 0x01, 2};
const Bytes by_name = join({{0xf0, 0x10, 0}, Bytes(18), {3, 'a', 'b', 'c'}});

struct Pc : Machine {
        Pc(const char *signature, std::initializer_list<Bytes> blocks, unsigned flags = 1)
        {
                Bytes head(12);
                head[1] = uint8_t(flags);
                memory[RSDP] = rsdp(0, RSDT, 0);
                memory[RSDT] = root("RSDT", {TABLE}, 4);
                memory[TABLE] = table(signature, join({head, join(blocks)}));
                acpi_init();
        }
};

} // namespace

TEST(acpi_iommu, reads_the_units_of_vt_d)
{
        Pc pc("DMAR", {drhd(0xfed90000, 0, {}), any_block, drhd(0xfed91000, 3, {})});
        ASSERT_EQ(acpi.iommus, 2u);
        EXPECT_FALSE(acpi.iommus_amd);
        EXPECT_TRUE(acpi.remaps);
        EXPECT_EQ(acpi.iommu[0].phys, 0xfed90000u);
        EXPECT_EQ(acpi.iommu[1].phys, 0xfed91000u);
        EXPECT_EQ(acpi.iommu[1].segment, 3u);
}

TEST(acpi_iommu, reads_whether_interrupts_may_be_remapped)
{
        Pc pc("DMAR", {drhd(0xfed90000, 0, {})}, 0);
        EXPECT_FALSE(acpi.remaps);
}

TEST(acpi_iommu, reads_whether_the_local_apics_may_be_in_x2apic_mode)
{
        for (const unsigned flags : {0, 1, 2, 3}) {
                Pc pc("DMAR", {drhd(0xfed90000, 0, {})}, flags);
                EXPECT_EQ(acpi.no_x2apic, flags == 3) << "valid only if units remap interrupts";
        }
}

TEST(acpi_iommu, reads_the_requester_ids_of_io_apics_and_hpets)
{
        Pc pc("DMAR", {drhd(0xfed90000, 0,
                            {scope(1, 0, 0, {2, 0}), scope(3, 5, 0xf0, {31, 7}),
                             scope(4, 1, 2, {3, 1, 4, 2}), scope(3, 5, 1, {1, 1})})});
        ASSERT_EQ(acpi.sources, 2u);
        EXPECT_FALSE(acpi.source[0].is_hpet);
        EXPECT_EQ(acpi.source[0].id, 5);
        EXPECT_EQ(acpi.source[0].bus, 0xf0);
        EXPECT_EQ(acpi.source[0].depth, 1);
        EXPECT_EQ(acpi.source[0].function[0], 0xff);
        EXPECT_TRUE(acpi.source[1].is_hpet);
        EXPECT_EQ(acpi.source[1].depth, 2);
        EXPECT_EQ(acpi.source[1].function[0], 0x19);
        EXPECT_EQ(acpi.source[1].function[1], 0x22);
}

TEST(acpi_iommu, ignores_paths_that_are_empty_or_too_long)
{
        Pc pc("DMAR",
              {drhd(0xfed90000, 0,
                    {scope(3, 1, 0, {}), scope(3, 2, 0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})})});
        EXPECT_EQ(acpi.iommus, 1u);
        EXPECT_EQ(acpi.sources, 0u);
}

TEST(acpi_iommu, reads_the_units_of_amd_vi)
{
        Pc pc("IVRS", {ivhd(0x10, 2, 0xfed80000, {all_devices, io_apic}), any_block,
                       ivhd(0x11, 2, 0xfed80000, {all_devices, by_name, hpet}),
                       ivhd(0x40, 0x4002, 0xfed82000, {})});
        ASSERT_EQ(acpi.iommus, 2u);
        EXPECT_TRUE(acpi.iommus_amd);
        EXPECT_EQ(acpi.iommu[0].phys, 0xfed80000u);
        EXPECT_EQ(acpi.iommu[0].rid, 2u);
        EXPECT_EQ(acpi.iommu[1].rid, 0x4002u);
        ASSERT_EQ(acpi.sources, 2u);
        EXPECT_EQ(acpi.source[0].id, 7);
        EXPECT_EQ(acpi.source[0].function[0], 0xa0);
        EXPECT_TRUE(acpi.source[1].is_hpet);
        EXPECT_EQ(acpi.source[1].bus, 1);
        EXPECT_EQ(acpi.source[1].function[0], 0xa8);
}

TEST(acpi_iommu, takes_no_more_than_it_has_room_for)
{
        Bytes units, scopes;
        for (unsigned i = 0; i < 40; i++) {
                units = join({units, drhd(0x1000 * (i + 1), 0, {})});
                scopes = join({scopes, scope(3, i, 0, {1, 1})});
        }
        Pc pc("DMAR", {units, drhd(0xfed90000, 0, {scopes})});
        EXPECT_EQ(acpi.iommus, unsigned{ACPI_IOMMUS});
        EXPECT_EQ(acpi.sources, unsigned{ACPI_SOURCES});
        EXPECT_TRUE(acpi.iommus_lost);
}

TEST(acpi_iommu, has_room_for_all_units_that_it_promises)
{
        Bytes units;
        for (unsigned i = 0; i < ACPI_IOMMUS; i++)
                units = join({units, drhd(0x1000 * (i + 1), 0, {}), drhd(0x1000, 0, {})});
        Pc pc("DMAR", {units});
        EXPECT_EQ(acpi.iommus, unsigned{ACPI_IOMMUS});
        EXPECT_FALSE(acpi.iommus_lost);
}

TEST(acpi_iommu, notices_units_that_are_too_short)
{
        {
                Pc pc("DMAR", {drhd(0xfed90000, 0, {}), Bytes{0, 0, 8, 0, 0, 0, 0, 0}});
                EXPECT_EQ(acpi.iommus, 1u);
                EXPECT_TRUE(acpi.iommus_lost);
        }
        for (const uint8_t type : {0x10, 0x11, 0x40}) {
                Bytes unit(type == 0x10 ? 20 : 36);
                unit[0] = type;
                unit[2] = static_cast<uint8_t>(unit.size());
                Pc pc("IVRS", {ivhd(0x10, 2, 0xfed80000, {io_apic}), unit});
                EXPECT_EQ(acpi.iommus, 1u);
                EXPECT_TRUE(acpi.iommus_lost);
        }
}

TEST(acpi_iommu, keeps_the_units_before_a_damaged_part)
{
        for (const Bytes &bad : {Bytes{0, 0, 3, 0}, Bytes{0, 0, 0, 1}, Bytes{0, 0, 0, 0}}) {
                Pc pc("DMAR", {drhd(0xfed90000, 0, {scope(3, 5, 0, {1, 1})}), bad,
                               drhd(0xfed91000, 0, {})});
                EXPECT_EQ(acpi.iommus, 1u);
                EXPECT_EQ(acpi.sources, 1u);
                EXPECT_NE(pc.console.find("(DMAR) is damaged"), std::string::npos);
                EXPECT_TRUE(acpi.iommus_lost); // an I/O MMU may be in the rest
        }
        for (const Bytes &bad : {Bytes{0x48, 0, 0}, Bytes{0xc0, 0, 0, 0}, Bytes{0xf0, 0, 0, 0}}) {
                Pc pc("IVRS", {ivhd(0x10, 2, 0xfed80000, {io_apic, bad})});
                EXPECT_EQ(acpi.iommus, 1u);
                EXPECT_EQ(acpi.sources, 1u);
                EXPECT_NE(pc.console.find("(IVRS) is damaged"), std::string::npos);
                EXPECT_FALSE(acpi.iommus_lost); // the damage is inside of one unit
        }
        Pc pc("IVRS", {ivhd(0x10, 2, 0xfed80000, {io_apic}), Bytes{0x10, 0, 0, 0}});
        EXPECT_EQ(acpi.iommus, 1u);
        EXPECT_TRUE(acpi.iommus_lost);
}

// The sanitizer detects every access outside of a table.
TEST(acpi_iommu, reads_nothing_outside_of_damaged_tables)
{
        const Bytes units = drhd(0xfed90000, 0, {scope(3, 5, 0, {1, 1}), scope(4, 1, 0, {1, 1})});
        const Bytes blocks = ivhd(0x11, 2, 0xfed80000, {all_devices, io_apic, by_name, hpet});
        std::mt19937 random(1);

        for (unsigned round = 0; round < 20000; round++) {
                const bool amd = round & 1;
                Bytes body = amd ? blocks : units;
                for (unsigned n = 1 + random() % 4; n; n--)
                        body[random() % body.size()] = uint8_t(random());
                body.resize(random() % 4 ? body.size() : random() % body.size());
                Pc pc(amd ? "IVRS" : "DMAR", {body});
                ASSERT_LE(acpi.iommus, unsigned{ACPI_IOMMUS});
                ASSERT_LE(acpi.sources, unsigned{ACPI_SOURCES});
        }
}
