// SPDX-License-Identifier: BSD-2-Clause
// The start of I/O MMUs: which units of VT-d the kernel uses, and for what; a lack of memory.
#include <gtest/gtest.h>

#include <cstring>

#include "kernel.h"

extern "C" {
#include "device/iommu_driver.h"
#include "device/remap.h"
#include "firmware/acpi.h"

extern const struct iommu_driver real_vtd_driver, real_amd_vi_driver;
}

namespace
{

constexpr unsigned UNITS = 2, CAP = 0x08, ECAP = 0x10, COMMAND = 0x18, STATUS = 0x1c;
constexpr unsigned FAULTS = 0x34, PROTECTED = 0x64, QUEUE_HEAD = 0x80, QUEUE_TAIL = 0x88;
constexpr unsigned QUEUE = 0x90, RECORDS = 256, RECORD = PAGE_SIZE + 12;
constexpr uint32_t ALL_FAULTS = 0x7f, QUEUE_ERROR = 0x10, LASTING = 0x96800000;
constexpr uint32_t TRANSLATE = 1u << 31, HAS_ROOT = 1u << 30, QUEUED = 1u << 26;
constexpr uint32_t INTERRUPTS = 1u << 25, HAS_INTERRUPTS = 1u << 24;
constexpr uint32_t FAULT_LOG = 1u << 28, COMPATIBLE = 1u << 23;
// Protects memory; 4 levels; 256 records of faults that begin at the second page.
constexpr uint64_t CAPABLE =
        uint64_t{1} << 5 | uint64_t{1} << 10 | uint64_t{0x100} << 24 | uint64_t{0xff} << 40;
// Coherent, with a queue and with interrupt remapping.
constexpr uint64_t FULL = 0x1 | 0x2 | 0x8;

struct alignas(PAGE_SIZE) Unit {
        char page[2][PAGE_SIZE];
        uint32_t refused; // bits of commands that the unit ignores
        bool confused;    // a command has changed several bits
        bool opened;      // the unit neither protected memory nor translated

        template <typename T> volatile T &at(unsigned offset)
        {
                return *reinterpret_cast<volatile T *>(page[0] + offset);
        }

        // Executes the command and the queue.
        void answer()
        {
                const uint32_t command = at<uint32_t>(COMMAND) & ~refused;
                const uint32_t before = at<uint32_t>(STATUS);

                confused |= __builtin_popcount((before ^ command) & LASTING) > 1;
                opened |= !(before & TRANSLATE) && !at<uint32_t>(PROTECTED);
                at<uint32_t>(STATUS) =
                        (command & LASTING) | ((before | command) & (HAS_ROOT | HAS_INTERRUPTS));
                if (at<uint32_t>(FAULTS) == ALL_FAULTS)
                        at<uint32_t>(FAULTS) = 0;
                if (!(command & QUEUED))
                        at<uint32_t>(QUEUE_HEAD) = 0;
                else if (!(at<uint32_t>(FAULTS) & QUEUE_ERROR))
                        execute_queue();
        }

        void execute_queue()
        {
                unsigned head = at<uint32_t>(QUEUE_HEAD) / 16;

                for (; head != at<uint32_t>(QUEUE_TAIL) / 16; head = (head + 1) % 256)
                        execute(reinterpret_cast<const uint64_t *>(at<uint64_t>(QUEUE)) + 2 * head);
                at<uint32_t>(QUEUE_HEAD) = head * 16;
        }

        static void execute(const uint64_t *descriptor)
        {
                if ((descriptor[0] & 0xff) == 0x25)
                        *reinterpret_cast<volatile uint32_t *>(descriptor[1]) =
                                uint32_t(descriptor[0] >> 32);
        }

        bool does(uint32_t bit)
        {
                answer();
                return at<uint32_t>(STATUS) & bit;
        }
};

Unit units[UNITS];

struct Vtd : testing::Test {
        Vtd()
        {
                fake_boot(1024);
                fake_tsc = uint64_t{1} << 42;
                fake_has_devices = true;
                fake_wait = [] {
                        for (Unit &unit : units)
                                unit.answer();
                };
                acpi.iommus = UNITS;
                acpi.remaps = true;
                for (unsigned i = 0; i < UNITS; i++) {
                        std::memset(&units[i], 0, sizeof(Unit));
                        units[i].at<uint64_t>(CAP) = CAPABLE;
                        units[i].at<uint32_t>(PROTECTED) = 1u << 31;
                        units[i].at<uint64_t>(ECAP) = FULL;
                        acpi.iommu[i] = {paddr_t(&units[i]), 0, 0, 0};
                }
        }

