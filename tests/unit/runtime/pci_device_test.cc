// SPDX-License-Identifier: BSD-2-Clause
// Drivers of the service pci: claims, addresses, memory, interrupts and resets, on simulated
// functions, some of them hostile.
#include "pci_machine.h"

#include <random>

TEST_F(pci_device, a_device_is_the_first_function_by_address_that_no_other_device_is)
{
        for (const uint16_t address : {uint16_t(2 << 3), uint16_t(9 << 3)}) {
                machine[address] = disk();
                nova_pci_function f = table[0];
                f.address = address;
                table.insert(address < DISK ? table.begin() : table.end(), f);
        }
        describe("a", "x");
        describe("b", "x");
        description[1].flags |= NOVA_PARENT_PCI_AT;
        description[1].at = 9 << 3;
        describe("c", "x");
        describe("d", "x");
        find();
        ASSERT_EQ(device_count, 4U);
        EXPECT_EQ(devices[0].function.address, 2 << 3);
        EXPECT_EQ(devices[1].function.address, 9 << 3);
        EXPECT_EQ(devices[2].function.address, DISK);
        EXPECT_EQ(devices[3].state, DEVICE_ABSENT);
}

TEST_F(pci_device, bridges_and_iommus_are_not_devices)
{
        for (const uint32_t class_code : {0x060400U, 0x080600U}) {
                SetUp();
                describe("any", "x");
                description[0].class_mask = 0;
                table[0].class_code = class_code;
                find();
                EXPECT_EQ(devices[0].state, DEVICE_ABSENT);
        }
}

TEST_F(pci_device, other_numbers_of_vendor_and_device_do_not_match)
{
        describe("disk", "x", NOVA_PARENT_PCI_ID);
        description[0].vendor = 0x8086;
        description[0].device = 0x5846;
        find();
        EXPECT_EQ(devices[0].state, DEVICE_ABSENT);
}

TEST_F(pci_device, only_the_program_of_the_description_gets_it)
{
        device *d;

        describe("disk", "driver");
        find();
        EXPECT_EQ(claim("disk", "drive", &d), EACCES);
        EXPECT_EQ(claim("disk", "driver2", &d), EACCES);
        EXPECT_EQ(claim("disc", "driver", &d), ENODEV);
        EXPECT_EQ(claim("disk", "driver", &d), 0);
        EXPECT_EQ(claim("disk", "driver", &d), EBUSY);
        EXPECT_EQ(sweeps, 1U);
}

TEST_F(pci_device, a_device_without_a_program_cannot_be_claimed)
{
        device *d;

        describe("disk", "");
        find();
        EXPECT_EQ(claim("disk", "driver", &d), EACCES);
        EXPECT_EQ(claim("disk", "x", &d), EACCES);
}

TEST_F(pci_device, the_successor_of_a_dead_driver_waits_for_the_reset)
{
        device *d = claimed();

        swept_dead = true;
        EXPECT_EQ(claim("disk", "driver", &d), EAGAIN);
        EXPECT_EQ(devices[0].state, DEVICE_STOPPING);
        EXPECT_TRUE(devices[0].stopped);
}

TEST_F(pci_device, a_claimed_function_decodes_and_is_not_a_bus_master)
{
        claimed();
        EXPECT_EQ(disk().value[1] & 0x407, 0x402U);
}

TEST_F(pci_device, a_driver_lets_its_function_respond_to_its_own_addresses_only)
{
        table[0].bar[1] = {0, 0x20, NOVA_PCI_BAR_PORTS, 0}; /* firmware gave it no ports */
        device *const d = claimed();

        ASSERT_EQ(d->function.bar[1].base, 0U);
        EXPECT_EQ(claim_command(d, 0x403), EPERM) << "the ports at 0 belong to others";
        EXPECT_EQ(claim_command(d, 0x400), 0);
        EXPECT_EQ(disk().value[1] & 0x407, 0x400U);
        EXPECT_EQ(claim_command(d, 0x406), 0);
        EXPECT_EQ(disk().value[1] & 0x407, 0x406U);
        EXPECT_TRUE(d->is_loud);
        EXPECT_EQ(claim_command(d, 0x506), EPERM) << "another bit";
        d->says.flags = 0;
        EXPECT_EQ(claim_command(d, 0x406), EPERM) << "it may not be a bus master";
}

