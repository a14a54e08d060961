// SPDX-License-Identifier: BSD-2-Clause
// The devices that may raise an interrupt when the I/O MMU remaps interrupts.
#include <gtest/gtest.h>

#include "machine.h"

#define _Static_assert static_assert
extern "C" {
#include "arch/x86/vectors.h"
#include "device/iommu_driver.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "sched/cpu.h"

const struct iommu_driver *iommu_driver;
uint32_t tsc_khz = 1000000;
}

namespace
{

constexpr uint64_t BASE = 0xb0000000;

struct {
        unsigned count, gsi, rid, vector, apic_id;
        bool level;
} routed;

nova_status route_status = NOVA_SUCCESS;

nova_status route(unsigned gsi, unsigned rid, unsigned vector, unsigned apic_id, bool level)
{
        routed = {routed.count + 1, gsi, rid, vector, apic_id, level};
        return route_status;
}

struct Senders : Machine {
        struct iommu_driver driver = {};

        Senders()
        {
                acpi = {};
                acpi.window[0] = {BASE, 0, 255};
                acpi.windows = 1;
                acpi.io_apics = 1;
                acpi.io_apic[0].id = 5;
                driver.route = route;
                ::iommu_driver = &driver;
                routed = {};
        }

        ~Senders()
        {
                remap_is_on = false;
                acpi = {};
        }

        static void add(bool is_hpet, unsigned id, unsigned bus, std::vector<uint8_t> path)
        {
                acpi_source &source = acpi.source[acpi.sources++];
                source = {};
                source.is_hpet = is_hpet;
                source.id = uint8_t(id);
                source.bus = uint8_t(bus);
                source.depth = uint8_t(path.size());
                for (size_t i = 0; i < path.size(); i++)
                        source.function[i] = path[i];
        }

        void add_bridge(uint64_t rid, unsigned bus)
        {
                Bytes bytes(0x18);
                put(bytes, bus << 8, 4);
                memory[BASE + (rid << 12)] = bytes;
        }
};

} // namespace

TEST(remap, knows_the_requester_ids_of_io_apics_and_hpets)
{
        Senders senders;
        senders.add(true, 5, 0, {0x11});
        remap_init();
        EXPECT_FALSE(remap_knows_io_apics());
        EXPECT_EQ(remap_source(false, 5), unsigned{REMAP_ANYBODY});
        senders.add(false, 5, 0xf0, {0xff});
        remap_init();
        EXPECT_TRUE(remap_knows_io_apics());
        EXPECT_EQ(remap_source(false, 5), 0xf0ffu);
        EXPECT_EQ(remap_source(true, 5), 0x11u);
}

TEST(remap, follows_the_path_over_bridges)
{
        Senders senders;
        senders.add(false, 5, 1, {0x18, 0x20, 0x09});
        senders.add_bridge(0x118, 7);
        senders.add_bridge(0x720, 9);
        remap_init();
        EXPECT_EQ(remap_source(false, 5), 0x909u);
}

TEST(remap, routes_only_when_it_is_on)
{
        Senders senders;
        cpu target = {};
        target.arch.apic_id = 3;
        EXPECT_EQ(remap_route(7, 0x18, &target, true), NOVA_SUCCESS);
        EXPECT_EQ(routed.count, 0u);
        remap_is_on = true;
        EXPECT_EQ(remap_route(7, 0x18, &target, true), NOVA_SUCCESS);
        EXPECT_EQ(routed.count, 1u);
        EXPECT_EQ(routed.rid, 0x18u);
        EXPECT_EQ(routed.vector, VECTOR_GSI + 7u);
        EXPECT_EQ(routed.apic_id, 3u);
        EXPECT_TRUE(routed.level);
}

TEST(remap, reports_that_a_route_has_failed)
{
        Senders senders;
        cpu target = {};
        remap_is_on = true;
        for (const nova_status status : {NOVA_OUT_OF_MEMORY, NOVA_BAD_DEV, NOVA_SUCCESS}) {
                route_status = status;
                EXPECT_EQ(remap_route(100, REMAP_FUNCTION | 0x18, &target, false), status);
                EXPECT_EQ(routed.rid, 0x18u);
        }
}