        ~Vtd() override
        {
                fake_wait = nullptr;
                fake_has_devices = false;
                fake_tsc = 0;
                dma_format.incoherent = false;
                fake_boot(1024);
                fake_iommu_boot();
                acpi = {};
        }
};

TEST_F(Vtd, remaps_interrupts_in_all_units)
{
        EXPECT_GT(real_vtd_driver.init(), 0u);
        EXPECT_TRUE(remap_is_on);
        EXPECT_TRUE(remap_by_index);
        for (Unit &unit : units)
                EXPECT_TRUE(unit.does(INTERRUPTS) && unit.does(TRANSLATE));
}

// The upper half of the message's address has the bits of the number beyond the lowest eight.
TEST_F(Vtd, reports_faults_to_a_boot_cpu_whose_number_has_more_than_eight_bits)
{
        uint32_t &number = cpu_by_id(cpu_boot_id)->arch.apic_id;
        const uint32_t before = number;
        number = 0x12345;
        EXPECT_GT(real_vtd_driver.init(), 0u);
        number = before;
        for (Unit &unit : units) {
                EXPECT_EQ(unit.at<uint32_t>(0x40), 0xfee45000u);
                EXPECT_EQ(unit.at<uint32_t>(0x44), 0x12300u);
        }
}

// The kernel's messages name GSIs, which a unit without remapping takes for vectors.
void expect_no_remapping(Unit &started)
{
        EXPECT_FALSE(remap_is_on);
        EXPECT_FALSE(remap_by_index);
        EXPECT_FALSE(started.does(INTERRUPTS));
        EXPECT_TRUE(started.does(TRANSLATE));
}

TEST_F(Vtd, does_not_remap_interrupts_beside_a_unit_that_is_ignored)
{
        units[1].at<uint64_t>(ECAP) = FULL & ~uint64_t{2};
        EXPECT_GT(real_vtd_driver.init(), 0u);
        expect_no_remapping(units[0]);
}

TEST_F(Vtd, does_not_remap_interrupts_if_there_are_more_units_than_the_kernel_knows)
{
        acpi.iommus_lost = true;
        fake_iommu_boot();
        acpi.iommus = UNITS;
        EXPECT_GT(real_vtd_driver.init(), 0u);
        expect_no_remapping(units[0]);
}

TEST_F(Vtd, stops_remapping_interrupts_when_another_unit_does_not_start)
{
        for (const uint32_t refused : {TRANSLATE | QUEUED | INTERRUPTS, INTERRUPTS, TRANSLATE})
                for (unsigned broken : {0, 1}) {
                        for (Unit &unit : units)
                                unit.refused = 0;
                        units[broken].refused = refused;
                        EXPECT_GT(real_vtd_driver.init(), 0u);
                        expect_no_remapping(units[!broken]);
                        EXPECT_FALSE(units[broken].does(INTERRUPTS));
                }
}

// An earlier kernel has left everything enabled, with errors recorded.
TEST_F(Vtd, starts_with_what_an_earlier_kernel_has_left)
{
        static uint64_t queue[512];
        for (Unit &unit : units) {
                unit.at<uint32_t>(COMMAND) = unit.at<uint32_t>(STATUS) =
                        TRANSLATE | QUEUED | INTERRUPTS | FAULT_LOG | COMPATIBLE;
                unit.at<uint64_t>(QUEUE) = reinterpret_cast<uint64_t>(queue);
                unit.at<uint32_t>(QUEUE_TAIL) = 5 * 16;
                unit.at<uint32_t>(FAULTS) = QUEUE_ERROR | 3;
                for (unsigned i = 0; i < RECORDS; i++)
                        unit.at<uint32_t>(RECORD + 16 * i) = 0x80000006;
        }
        EXPECT_GT(real_vtd_driver.init(), 0u);
        EXPECT_TRUE(remap_is_on);
        for (Unit &unit : units) {
                EXPECT_TRUE(unit.does(INTERRUPTS) && unit.does(TRANSLATE));
                EXPECT_FALSE(unit.confused);
                EXPECT_FALSE(unit.does(COMPATIBLE)) << "interrupts would pass without remapping";
                EXPECT_FALSE(unit.does(FAULT_LOG));
                EXPECT_EQ(unit.at<uint32_t>(FAULTS), 0u);
                for (unsigned i = 0; i < RECORDS; i++) // cleared by writing this bit alone
                        EXPECT_EQ(unit.at<uint32_t>(RECORD + 16 * i), 1u << 31);
        }
}

TEST_F(Vtd, protects_the_memory_that_firmware_has_chosen_until_it_translates)
{
        EXPECT_GT(real_vtd_driver.init(), 0u);
        for (Unit &unit : units) {
                EXPECT_FALSE(unit.opened);
                EXPECT_EQ(unit.at<uint32_t>(PROTECTED), 0u);
        }
}

TEST_F(Vtd, does_not_start_without_memory_for_its_tables_and_says_so)
{
        for (const struct iommu_driver *driver : {&real_vtd_driver, &real_amd_vi_driver}) {
                fake_fail_allocations_from(1);
                fake_lines = 0;
                EXPECT_EQ(driver->init(), 0u);
                EXPECT_EQ(fake_lines, 1u);
                fake_fail_allocation(-1);
        }
}

// If remapping seemed to be on, assign_gsi would ask for routes, and a unit that did not start
// would refuse.
TEST_F(Vtd, does_not_remap_interrupts_if_it_did_not_start)
{
        fake_lacks_units = true;
        fake_iommu_boot();
        fake_lacks_units = false;
        EXPECT_FALSE(iommu_is_on());
        EXPECT_FALSE(remap_is_on);
        EXPECT_FALSE(remap_by_index);
}

// If an access did not snoop the caches, a device could read data that a former owner of the memory
// has left there.
TEST_F(Vtd, lets_all_accesses_snoop_the_caches_if_all_units_can)
{
        for (unsigned able : {0, 1, 2}) {
                for (unsigned i = 0; i < UNITS; i++)
                        units[i].at<uint64_t>(ECAP) = FULL | (i < able ? 0x80 : 0);
                EXPECT_GT(real_vtd_driver.init(), 0u);
                EXPECT_EQ(dma_format.page, able == UNITS ? 0x800u : 0u);
        }
}

} // namespace
