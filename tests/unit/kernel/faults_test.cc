// SPDX-License-Identifier: BSD-2-Clause
// Faults that I/O MMUs have recorded: 16 units of each vendor with full logs. With interrupts off,
// the kernel reads at most as many records as it may print lines in a second.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

#include "kernel.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "arch/x86/tlb.h"
#include "device/iommu_driver.h"
#include "firmware/acpi.h"

extern const struct iommu_driver real_vtd_driver, real_amd_vi_driver;
}

namespace
{

constexpr unsigned UNITS = ACPI_IOMMUS, RECORDS = 256, LINES = 5;
constexpr uint64_t BEGIN = uint64_t{1} << 42;
constexpr uint64_t EVENT = uint64_t{2} << 60 | 0x18; // AMD's event for a page fault of a function
constexpr uint32_t FAULT = 0x80000006;               // the last word of a record of VT-d

// A unit's registers, from which it executes its queue of commands.
struct alignas(PAGE_SIZE) Unit {
        char page[3][PAGE_SIZE];

        template <typename T> volatile T &at(unsigned number, unsigned offset)
        {
                return *reinterpret_cast<volatile T *>(page[number] + offset);
        }
};

Unit amd[UNITS], intel[UNITS];

// A unit's own function, beyond the last bus.
constexpr unsigned FAR = 0xff05;

// Whether the units of AMD pass interrupts without remapping, for each function in their table.
std::vector<bool> passed;

// Bits of each page for VT-d: if one unit cannot be told to snoop, and if all can.
uint64_t bits_of_pages[2];

uint64_t *memory_at(uint64_t address)
{
        return reinterpret_cast<uint64_t *>(address & 0x0000ffffffffffff);
}

// Executes the last command of a queue, which is a wait.
void answer()
{
        for (Unit &unit : amd) {
                if (!unit.at<uint32_t>(0, 0x18)) { // off: queue and log come to rest
                        EXPECT_EQ(unit.at<uint64_t>(0, 0x08), 0u);
                        unit.at<uint32_t>(2, 0x20) = 0;
                }
                const uint64_t *queue = memory_at(unit.at<uint64_t>(0, 0x08) & ~uint64_t{0xfff});
                const unsigned tail = unit.at<uint32_t>(2, 0x08) / 16;
                if (!queue || !tail)
                        continue;
                const uint64_t *last = queue + size_t{2} * (tail - 1);
                if (last[0] >> 60 == 1)
                        *reinterpret_cast<volatile uint32_t *>(memory_at(last[0] & ~uint64_t{7})) =
                                uint32_t(last[1]);
        }
        for (Unit &unit : intel) {
                const uint64_t *queue = memory_at(unit.at<uint64_t>(0, 0x90));
                const unsigned tail = unit.at<uint32_t>(0, 0x88) / 16;
                unit.at<uint32_t>(0, 0x1c) = unit.at<uint32_t>(0, 0x18) | 1u << 30; // has a root
                if (!queue || !tail)
                        continue;
                const uint64_t *last = queue + size_t{2} * (tail - 1);
                if ((last[0] & 0xff) == 0x25)
                        *reinterpret_cast<volatile uint32_t *>(memory_at(last[1])) =
                                uint32_t(last[0] >> 32);
        }
}

// Reads from the table of functions which interrupts are passed.
void read_functions()
{
        const uint64_t value = amd[0].at<uint64_t>(0, 0), *table = memory_at(value & ~0xfffULL);
        const size_t count = ((value & 0x1ff) + 1) * PAGE_SIZE / 32;

        for (size_t i = 0; i < count; i++)
                passed.push_back(table[4 * i + 2] & uint64_t{1} << 60);
}

class faults : public testing::Test
{
      protected:
        static void SetUpTestSuite()
        {
                fake_boot(1024);
                fake_tsc = BEGIN;
                fake_has_devices = true;
                fake_wait = answer;
                acpi.iommus = UNITS;
                for (unsigned i = 0; i < UNITS; i++) {
                        acpi.iommu[i] = {paddr_t(&amd[i]), 0, 0, 0};
                        amd[i].at<uint64_t>(0, 0x20) = 0x7654001; // memory that is not protected
                        amd[i].at<uint32_t>(2, 0x20) = 0x18;      // queue and log run
                }
                acpi.iommu[1].rid = FAR;
                EXPECT_GT(real_amd_vi_driver.init(), 0u);
                read_functions();
                acpi.iommu[1].rid = 0;
                EXPECT_EQ(dma_format.page, 1 | uint64_t{1} << 60); // present; accesses snoop
                for (Unit &unit : amd)
                        EXPECT_EQ(unit.at<uint64_t>(0, 0x20), 0u);
                for (unsigned i = 0; i < UNITS; i++) {
                        // 4 levels, 256 records that begin at the second page; a queue;
                        // coherent; can snoop.
                        intel[i].at<uint64_t>(0, 0x08) = uint64_t{1} << 10 | uint64_t{0x100} << 24 |
                                                         uint64_t{RECORDS - 1} << 40;
                        intel[i].at<uint64_t>(0, 0x10) = 0x83;
                        acpi.iommu[i].phys = paddr_t(&intel[i]);
                }
                // First, one unit cannot be told to snoop, and no unit starts.
                fake_wait = nullptr;
                intel[1].at<uint64_t>(0, 0x10) = 3;
                EXPECT_EQ(real_vtd_driver.init(), 0u);
                bits_of_pages[0] = dma_format.page;
                intel[1].at<uint64_t>(0, 0x10) = 0x83;
                fake_wait = answer;
                EXPECT_GT(real_vtd_driver.init(), 0u);
                bits_of_pages[1] = dma_format.page;
                fake_wait = nullptr;
                acpi.iommus = 0;
                fake_has_devices = false;
        }