TEST_F(pci_device, a_driver_switches_on_a_pin_that_it_has)
{
        device *d = claimed();

        EXPECT_EQ(claim_command(d, 0x002), EPERM) << "others may have the line";
        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        EXPECT_EQ(claim_command(d, 0x002), EPERM) << "it has messages";
        EXPECT_EQ(disk().value[1] & 0x407, 0x402U);
        SetUp();
        table[0].msix_vectors = table[0].msi_vectors = 0;
        d = claimed();
        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        EXPECT_EQ(claim_command(d, 0x402), 0);
        EXPECT_EQ(disk().value[1] & 0x407, 0x402U);
        EXPECT_EQ(claim_command(d, 0x002), 0);
        EXPECT_EQ(disk().value[1] & 0x407, 0x002U);
}

TEST_F(pci_device, the_end_of_a_session_switches_off_and_takes_back)
{
        device *const d = claimed();

        ASSERT_EQ(interrupt_take(d, 2, 0), 0);
        ASSERT_EQ(memory_map(d, 0), 0);
        revoked.clear();
        device_command(d, COMMAND_MASTER, 0);
        claim_end(nullptr, d);
        EXPECT_EQ(disk().value[1] & 0x407, 0x400U);
        EXPECT_EQ(disk().value[0x40 / 4] & 0xc0000000, 0x40000000U);
        EXPECT_EQ(revoked.size(), 3U) << "the memory and two semaphores";
        EXPECT_EQ(d->vectors, 0U);
}

TEST_F(pci_device, an_io_mmu_confines_the_function_to_its_driver)
{
        has_iommu = true;
        device *const d = claimed(0);
        EXPECT_EQ(assigned_to, 77U);
        EXPECT_TRUE(device_may_master(d));
        nova_program.pd = 3;
        claim_end(nullptr, d);
        EXPECT_EQ(assigned_to, 3U) << "nothing reaches the former driver's memory";
        EXPECT_FALSE(device_may_master(d));
}

TEST_F(pci_device, without_an_io_mmu_only_the_pin_is_left)
{
        device *const d = claimed(0);

        EXPECT_FALSE(device_may_master(d));
        ASSERT_EQ(interrupt_take(d, 4, 0), 0);
        EXPECT_EQ(d->interrupts, DEVICE_PIN);
        EXPECT_EQ(d->vectors, 1U);
        EXPECT_EQ(d->vector[0].gsi, 0xbU);
        EXPECT_EQ(disk().value[1] & 0x400, 0U);
}

TEST_F(pci_device, a_machine_without_a_window_has_pins_only)
{
        has_window = false;
        device *const d = claimed();
        ASSERT_EQ(interrupt_take(d, 4, 0), 0);
        EXPECT_EQ(d->interrupts, DEVICE_PIN);
}

TEST_F(pci_device, the_table_of_msix_holds_messages_and_masks_the_rest)
{
        device *const d = claimed();

        ASSERT_EQ(interrupt_take(d, 2, 0), 0);
        EXPECT_EQ(d->interrupts, DEVICE_MSIX);
        EXPECT_EQ(entry(0, 0), 0xfee00000U);
        EXPECT_EQ(entry(0, 2), (uint32_t)d->vector[0].sel);
        EXPECT_EQ(entry(1, 2), (uint32_t)d->vector[1].sel);
        EXPECT_EQ(entry(1, 3), 0U);
        EXPECT_EQ(entry(2, 3), 1U);
        EXPECT_EQ(entry(3, 3), 1U);
        EXPECT_EQ(disk().value[0x40 / 4] & 0xc0000000, 0x80000000U);
        EXPECT_EQ(disk().value[1] & 0x402, 0x402U);
        EXPECT_NE(d->vector[0].gsi, 120U);
        EXPECT_GE(d->vector[1].gsi, PINS);
}

