// SPDX-License-Identifier: BSD-2-Clause
// Drivers of the service pci: functions whose DMA goes to another PD, and resets of a function's
// bus.
#include "pci_machine.h"

namespace
{

TEST_F(pci_device, a_function_with_low_power_gets_full_power_and_keeps_its_addresses)
{
        for (const bool keeps : {true, false}) {
                SetUp();
                function &f = disk();

                f.value[0x50 / 4] = 0x00000001;
                f.value[0x54 / 4] = keeps ? 0xb : 3;
                f.writable[0x54 / 4] = 3;
                f.written = [&](unsigned offset, uint32_t value) {
                        if (offset == 0x54 && !(value & 3) && !keeps)
                                f.value[4] = 4; /* the change resets it */
                };
                device *const d = claimed();

                EXPECT_EQ(reset_function(nullptr, d), !keeps);
                EXPECT_EQ(f.value[0x54 / 4] & 3, 0U);
                EXPECT_EQ(f.value[4], 0xfe000004U);
                EXPECT_GE(slept_ms, 10U);
        }
}

TEST_F(pci_device, a_function_is_not_accessed_any_more_when_the_service_ends_during_its_start)
{
        function &f = disk();

        f.value[0x50 / 4] = 0x00000001;
        f.value[0x54 / 4] = f.writable[0x54 / 4] = 3;
        f.written = [&](unsigned, uint32_t) { EXPECT_EQ(slept_ms, 0U) << "without the lock"; };
        device *const d = claimed();

        ends = true;
        EXPECT_FALSE(reset_function((nova_service *)&f, d));
        EXPECT_GE(slept_ms, 10U);
}

/* A function of conventional PCI has its function-level reset in another capability. */
TEST_F(pci_device, advanced_features_have_a_function_level_reset)
{
        for (const uint32_t has : {3U, 2U, 1U}) {
                SetUp();
                function &f = disk();
                unsigned resets = 0;

                f.value[0x50 / 4] = 0x00060013 | has << 24;
                f.value[0x54 / 4] = 0x100; /* a request is pending */
                f.written = [&](unsigned offset, uint32_t value) {
                        if (offset != 0x54 || !(value & 1))
                                return;
                        resets++;
                        EXPECT_EQ(f.value[1] & 7, 0U) << "the function is off";
                        EXPECT_GE(slept_ms, 100U) << "its requests had time to end";
                        f.value[4] = 4;
                };
                device *const d = claimed();

                EXPECT_EQ(reset_function(nullptr, d), has == 3);
                EXPECT_EQ(resets, has == 3 ? 1U : 0U);
                EXPECT_EQ(f.value[4], 0xfe000004U);
        }
}

/* Adds a bridge to a bus, and puts the disk there. The bridge's control register counts resets. */
struct pci_bus : pci_device {
        static constexpr uint16_t BRIDGE = 1 << 3, ON_BUS_1 = 1 << 8;
        unsigned begun = 0, ended = 0;

        void move_behind_a_bridge()
        {
                nova_pci_function bridge = {};

                bridge.address = BRIDGE;
                bridge.header = NOVA_PCI_HEADER_BRIDGE;
                bridge.secondary_bus = bridge.last_bus = 1;
                table.push_back(bridge);
                machine[ON_BUS_1] = disk();
                machine.erase(DISK);
                table[0].address = ON_BUS_1;

                function &f = machine[BRIDGE];
                f.value[0x3c / 4] = 0x00120100;
                f.writable[0x3c / 4] = 0xffff0000;
                f.written = [this](unsigned offset, uint32_t value) {
                        if (offset != 0x3c)
                                return;
                        if (value & 0x400000) {
                                begun++;
                                EXPECT_EQ(machine[ON_BUS_1].value[1] & 7, 0U) << "it is off";
                                machine[ON_BUS_1].value[4] = 4;
                        } else {
                                ended++;
                                EXPECT_GE(slept_ms, 1U);
                        }
                };
        }