        static void TearDownTestSuite()
        {
                fake_tsc = 0;
                fake_boot(1024);
        }

        void SetUp() override
        {
                // More than a second after the faults of the test before.
                fake_tsc += uint64_t{10000} * tsc_khz;
                fill();
                fake_lines = 0;
        }

        void TearDown() override
        {
                iommu_driver = &real_amd_vi_driver;
                for (unsigned i = 0; i <= UNITS; i++) {
                        pass_second();
                        iommu_poll();
                        empty();
                }
                EXPECT_FALSE(iommu_faults_masked);
        }

        static void pass_second()
        {
                fake_tsc += uint64_t{1001} * tsc_khz;
        }

        static uint64_t *log_of(Unit &unit)
        {
                return memory_at(unit.at<uint64_t>(0, 0x10) & ~uint64_t{0xfff});
        }

        // Returns the index of a unit's next event, in words.
        static unsigned head_of(Unit &unit)
        {
                return unit.at<uint32_t>(2, 0x10) / 8;
        }

        static void fill()
        {
                for (Unit &unit : amd)
                        for (unsigned n = 0; n < 2 * RECORDS; n += 2) {
                                log_of(unit)[n] = EVENT;
                                log_of(unit)[n + 1] = 0x7654000 + n;
                        }
                for (Unit &unit : intel)
                        for (unsigned n = 0; n < RECORDS; n++) {
                                unit.at<uint64_t>(1, 16 * n) = 0x7654000;
                                unit.at<uint64_t>(1, 16 * n + 8) = uint64_t{FAULT} << 32 | 0x18;
                        }
        }

        static void empty()
        {
                for (Unit &unit : amd)
                        std::memset(log_of(unit), 0, PAGE_SIZE);
                for (Unit &unit : intel)
                        std::memset(unit.page[1], 0, PAGE_SIZE);
        }

        // Returns the number of records that are left in a unit.
        static unsigned left_in(Unit &unit)
        {
                unsigned left = 0;
                for (unsigned n = 0; n < RECORDS; n++) {
                        left += is_amd(unit) ? log_of(unit)[2 * n] != 0
                                             // Cleared by writing this bit alone.
                                             : unit.at<uint32_t>(1, 16 * n + 12) != 1u << 31;
                }
                return left;
        }

        static bool is_amd(const Unit &unit)
        {
                return &unit >= amd && &unit < amd + UNITS;
        }