TEST_F(pci_device, a_driver_that_wants_more_vectors_gets_fewer)
{
        device *const d = claimed();

        ASSERT_EQ(interrupt_take(d, 32, 0), 0);
        EXPECT_EQ(d->vectors, 4U);
        EXPECT_EQ(interrupt_take(d, 1, 0), EEXIST);
}

TEST_F(pci_device, msi_is_one_message)
{
        table[0].msix_vectors = 0;
        device *const d = claimed();
        ASSERT_EQ(interrupt_take(d, 4, 0), 0);
        EXPECT_EQ(d->interrupts, DEVICE_MSI);
        EXPECT_EQ(d->vectors, 1U);
        EXPECT_EQ(disk().value[0x54 / 4], 0xfee00000U);
        EXPECT_EQ(disk().value[0x58 / 4], 0U);
        EXPECT_EQ(disk().value[0x5c / 4] & 0xffff, (uint32_t)d->vector[0].sel);
        EXPECT_EQ(disk().value[0x50 / 4] & 0x00710000, 0x00010000U);
}

TEST_F(pci_device, msi_of_several_messages_is_used_for_one)
{
        table[0].msix_vectors = 0;
        table[0].msi_vectors = 8;
        disk().value[0x50 / 4] = 0x01760005; /* 8 messages, all enabled; no 64 bits, but masks */
        disk().writable[0x60 / 4] = ~0U;
        device *const d = claimed();
        ASSERT_EQ(interrupt_take(d, 8, 0), 0);
        EXPECT_EQ(d->interrupts, DEVICE_MSI);
        EXPECT_EQ(d->vectors, 1U);
        EXPECT_EQ(disk().value[0x50 / 4] & 0x00710000, 0x00010000U) << "one message is enabled";
        EXPECT_EQ(disk().value[0x54 / 4], 0xfee00000U);
        EXPECT_EQ(disk().value[0x58 / 4] & 0xffff, (uint32_t)d->vector[0].sel);
        EXPECT_EQ(disk().value[0x60 / 4], 0U) << "it is not masked";
        EXPECT_EQ(disk().value[1] & 0x400, 0x400U) << "the pin is off";
}

TEST_F(pci_device, a_pin_has_the_line_that_firmware_wrote)
{
        has_window = false;
        for (unsigned line = 0; line < 256; line++) {
                TearDown();
                SetUp();
                has_window = false;
                table[0].interrupt_line = (uint8_t)line;
                device *const d = claimed();
                if (line >= 1 && line <= 15) {
                        ASSERT_EQ(interrupt_take(d, 1, 0), 0) << line;
                        EXPECT_EQ(d->interrupts, DEVICE_PIN);
                        EXPECT_EQ(d->vector[0].gsi, line);
                } else {
                        EXPECT_EQ(interrupt_take(d, 1, 0), ENOSPC) << line;
                        EXPECT_EQ(d->vectors, 0U);
                }
        }
}

TEST_F(pci_device, a_function_without_a_pin_has_no_interrupt)
{
        has_window = false;
        table[0].interrupt_pin = 0;
        device *const d = claimed();
        EXPECT_EQ(interrupt_take(d, 1, 0), ENOSPC);
}

TEST_F(pci_device, a_line_belongs_to_one_driver)
{
        device *second = nullptr;

        has_window = false;
        machine[9 << 3] = disk();
        nova_pci_function f = table[0];
        f.address = 9 << 3;
        table.push_back(f);
        describe("other", "driver2");
        device *const first = claimed();
        ASSERT_EQ(claim("other", "driver2", &second), 0);
        ASSERT_EQ(interrupt_take(first, 1, 0), 0);
        EXPECT_EQ(interrupt_take(second, 1, 0), ENOSPC);
        interrupt_free(first);
        EXPECT_EQ(interrupt_take(second, 1, 0), 0) << "it is free after the first driver";
}