        void put_beside_it(unsigned function)
        {
                nova_pci_function other = table[0];

                other.address = (uint16_t)(ON_BUS_1 | function);
                machine[other.address] = machine[ON_BUS_1];
                table.push_back(other);
        }
};

TEST_F(pci_bus, a_function_that_is_alone_on_its_bus_is_reset_with_the_bus)
{
        move_behind_a_bridge();
        /* The disk could be reset by its power state. */
        machine[ON_BUS_1].value[0x50 / 4] = 0x00000001;
        device *const d = claimed();

        EXPECT_TRUE(reset_function(nullptr, d));
        EXPECT_EQ(begun, 1U);
        EXPECT_EQ(ended, 1U);
        EXPECT_GE(slept_ms, 101U);
        EXPECT_EQ(machine[BRIDGE].value[0x3c / 4], 0x00120100U);
        EXPECT_EQ(machine[ON_BUS_1].value[4], 0xfe000004U) << "its address is restored";
}

TEST_F(pci_bus, a_bus_with_another_function_is_not_reset)
{
        for (const unsigned function : {1U, 8U}) {
                SetUp();
                move_behind_a_bridge();
                put_beside_it(function);
                device *const d = claimed();

                EXPECT_FALSE(reset_function(nullptr, d));
                EXPECT_EQ(begun, 0U);
        }
}

TEST_F(pci_bus, a_bus_whose_functions_are_not_all_known_is_not_reset)
{
        for (const unsigned known : {1U, 2U}) {
                SetUp();
                begun = ended = 0;
                move_behind_a_bridge();
                known_buses = known;
                EXPECT_EQ(reset_function(nullptr, claimed()), known == 2);
                EXPECT_EQ(begun, known == 2 ? 1U : 0U);
        }
}

TEST_F(pci_bus, the_bus_of_a_bridge_further_above_is_not_reset)
{
        move_behind_a_bridge();
        table[1].secondary_bus = 2; /* the bridge to bus 1 is missing */
        table[1].last_bus = 3;
        table[0].address = 3 << 8;
        machine[3 << 8] = machine[ON_BUS_1];
        EXPECT_FALSE(reset_function(nullptr, claimed()));
        EXPECT_EQ(begun, 0U);
}

/* Puts the disk between two functions with memory, and without an address of its own. */
struct pci_gap : pci_device {
        void SetUp() override
        {
                pci_device::SetUp();
                nova_pci_function low = {}, high = {};

                low.address = 1 << 3;
                low.bar[0] = {0xfd000000, 0x1000, 0, 0};
                high.address = 5 << 3;
                high.bar[0] = {0xfd010000, 0x2000, 0, 0};
                table[0].bar[0].base = 0;
                disk().value[4] = 4;
                table.push_back(low);
                table.push_back(high);
        }
};

TEST_F(pci_gap, an_empty_register_gets_an_address_that_the_parent_does_not_refuse)
{
        forbidden.insert({0xfd00c000, 0x4000});
        device *const d = claimed();

        EXPECT_EQ(d->function.bar[0].base, 0xfd008000U);
        EXPECT_EQ(table[0].bar[0].base, 0xfd008000U);
        EXPECT_EQ(disk().value[4], 0xfd008004U);
        EXPECT_EQ(disk().value[1] & COMMAND_MEMORY, COMMAND_MEMORY);
        EXPECT_EQ(memory_map(d, 0), 0);
}

TEST_F(pci_gap, no_address_is_given_if_some_functions_are_not_known)
{
        device *d;

        describe("disk", "driver");
        find();
        known_buses = 255;
        testing::internal::CaptureStdout();
        EXPECT_EQ(claim("disk", "driver", &d), ENXIO);
        EXPECT_NE(testing::internal::GetCapturedStdout().find("the ignored functions"),
                  std::string::npos);
        EXPECT_EQ(disk().value[4], 4U) << "the register is empty";
}

TEST_F(pci_gap, a_function_does_not_respond_to_addresses_that_the_parent_refuses)
{
        for (const uint64_t base : {0xfd00c000U, 0xfd008000U, 0xfd004000U})
                forbidden.insert({base, 0x4000});
        device *d;

        describe("disk", "driver");
        find();
        for (unsigned i = 0; i < 2; i++) {
                EXPECT_EQ(claim("disk", "driver", &d), ENXIO);
                EXPECT_EQ(disk().value[4], 4U) << "the register is empty";
                EXPECT_EQ(disk().value[1] & COMMAND_DECODES, 0U);
                EXPECT_EQ(devices[0].function.bar[0].base, 0U);
        }
}

TEST_F(pci_gap, no_address_is_free_if_the_parent_does_not_say_so)
{
        device *d;

        describe("disk", "driver");
        find();
        for (const int error : {ENOSYS, EINVAL, EIO, ENOMEM}) {
                obstacle_error = error;
                EXPECT_EQ(claim("disk", "driver", &d), ENXIO);
                EXPECT_EQ(disk().value[4], 4U) << "the register is empty";
        }
}

/* The obstacle may be small: the address directly below it is free. */
TEST_F(pci_gap, no_free_address_below_a_refused_one_is_skipped)
{
        forbidden.insert({0xfd00f000, 0x1000});
        forbidden.insert({0xfd008000, 0x1000});
        device *const d = claimed();

        EXPECT_EQ(d->function.bar[0].base, 0xfd004000U);
}

TEST_F(pci_gap, a_large_bar_avoids_memory_that_the_parent_refuses)
{
        disk().writable[4] = 0xfe000000;
        table[0].bar[0].size = 0x2000000;
        table[2].bar[0].base = 0xfe000000;
        table[1].bar[0].base = 0xf0000000;
        forbidden.insert({0xfa123000, 0x1000});
        device *const d = claimed();

        EXPECT_EQ(d->function.bar[0].base, 0xfc000000U);
        SetUp();
        disk().writable[4] = 0xfe000000;
        table[0].bar[0].size = 0x2000000;
        table[2].bar[0].base = 0xfe000000;
        table[1].bar[0].base = 0xf0000000;
        forbidden.insert({0xfd123000, 0x1000});
        EXPECT_EQ(claimed()->function.bar[0].base, 0xfa000000U);
}

TEST_F(pci_device, the_dma_of_a_function_goes_to_a_pd_of_the_driver)
{
        has_iommu = true;
        device *const d = claimed(0);

        device_command(d, COMMAND_MASTER, 0);
        EXPECT_EQ(claim_assign(d, 55), 0);
        EXPECT_EQ(assigned_to, 55U);
        EXPECT_EQ(disk().value[1] & COMMAND_MASTER, 0U) << "no DMA of the former driver goes there";
        EXPECT_TRUE(device_may_master(d));
        EXPECT_EQ(interrupt_take(d, 1, 0), 0) << "messages are routed afterwards";
        nova_program.pd = 3;
        claim_end(nullptr, d);
        EXPECT_EQ(assigned_to, 3U);
}

TEST_F(pci_device, a_function_with_interrupts_or_in_a_reset_is_not_assigned)
{
        has_iommu = true;
        device *const d = claimed(0);

        d->resetting = true;
        EXPECT_EQ(claim_assign(d, 55), EBUSY);
        d->resetting = false;
        ASSERT_EQ(interrupt_take(d, 1, 0), 0);
        EXPECT_EQ(claim_assign(d, 55), EBUSY);
        EXPECT_EQ(assigned_to, 77U);
}

TEST_F(pci_device, without_an_io_mmu_a_function_is_not_assigned)
{
        device *const d = claimed();

        assigned_to = 0;
        EXPECT_EQ(claim_assign(d, 55), ENOTSUP);
        EXPECT_EQ(assigned_to, 0U);
}

TEST_F(pci_device, a_pd_that_has_ended_gets_no_function)
{
        has_iommu = true;
        device *const d = claimed(0);

        assign_status = NOVA_BAD_CAP;
        EXPECT_EQ(claim_assign(d, 55), EINVAL);
        assign_status = NOVA_OUT_OF_MEMORY;
        EXPECT_EQ(claim_assign(d, 55), ENOMEM);
        assign_status = NOVA_SUCCESS;
}

} // namespace
