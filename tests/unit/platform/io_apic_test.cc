// SPDX-License-Identifier: BSD-2-Clause
// I/O APICs: the kernel's checks of them, and the states of a pin.
#include <gtest/gtest.h>

#include <cstring>

#include "machine.h"

#define _Static_assert static_assert
extern "C" {
#include "device/io_apic.h"
#include "device/iommu_driver.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "nova/abi/hip.h"
#include "sched/cpu.h"
}

namespace
{

constexpr uint64_t BASE = 0xfec00000;
constexpr uint32_t LOW_ACTIVE = 0x2000, LEVEL = 0x8000, MASKED = 0x10000;
constexpr unsigned WINDOW = 0x10, VECTOR = 0x40;

// Registers of the I/O APIC: index and window keep the value written last.
alignas(4) char registers[4096];
unsigned mapped_pages;

uint32_t index_register()
{
        uint32_t value;
        std::memcpy(&value, registers, 4);
        return value;
}

uint32_t window()
{
        uint32_t value;
        std::memcpy(&value, registers + WINDOW, 4);
        return value;
}

struct Board : Machine {
        cpu boot = {};

        // pins: the number in the version register.
        explicit Board(unsigned pins = 24, uint64_t phys = BASE)
        {
                const uint32_t version = (pins - 1) << 16;
                acpi = {};
                acpi.io_apics = 1;
                acpi.io_apic[0].phys = phys;
                std::memcpy(registers + WINDOW, &version, 4);
                mapped_pages = 0;
        }

        void override(uint32_t gsi, unsigned flags, unsigned source = 0)
        {
                acpi.override[acpi.overrides].source = static_cast<uint8_t>(source);
                acpi.override[acpi.overrides].gsi = gsi;
                acpi.override[acpi.overrides++].flags = static_cast<uint16_t>(flags);
        }
};

// A board whose I/O APIC was found. Each test has a pin of its own, because the kernel never
// releases a pin.
struct Found : Board {
        unsigned gsi;

        explicit Found(unsigned pin, unsigned apic_id = 0) : gsi(pin)
        {
                boot.arch.apic_id = apic_id;
                static bool once;
                if (!once)
                        io_apic_init();
                once = true;
                io_apic_set_up(gsi, VECTOR, &boot);
        }