TEST_F(pci_device, threads_that_wait_for_a_freed_interrupt_wake_up)
{
        device *const d = claimed();

        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        const unsigned gsi = d->vector[0].gsi;
        waiters = 5;
        interrupt_free(d);
        EXPECT_EQ(waiters, 0U);
        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        EXPECT_EQ(d->vector[0].gsi, gsi);
        EXPECT_EQ(semaphore[(unsigned)d->vector[0].sel], 0U);
        waiters = 100000;
        interrupt_free(d);
        waiters = 0;
        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        EXPECT_NE(d->vector[0].gsi, gsi) << "it stays out of use";
}

TEST_F(pci_device, tables_of_msix_outside_of_the_memory_are_not_used)
{
        for (const uint32_t table_register : {0x3fe0U, 0x4000U, 0xfffffff8U, 0x2006U, 0x2001U}) {
                TearDown();
                SetUp();
                disk().value[0x44 / 4] = table_register;
                device *const d = claimed();
                EXPECT_EQ(interrupt_take(d, 4, 0), 0);
                EXPECT_EQ(d->interrupts, DEVICE_MSI) << table_register;
        }
}

TEST_F(pci_device, pages_with_vectors_stay_with_the_service)
{
        device *const d = claimed();

        EXPECT_FALSE(memory_is_withheld(d, 0, 0));
        EXPECT_FALSE(memory_is_withheld(d, 0, 1));
        EXPECT_TRUE(memory_is_withheld(d, 0, 2));
        EXPECT_TRUE(memory_is_withheld(d, 0, 3)) << "the pending bits";
        EXPECT_FALSE(memory_is_withheld(d, 1, 2));
        EXPECT_TRUE(memory_is_open(d, 0, 0, 2));
        EXPECT_FALSE(memory_is_open(d, 0, 0, 4));
}

TEST_F(pci_device, memory_that_another_function_has_is_refused)
{
        nova_pci_function other = {};

        other.address = 5 << 3;
        other.bar[0] = {0xfe003000, 0x1000, 0, 0};
        table.push_back(other);
        device *const d = claimed();
        EXPECT_EQ(memory_map(d, 0), ENOTSUP);
        EXPECT_EQ(memory_map(d, 0), ENOTSUP);
}

TEST_F(pci_device, memory_that_is_something_else_is_refused)
{
        forbidden.insert({0xfe000000, 0x4000});
        device *const d = claimed();
        EXPECT_EQ(memory_map(d, 0), EACCES);
        EXPECT_EQ(memory_map(d, 1), ENOENT);
        EXPECT_EQ(memory_map(d, NOVA_PCI_BARS), ENOENT);
        EXPECT_EQ(memory_ports(d, 0), ENOENT);
}

TEST_F(pci_device, addresses_that_are_not_aligned_or_wrap_are_refused)
{
        for (const uint64_t base : {uint64_t{0xfe001000}, uint64_t{0xffffffffffffc000} + 0x2000}) {
                SetUp();
                table[0].bar[0].base = base;
                device *const d = claimed();
                EXPECT_EQ(memory_map(d, 0), ENXIO);
        }
}

TEST_F(pci_device, an_empty_register_gets_a_hole_between_its_neighbours)
{
        nova_pci_function low = {}, high = {};

        low.address = 1 << 3;
        low.bar[0] = {0xfd000000, 0x1000, 0, 0};
        high.address = 5 << 3;
        high.bar[0] = {0xfd010000, 0x2000, 0, 0};
        table[0].bar[0].base = 0;
        disk().value[4] = 4;
        table.push_back(low);
        table.push_back(high);
        claimed();
        EXPECT_EQ(table[0].bar[0].base, 0xfd00c000U);
        EXPECT_EQ(devices[0].function.bar[0].base, 0xfd00c000U);
        EXPECT_EQ(disk().value[4], 0xfd00c004U);
}

