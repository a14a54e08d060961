// SPDX-License-Identifier: BSD-2-Clause
// PCI functions and HPETs that firmware lists, and the names that programs use for them.
#include <gtest/gtest.h>

#include <random>

#include "tables.h"

extern "C" {
#include "device/pci.h"
#include "firmware/acpi.h"

struct space;
bool mapping_source(struct space *space, word_t sel, word_t *source);
}

namespace
{

constexpr uint64_t MCFG = 0x40000, HPET = 0x50000, BASE = 0xb0000000;
constexpr unsigned BUS_BITS = 20, PAGE = 12;

std::map<word_t, word_t> mapped; // page to frame

Bytes window(uint64_t phys, unsigned segment, unsigned first, unsigned last)
{
        Bytes bytes;

        put(bytes, phys, 8);
        put(bytes, segment, 2);
        put(bytes, first, 1);
        put(bytes, last, 1);
        put(bytes, 0, 4);
        return bytes;
}

Bytes hpet(uint64_t phys, unsigned number, unsigned space = 0)
{
        Bytes bytes;

        put(bytes, 0x8086a201, 4);
        put(bytes, space, 1);
        put(bytes, 0, 3);
        put(bytes, phys, 8);
        put(bytes, number, 1);
        put(bytes, 0x80, 2);
        put(bytes, 0, 1);
        return bytes;
}

// A machine with configuration space, whose functions a test adds.
struct Pc : Machine {
        explicit Pc(const Bytes &windows = window(BASE, 0, 0, 3),
                    const Bytes &timer = hpet(0xfed00000, 1))
        {
                mapped.clear();
                memory[RSDP] = rsdp(0, RSDT, 0);
                memory[RSDT] = root("RSDT", {MCFG, HPET}, 4);
                set_windows(windows);
                memory[HPET] = table("HPET", timer);
        }

        void set_windows(const Bytes &windows)
        {
                Bytes body(8);
                body.insert(body.end(), windows.begin(), windows.end());
                memory[MCFG] = table("MCFG", body);
        }

        void add(uint64_t rid, bool multifunction = false)
        {
                Bytes bytes;
                put(bytes, 0x11e81234, 4);
                put(bytes, 0, 8);
                put(bytes, multifunction ? 0x800000 : 0, 4);
                memory[BASE + (rid << PAGE)] = bytes;
        }

        void boot()
        {
                acpi_init();
                pci_init();
        }
};

struct pd *some_pd()
{
        alignas(64) static char room[8192];