        static unsigned left_in(Unit (&units)[UNITS])
        {
                unsigned left = 0;
                for (Unit &unit : units)
                        left += left_in(unit);
                return left;
        }
};

// Checks that one interrupt reads the records that it reports, and that faults are masked
// afterwards.
void read_full_logs(const struct iommu_driver *driver, const std::function<unsigned()> &left)
{
        iommu_driver = driver;
        unsigned before = left();
        EXPECT_EQ(before, UNITS * RECORDS);
        iommu_fault();
        EXPECT_EQ(fake_lines, LINES);
        EXPECT_EQ(before - left(), LINES);
        EXPECT_TRUE(iommu_faults_masked);
        // A last interrupt that had already been sent.
        before = left();
        iommu_fault();
        EXPECT_EQ(fake_lines, LINES);
        EXPECT_LE(before - left(), 1u);
}

TEST_F(faults, of_full_logs_of_amd_are_read_as_far_as_they_are_reported)
{
        read_full_logs(&real_amd_vi_driver, [] { return left_in(amd); });
        for (Unit &unit : amd)
                EXPECT_EQ(unit.at<uint32_t>(0, 0x18) & 0xc, 0u); // the logs are off
}

TEST_F(faults, of_full_records_of_vtd_are_read_as_far_as_they_are_reported)
{
        read_full_logs(&real_vtd_driver, [] { return left_in(intel); });
        for (Unit &unit : intel)
                EXPECT_EQ(unit.at<uint32_t>(0, 0x38), 1u << 31); // the interrupts are masked
}

// Few faults need no mask, regardless of their unit.
TEST_F(faults, of_a_unit_after_others_are_reported)
{
        for (const bool first : {true, false}) {
                iommu_driver = first ? &real_amd_vi_driver : &real_vtd_driver;
                pass_second();
                pass_second();
                empty();
                fake_lines = 0;
                iommu_fault();
                EXPECT_EQ(fake_lines, 0u);
                for (unsigned i : {0u, 3u, UNITS - 1}) {
                        log_of(amd[i])[head_of(amd[i])] = EVENT;
                        intel[i].at<uint32_t>(1, 12) = FAULT;
                }
                iommu_fault();
                EXPECT_EQ(fake_lines, 3u);
                EXPECT_FALSE(iommu_faults_masked);
                empty();
        }
}

// After a second the rest is dropped, one unit in each interrupt of a timer, and not reported.
TEST_F(faults, that_were_masked_are_dropped_unit_by_unit)
{
        iommu_driver = &real_amd_vi_driver;
        iommu_fault();
        unsigned before = left_in(amd);
        iommu_poll();
        EXPECT_EQ(left_in(amd), before); // too early
        pass_second();
        for (unsigned i = 0; i < UNITS; i++) {
                EXPECT_TRUE(iommu_faults_masked);
                iommu_poll();
                const unsigned now = left_in(amd);
                EXPECT_LE(before - now, RECORDS);
                EXPECT_EQ(now, (UNITS - 1 - i) * RECORDS);
                before = now;
        }
        EXPECT_FALSE(iommu_faults_masked);
        EXPECT_EQ(fake_lines, LINES);
        for (Unit &unit : amd)
                EXPECT_EQ(unit.at<uint32_t>(0, 0x18) & 0xc, 0xcu); // the logs are on again
        // The next fault is reported again.
        log_of(amd[7])[head_of(amd[7])] = EVENT;
        iommu_fault();
        EXPECT_EQ(fake_lines, LINES + 1);
}

// A flood that continues is reported again each second, and never with more lines.
TEST_F(faults, of_a_flood_are_masked_again)
{
        iommu_driver = &real_amd_vi_driver;
        iommu_fault();
        for (unsigned round = 1; round < 4; round++) {
                pass_second();
                for (unsigned i = 0; i < UNITS; i++)
                        iommu_poll();
                EXPECT_FALSE(iommu_faults_masked);
                fill();
                iommu_fault();
                EXPECT_TRUE(iommu_faults_masked);
                EXPECT_EQ(fake_lines, LINES * (round + 1));
        }
}

TEST_F(faults, of_vtd_are_dropped_unit_by_unit)
{
        for (unsigned i = 0; i < UNITS; i++) {
                EXPECT_EQ(real_vtd_driver.discard_faults(i), i + 1 < UNITS);
                EXPECT_EQ(left_in(intel[i]), 0u);
                EXPECT_EQ(left_in(intel), (UNITS - 1 - i) * RECORDS);
        }
}

// Commands for domains that no PD has would only take time, in which interrupts are off.
TEST_F(faults, cost_no_command_for_a_domain_that_no_pd_has)
{
        const unsigned before = amd[0].at<uint32_t>(2, 0x08);

        fake_wait = answer;
        real_amd_vi_driver.flush(FLUSH_DMA_ALL, false);
        fake_wait = nullptr;
        EXPECT_EQ((amd[0].at<uint32_t>(2, 0x08) - before) % PAGE_SIZE / 16, 1u) << "the wait";
}

// A unit that cannot be told to snoop reserves this bit of a page.
TEST_F(faults, of_reserved_bits_are_avoided_if_a_unit_cannot_be_told_to_snoop)
{
        EXPECT_EQ(bits_of_pages[0], 0u);
        EXPECT_EQ(bits_of_pages[1], 0x800u);
}

// While a record is in use, a unit of VT-d sends no further interrupt.
TEST_F(faults, that_came_while_others_were_dropped_are_reported)
{
        iommu_driver = &real_vtd_driver;
        iommu_fault();
        EXPECT_TRUE(iommu_faults_masked);
        pass_second();
        for (unsigned i = 0; i + 1 < UNITS; i++) {
                iommu_poll();
                empty();
        }
        intel[2].at<uint32_t>(1, 12) = FAULT;
        EXPECT_EQ(fake_lines, LINES);
        for (Unit &unit : intel) // an empty unit does not interpret a write as a record
                unit.at<uint32_t>(0, 0x34) = 0;
        iommu_poll();
        EXPECT_GT(fake_lines, LINES);
}

// The table has no place for one of the units. No other function passes interrupts for it.
TEST_F(faults, a_unit_beyond_the_table_passes_no_other_function)
{
        ASSERT_GE(passed.size(), 0x100u);
        ASSERT_LE(passed.size(), FAR);
        for (unsigned rid = 0; rid < passed.size(); rid++)
                EXPECT_EQ(passed[rid], rid == 0) << rid;
}

} // namespace