TEST_F(pci_device, an_empty_register_below_a_bridge_gets_a_part_of_its_window)
{
        const uint16_t address = 1 << 8;
        function &bridge = machine[3 << 3];
        nova_pci_function f = {};

        bridge.value[8] = 0xfe20fe10; /* 0xfe100000 to 0xfe2fffff */
        f.address = 3 << 3;
        f.header = NOVA_PCI_HEADER_BRIDGE;
        f.secondary_bus = f.last_bus = 1;
        machine[address] = disk();
        machine[address].value[4] = 4;
        table[0].address = address;
        table[0].bar[0].base = 0;
        table.push_back(f);
        claimed();
        EXPECT_EQ(table[0].bar[0].base, 0xfe2fc000U);
}

/* Firmware gave no buses to the bridge, so the bridge's registers are 0. */
TEST_F(pci_device, an_empty_register_beside_a_bridge_without_buses_gets_a_hole)
{
        nova_pci_function bridge = {}, high = {};

        bridge.address = 3 << 3;
        bridge.header = NOVA_PCI_HEADER_BRIDGE;
        high.address = 5 << 3;
        high.bar[0] = {0xfd010000, 0x10000, 0, 0};
        machine[3 << 3].value[0] = 0x00018086;
        table[0].bar[0].base = 0;
        disk().value[4] = 4;
        nova_pci_function low = high;
        low.address = 6 << 3;
        low.bar[0] = {0xfd000000, 0x1000, 0, 0};
        table.push_back(bridge);
        table.push_back(high);
        table.push_back(low);
        claimed();
        EXPECT_EQ(table[0].bar[0].base, 0xfd00c000U);
}

TEST_F(pci_device, bridges_above_a_claimed_function_pass_on_its_dma)
{
        for (const bool may : {true, false}) {
                nova_pci_function near = {}, far = {}, other = {};

                SetUp();
                near.header = far.header = other.header = NOVA_PCI_HEADER_BRIDGE;
                far.address = 3 << 3; /* leads to the bus of `near` */
                far.secondary_bus = 1;
                far.last_bus = 2;
                near.address = 1 << 8;
                near.secondary_bus = near.last_bus = 2;
                other.address = 5 << 3;
                other.secondary_bus = other.last_bus = 3;
                table[0].address = 2 << 8;
                machine[2 << 8] = disk();
                for (const nova_pci_function &f : {near, far, other}) {
                        machine[f.address].value[1] = 0x00100003;
                        machine[f.address].writable[1] = 0x407;
                        table.push_back(f);
                }
                claimed(may ? NOVA_PARENT_PCI_UNPROTECTED : 0);
                EXPECT_EQ(machine[far.address].value[1], may ? 0x00100007U : 0x00100003U);
                EXPECT_EQ(machine[near.address].value[1], may ? 0x00100007U : 0x00100003U);
                EXPECT_EQ(machine[other.address].value[1], 0x00100003U);
        }
}

TEST_F(pci_device, an_empty_register_without_a_hole_fails_the_claim)
{
        device *d;

        table[0].bar[0].base = 0;
        describe("disk", "driver");
        find();
        EXPECT_EQ(claim("disk", "driver", &d), ENXIO);
        EXPECT_EQ(claim("disk", "driver", &d), ENXIO);
        EXPECT_EQ(devices[0].state, DEVICE_FREE);
}

/* The registers that the service writes after a reset are those that it read before. */
TEST_F(pci_device, a_function_level_reset_keeps_the_addresses)
{
        function &f = disk();

        f.value[0x50 / 4] = 0x00020010; /* instead of MSI */
        f.value[0x54 / 4] = 0x10000000;
        f.writable[0x58 / 4] = 0xffff;
        f.value[0x58 / 4] = 0x2810;
        unsigned resets = 0;
        f.written = [&](unsigned offset, uint32_t value) {
                if (offset != 0x58 || !(value & 0x8000))
                        return;
                resets++;
                EXPECT_EQ(f.value[1] & 0x7, 0U) << "the function is off";
                f.value[4] = 4;
                f.value[0x58 / 4] = 0x2810;
        };
        device *const d = claimed();
        EXPECT_TRUE(reset_function(nullptr, d));
        EXPECT_EQ(resets, 1U);
        EXPECT_GE(slept_ms, 100U);
        EXPECT_EQ(f.value[4], 0xfe000004U);
        EXPECT_EQ(f.value[0x58 / 4], 0x2810U);
        EXPECT_EQ(f.value[1] & 0x407, 0x400U);
}