        return reinterpret_cast<struct pd *>(room);
}

TEST(pci, finds_the_functions_that_exist)
{
        Pc pc;
        for (unsigned rid : {0x000, 0x0f8, 0x0fb, 0x200})
                pc.add(rid, rid == 0x0f8);
        pc.boot();
        for (unsigned rid = 0; rid < 0x10000; rid++)
                EXPECT_EQ(pci_exists(static_cast<uint16_t>(rid)),
                          rid == 0 || rid == 0xf8 || rid == 0xfb || rid == 0x200);
}

TEST(pci, does_not_look_for_further_functions_of_a_device_with_one)
{
        Pc pc;
        pc.add(0x10);
        pc.add(0x11);
        pc.boot();
        EXPECT_TRUE(pci_exists(0x10));
        EXPECT_FALSE(pci_exists(0x11));
}

TEST(pci, counts_the_pages_of_a_window_from_bus_0)
{
        Pc pc(window(BASE, 0, 2, 3));
        pc.add(0x000);
        pc.add(0x208);
        pc.boot();
        EXPECT_FALSE(pci_exists(0));
        EXPECT_TRUE(pci_exists(0x208));
}

TEST(pci, takes_a_function_by_an_address_in_its_page_and_by_its_selector)
{
        Pc pc;
        uint16_t rid = 0;
        pc.add(0x18);
        pc.add(0x300);
        pc.boot();
        mapped[0x5000] = (BASE >> PAGE) + 0x18;
        mapped[0x5001] = (BASE >> PAGE) + 0x300;
        for (unsigned offset : {0u, 4u, 0xfffu}) {
                ASSERT_TRUE(pci_find(some_pd(), (0x5000 << PAGE) + offset, &rid));
                EXPECT_EQ(rid, 0x18);
        }
        ASSERT_TRUE(pci_find(some_pd(), 0x5001, &rid));
        EXPECT_EQ(rid, 0x300);
}

TEST(pci, prefers_the_address)
{
        Pc pc;
        uint16_t rid = 0;
        pc.add(0x18);
        pc.add(0x300);
        pc.boot();
        mapped[0x5] = (BASE >> PAGE) + 0x18;
        mapped[0x5001] = (BASE >> PAGE) + 0x300;
        ASSERT_TRUE(pci_find(some_pd(), 0x5001, &rid));
        EXPECT_EQ(rid, 0x18);
}

TEST(pci, finds_nothing_by_pages_of_memory_of_missing_functions_and_beside_the_window)
{
        Pc pc;
        uint16_t rid = 0;
        pc.add(0x18);
        pc.boot();
        mapped[0x5000] = 0x18;
        mapped[0x5001] = (BASE >> PAGE) + 0x19;
        mapped[0x5002] = (BASE >> PAGE) - 1;
        mapped[0x5003] = (BASE >> PAGE) + 0x400;
        mapped[0x5004] = (BASE >> PAGE) + 0x10018; /* the page's number has more than 16 bits */
        mapped[0x5005] = ~word_t{0};
        for (word_t page = 0x5000; page < 0x5008; page++) {
                EXPECT_FALSE(pci_find(some_pd(), page, &rid));
                EXPECT_FALSE(pci_find(some_pd(), page << PAGE, &rid));
        }
        EXPECT_FALSE(pci_find(some_pd(), ~word_t{0}, &rid));
}

TEST(pci, takes_several_windows_and_not_those_of_other_segments)
{
        Bytes windows = window(BASE + 0x10000000, 1, 0, 3);
        for (const Bytes &more : {window(BASE, 0, 0, 0), window(BASE, 0, 1, 1)})
                windows.insert(windows.end(), more.begin(), more.end());
        Pc pc(windows);
        pc.add(0x008);
        pc.add(0x108);
        pc.boot();
        EXPECT_EQ(acpi.windows, 2u);
        EXPECT_TRUE(pci_exists(0x008));
        EXPECT_TRUE(pci_exists(0x108));
}

TEST(pci, does_not_look_for_windows_in_memory)
{
        Pc pc;
        pc.add(0x18);
        memory_map_add(BASE + 0x3ff000, 0x1000, 1);
        pc.boot();
        EXPECT_FALSE(pci_exists(0x18));
        EXPECT_NE(pc.console.find("configuration space cannot be at"), std::string::npos);
}

TEST(pci, does_not_look_for_windows_in_registers_of_the_kernel)
{
        Pc pc;
        pc.add(0x18);
        memory_map_take(BASE + 0x200000, 0x1000, true);
        pc.boot();
        EXPECT_FALSE(pci_exists(0x18));
}

TEST(pci, ignores_windows_that_cannot_be)
{
        for (const Bytes &wrong :
             {window(0, 0, 0, 3), window(BASE, 0, 3, 2), window(BASE + 0x1000, 0, 0, 3),
              window(uint64_t{1} << 40, 0, 0, 3), window((uint64_t{1} << 40) - 0x100000, 0, 0, 3),
              window(~uint64_t{0} << BUS_BITS, 0, 0, 3),
              window(~uint64_t{0} << BUS_BITS, 0, 1, 3)}) {
                Pc pc(wrong);
                pc.add(0x18);
                pc.boot();
                EXPECT_EQ(acpi.windows, 0u);
                EXPECT_FALSE(pci_exists(0x18));
        }
}

TEST(pci, takes_no_more_windows_and_hpets_than_fit)
{
        Bytes windows;
        for (unsigned i = 0; i < 40; i++) {
                const Bytes one = window(BASE, 0, 0, 0);
                windows.insert(windows.end(), one.begin(), one.end());
        }
        Pc pc(windows);
        Bytes body;
        for (unsigned i = 0; i < 40; i++)
                put(body, HPET, 4);
        put(body, MCFG, 4);
        pc.memory[RSDT] = table("RSDT", body);
        pc.boot();
        EXPECT_EQ(acpi.windows, unsigned{ACPI_WINDOWS});
        EXPECT_EQ(acpi.hpets, unsigned{ACPI_HPETS});
}

TEST(acpi, reads_where_the_hpet_is)
{
        Pc pc;
        acpi_init();
        ASSERT_EQ(acpi.hpets, 1u);
        EXPECT_EQ(acpi.hpet[0].phys, 0xfed00000u);
        EXPECT_EQ(acpi.hpet[0].number, 1);
}

TEST(acpi, ignores_an_hpet_in_ports_or_nowhere)
{
        for (const Bytes &wrong : {hpet(0x608, 0, 1), hpet(0, 0)}) {
                Pc pc(window(BASE, 0, 0, 3), wrong);
                acpi_init();
                EXPECT_EQ(acpi.hpets, 0u);
        }
}

TEST(pci, survives_tables_cut_at_every_byte_and_of_random_content)
{
        std::mt19937 random(2012);
        for (uint64_t which : {MCFG, HPET})
                for (unsigned round = 0; round < 400; round++) {
                        Pc pc(window(BASE, 0, 0, 0));
                        Bytes &bytes = pc.memory[which];
                        if (round < bytes.size() && round >= 36) {
                                bytes.resize(round);
                                bytes[4] = static_cast<uint8_t>(round);
                        } else {
                                /* The number of the last bus stays, because a larger one would only
                                 * take longer. */
                                for (unsigned i = 0; i < 1 + random() % 3; i++)
                                        bytes[36 + random() % 18] = static_cast<uint8_t>(random());
                        }
                        fix_sum(bytes, 9, bytes.size());
                        pc.boot();
                        EXPECT_LE(acpi.windows, 1u);
                }
}

} // namespace

bool mapping_source(struct space *, word_t sel, word_t *source)
{
        const auto place = mapped.find(sel);

        if (place == mapped.end())
                return false;
        *source = place->second;
        return true;
}
