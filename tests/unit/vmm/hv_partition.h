/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition with two virtual processors, each with a local APIC and timers. A tick is one ns. */
#ifndef NOVA_TESTS_UNIT_VMM_HV_PARTITION_H
#define NOVA_TESTS_UNIT_VMM_HV_PARTITION_H

#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <vector>

#include "devices.h"

constexpr uint64_t frame_bytes = 0x1000;
constexpr unsigned vcpus = 2;

struct hv_partition : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(0x20000);
        std::vector<uint8_t> frames = std::vector<uint8_t>(32 * frame_bytes);
        nova_guest_memory memory = {};
        nova_hv hv;
        nova_lapic lapic[vcpus];
        fake_clock clock;

        void SetUp() override
        {
                const nova_clock time = clock.clock();
                memory.base = ram.data();
                memory.bytes = ram.size();
                memory.frames = frames.data();
                ASSERT_EQ(nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGES_ALL), 0);
                clock.ns = 1000000;
                hv.vcpus = vcpus;
                hv.clock = hv.tsc = time;
                nova_hv_time_begin(&hv, 1000000000);
                nova_hv_timers_begin(&hv);
                for (unsigned i = 0; i < vcpus; i++) {
                        const nova_line out = {};
                        nova_lapic_init(&lapic[i], uint8_t(i), &time, &out);
                        nova_lapic_write(&lapic[i], 0xf0, 4, 0x1ff);
                        hv.vp[i].lapic = &lapic[i];
                }
        }

        bool set(uint32_t number, uint64_t value, unsigned vcpu = 0)
        {
                return nova_hv_msr_set(&hv, vcpu, number, value);
        }

        uint64_t get(uint32_t number, unsigned vcpu = 0)
        {
                uint64_t value = 0;
                EXPECT_TRUE(nova_hv_msr_get(&hv, vcpu, number, &value)) << std::hex << number;
                return value;
        }
};

#endif