TEST_F(pci_device, a_power_state_resets_unless_the_function_keeps_its_state)
{
        for (const bool keeps : {false, true}) {
                SetUp();
                function &f = disk();
                std::vector<uint32_t> states;
                f.value[0x50 / 4] = 0x00000001;
                f.value[0x54 / 4] = keeps ? 8 : 0;
                f.writable[0x54 / 4] = 3;
                f.written = [&](unsigned offset, uint32_t value) {
                        if (offset == 0x54)
                                states.push_back(value & 3);
                };
                device *const d = claimed();
                EXPECT_EQ(reset_function(nullptr, d), !keeps);
                EXPECT_EQ(states, keeps ? std::vector<uint32_t>{} : (std::vector<uint32_t>{3, 0}));
        }
}

TEST_F(pci_device, a_function_that_does_not_answer_after_its_reset_is_not_quiet)
{
        function &f = disk();

        f.value[0x50 / 4] = 0x00000001;
        f.value[0x54 / 4] = 0;
        f.written = [&](unsigned offset, uint32_t) {
                if (offset == 0x54)
                        f.value.fill(~0U);
        };
        device *const d = claimed();
        EXPECT_FALSE(reset_function(nullptr, d));
        EXPECT_LE(slept_ms, 1200U);
}

TEST_F(pci_device, devices_that_wait_for_a_reset_take_turns)
{
        const auto waits = [](const device *d) { return d->resetting; };
        unsigned turns[5] = {};

        device_count = 5;
        EXPECT_EQ(device_next(waits), nullptr);
        /* The drivers of three devices request the next reset as soon as a reset has ended. */
        for (const unsigned n : {0, 1, 3})
                devices[n].resetting = true;
        for (unsigned i = 0; i < 30; i++) {
                const device *const next = device_next(waits);
                ASSERT_NE(next, nullptr);
                turns[next - devices]++;
        }
        EXPECT_EQ(turns[0], 10U);
        EXPECT_EQ(turns[1], 10U);
        EXPECT_EQ(turns[3], 10U);
        /* A later request waits for each of the others at most once. */
        devices[4].resetting = true;
        unsigned others = 0;
        while (device_next(waits) != &devices[4])
                others++;
        EXPECT_LE(others, 3U);
}

/* Hostile devices: for any behaviour of their registers, a claim and its release terminate, and
 * nothing beyond the memory and the first 256 bytes of configuration space is accessed. */
TEST_F(pci_device, random_functions_are_claimed_and_stopped)
{
        std::mt19937 random(1);

        for (unsigned round = 0; round < 500; round++) {
                SetUp();
                function &f = disk();
                for (unsigned r = 1; r < 64; r++) {
                        f.value[r] = (uint32_t)random();
                        f.writable[r] = (uint32_t)random();
                }
                f.value[13] = (uint32_t)random() % 256;
                for (unsigned at = 0x40; at < 0x100 && random() % 4; at += 4 * (random() % 8)) {
                        static const uint8_t ids[] = {0x01, 0x05, 0x10, 0x11};
                        f.value[13] = at == 0x40 ? 0x40 : f.value[13];
                        f.value[at / 4] = (f.value[at / 4] & ~0xffU) | ids[random() % 4];
                }
                if (random() % 2)
                        f.written = [&](unsigned offset, uint32_t) {
                                f.value.at(offset / 4) = (uint32_t)random();
                        };
                table[0].msix_vectors = (uint16_t)(random() % 2049);
                table[0].bar[0].base = random() % 4 ? 0xfe000000 : 0;
                describe("disk", "driver");
                find();
                device *d = nullptr;
                if (claim("disk", "driver", &d))
                        continue;
                interrupt_take(d, 1 + random() % 32, 0);
                reset_function(nullptr, d);
                claim_end(nullptr, d);
                reset_function(nullptr, d);
                EXPECT_EQ(d->vectors, 0U);
        }
}