        // Returns the value last written to the pin: its lower half.
        uint32_t pin() const
        {
                EXPECT_EQ(index_register(), 0x10 + 2 * gsi);
                return window();
        }
};

TEST(io_apic, is_not_believed_in_memory_or_in_registers_of_the_kernel)
{
        for (uint64_t phys : {uint64_t{0}, uint64_t{0x123}, uint64_t{0x200000},
                              uint64_t{0xfee00000}, uint64_t{0xfec00002}, uint64_t{0xfec00fc0}}) {
                Board board(24, phys);
                memory_map_add(0x100000, 0x1000000, NOVA_MEM_AVAILABLE);
                memory_map_take(0xfee00000, 0x100000, true);
                io_apic_init();
                EXPECT_FALSE(io_apic_has(0));
                EXPECT_EQ(mapped_pages, 0u);
                EXPECT_NE(board.console.find("there is no I/O APIC at"), std::string::npos);
        }
}

TEST(io_apic, is_not_believed_with_more_pins_than_one_can_have)
{
        Board board(256);
        io_apic_init();
        EXPECT_FALSE(io_apic_has(0));
        EXPECT_EQ(boot_kernel_range_count, 1u); /* the kernel keeps the page nevertheless */
}

TEST(io_apic, has_the_gsis_of_its_pins)
{
        Found board(0);
        EXPECT_TRUE(io_apic_has(0));
        EXPECT_TRUE(io_apic_has(23));
        EXPECT_FALSE(io_apic_has(24));
        EXPECT_FALSE(io_apic_has(127));
}

TEST(io_apic, leaves_a_pin_masked_that_was_set_up)
{
        EXPECT_EQ(Found(1).pin(), VECTOR | MASKED);
        EXPECT_EQ(Found(16).pin(), VECTOR | MASKED | LEVEL | LOW_ACTIVE);
}

// The entry of a pin has eight bits for the CPU, and 0xff means all CPUs.
TEST(io_apic, opens_no_pin_for_a_boot_cpu_that_its_entry_cannot_name)
{
        Found named(9, 0xfe);
        io_apic_open(9);
        EXPECT_EQ(named.pin(), VECTOR);

        const unsigned numbers[] = {0xff, 0x100, 0x1ff};
        for (unsigned i = 0; i < 3; i++) {
                Found board(10 + i, numbers[i]);
                std::memset(registers, 0, WINDOW + 4);
                io_apic_open(10 + i);
                EXPECT_EQ(window(), 0u) << "the entry is not written";
                cpu other = {};
                io_apic_assign(10 + i, &other);
                EXPECT_EQ(board.pin(), VECTOR);
        }
}

TEST(io_apic, opens_a_pin_for_any_boot_cpu_if_its_entry_names_a_route)
{
        remap_by_index = true;
        Found board(13, 0x100);
        io_apic_open(13);
        EXPECT_EQ(board.pin(), VECTOR);
        remap_by_index = false;
}

TEST(io_apic, masks_a_level_pin_at_its_interrupt_until_it_is_opened)
{
        Found board(17);
        io_apic_open(17);
        EXPECT_EQ(board.pin(), VECTOR | LEVEL | LOW_ACTIVE);
        EXPECT_EQ(io_apic_serve(17, &board.boot), 0u);
        EXPECT_EQ(board.pin(), VECTOR | LEVEL | LOW_ACTIVE | MASKED);
        io_apic_assign(17, &board.boot);
        EXPECT_EQ(board.pin(), VECTOR | LEVEL | LOW_ACTIVE | MASKED);
        io_apic_open(17);
        EXPECT_EQ(board.pin(), VECTOR | LEVEL | LOW_ACTIVE);
}

TEST(io_apic, opens_a_pin_that_is_assigned_first)
{
        Found board(2);
        io_apic_assign(2, &board.boot);
        EXPECT_EQ(board.pin(), VECTOR);
}

// Lets a pin that is never served interrupt until it is stopped. Returns the end of the stop.
uint64_t flood(unsigned gsi, const cpu *cpu)
{
        uint64_t resume = 0;
        for (unsigned i = 0; i < 100000 && !resume; i++) {
                io_apic_open(gsi);
                resume = io_apic_serve(gsi, cpu);
        }
        return resume;
}

TEST(io_apic, stops_a_level_pin_that_interrupts_too_often)
{
        constexpr uint32_t OPEN = VECTOR | LEVEL | LOW_ACTIVE;
        Found board(18);
        cpu other = {};
        for (const bool awaited : {true, false}) {
                uint64_t next = UINT64_MAX;
                const uint64_t resume = flood(18, &board.boot);
                ASSERT_NE(resume, 0u);
                EXPECT_EQ(io_apic_stopped, 1u);
                EXPECT_EQ(board.pin(), OPEN | MASKED);
                EXPECT_EQ(io_apic_serve(18, &board.boot), 0u); // it was already sent
                if (awaited)
                        io_apic_open(18);
                io_apic_assign(18, &other);
                EXPECT_EQ(board.pin(), OPEN | MASKED);
                if (io_apic_resume(18, &board.boot, &next))
                        next = resume; // the host was slow
                EXPECT_EQ(next, resume);
                while (__builtin_ia32_rdtsc() < resume)
                        ;
                EXPECT_FALSE(io_apic_resume(18, &other, &next));
                io_apic_resume(18, &board.boot, &next);
                EXPECT_EQ(io_apic_stopped, 0u);
                EXPECT_EQ(board.pin(), awaited ? OPEN : OPEN | MASKED);
                io_apic_open(18);
                EXPECT_EQ(board.pin(), OPEN);
        }
}

nova_status refuse(unsigned, unsigned, unsigned, unsigned, bool)
{
        return NOVA_OUT_OF_MEMORY;
}

TEST(io_apic, leaves_a_pin_as_it_was_when_it_cannot_be_routed)
{
        Found board(5);
        struct iommu_driver driver = {};
        driver.route = refuse;
        iommu_driver = &driver;
        remap_is_on = true;
        EXPECT_EQ(io_apic_assign(5, &board.boot), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(board.pin(), VECTOR | MASKED);
        EXPECT_EQ(io_apic_set_up(6, VECTOR, &board.boot), NOVA_OUT_OF_MEMORY);
        remap_is_on = false;
        EXPECT_EQ(io_apic_assign(5, &board.boot), NOVA_SUCCESS);
        EXPECT_EQ(board.pin(), VECTOR);
}

TEST(io_apic, never_masks_an_edge_pin)
{
        Found board(3);
        io_apic_open(3);
        EXPECT_EQ(io_apic_serve(3, &board.boot), 0u);
        EXPECT_EQ(board.pin(), VECTOR);
}

TEST(io_apic, ignores_gsis_without_a_pin)
{
        Found board(4);
        const uint32_t before = window();
        for (unsigned gsi : {24u, 100u, 127u}) {
                io_apic_set_up(gsi, VECTOR, &board.boot);
                io_apic_assign(gsi, &board.boot);
                io_apic_open(gsi);
                EXPECT_EQ(io_apic_serve(gsi, &board.boot), 0u);
        }
        EXPECT_EQ(window(), before);
}

// Returns trigger and polarity of a GSI.
std::pair<bool, bool> kind(unsigned gsi)
{
        bool level, low;
        gsi_default(gsi, &level, &low);
        return {level, low};
}

TEST(gsi_default, is_that_of_isa_below_16_and_that_of_pci_above)
{
        Board board;
        EXPECT_EQ(kind(15), std::make_pair(false, false));
        EXPECT_EQ(kind(16), std::make_pair(true, true));
}

TEST(gsi_default, follows_an_override_and_the_first_of_two)
{
        Board board;
        board.override(9, 0xd);
        board.override(20, 0x5);
        board.override(21, 0x0);
        board.override(9, 0xf);
        board.override(5, 0xffff);
        EXPECT_EQ(kind(9), std::make_pair(true, false));
        EXPECT_EQ(kind(20), std::make_pair(false, false));
        EXPECT_EQ(kind(21), std::make_pair(false, false));
        EXPECT_EQ(kind(5), std::make_pair(true, true));
        EXPECT_EQ(kind(4), std::make_pair(false, false));
}

TEST(gsi_default, of_the_sci_is_level_and_low_unless_an_override_says_otherwise)
{
        Board board;
        acpi.sci = 9;
        EXPECT_EQ(kind(9), std::make_pair(true, true));
        EXPECT_EQ(kind(0), std::make_pair(false, false));
        board.override(9, 0x5, 9);
        EXPECT_EQ(kind(9), std::make_pair(false, false));
}

TEST(gsi_default, of_the_sci_is_level_and_low_where_an_override_leaves_it_open)
{
        for (const auto &[flags, level, low] :
             {std::tuple{0x0, true, true}, {0x4, false, true}, {0x1, true, false}}) {
                Board board;
                acpi.sci = 9;
                board.override(20, unsigned(flags), 9);
                board.override(21, unsigned(flags), 8);
                EXPECT_EQ(kind(20), std::make_pair(level, low));
                EXPECT_EQ(kind(21), std::make_pair(false, false));
        }
}

} // namespace

extern "C" void *boot_paging_map_device(paddr_t)
{
        mapped_pages++;
        return registers;
}
