/* SPDX-License-Identifier: BSD-2-Clause */
/* Reference time of enlightened guests: its page and its counter, which must agree. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "nova/abi/crd.h"

namespace
{

constexpr uint64_t ram_bytes = 0x20000, frame_bytes = 0x1000, enable = 1;
constexpr uint32_t counter = 0x40000020, reference_page = 0x40000021;

using wide = unsigned __int128;

struct hv_time : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes, 0x11);
        std::vector<uint8_t> frames = std::vector<uint8_t>(2 * frame_bytes, 0x22);
        nova_guest_memory memory = {};
        nova_hv hv;
        uint64_t tsc = 0;

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                memory.frames = frames.data();
        }

        void begin(uint64_t hz, uint64_t at)
        {
                ASSERT_EQ(nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGES_ALL), 0);
                tsc = at;
                hv.tsc = {[](void *context) { return *static_cast<uint64_t *>(context); }, &tsc};
                nova_hv_time_begin(&hv, hz);
        }

        uint64_t get(uint32_t number)
        {
                uint64_t value = 0;
                EXPECT_TRUE(nova_hv_msr_get(&hv, 3, number, &value));
                return value;
        }

        uint32_t sequence()
        {
                uint32_t value = 0;
                EXPECT_TRUE(nova_guest_read(&memory, 0x3000, &value, sizeof(value)));
                return value;
        }

        /* Returns reference time as a guest computes it from its page, which is at 0x3000. */
        uint64_t by_page()
        {
                uint64_t scale = 0, offset = 0;
                EXPECT_TRUE(nova_guest_read(&memory, 0x3008, &scale, sizeof(scale)));
                EXPECT_TRUE(nova_guest_read(&memory, 0x3010, &offset, sizeof(offset)));
                return uint64_t(wide{tsc} * scale >> 64) + offset;
        }
};

TEST_F(hv_time, page_and_counter_tell_the_same_time_at_each_tick)
{
        std::mt19937_64 random(21);

        for (const uint64_t hz : {uint64_t{10000001}, uint64_t{1000000000}, uint64_t{2445216000},
                                  uint64_t{4294967295000}}) {
                begin(hz, random() >> 20);
                ASSERT_TRUE(nova_hv_msr_set(&hv, 0, reference_page, 0x3000 | enable));
                ASSERT_EQ(sequence(), 1u);
                for (unsigned i = 0; i < 2000; i++) {
                        ASSERT_EQ(by_page(), get(counter));
                        tsc += i < 1000 ? i : random() >> 30;
                }
        }
}

TEST_F(hv_time, it_begins_at_0_and_is_right_to_100_ns_after_years)
{
        for (const uint64_t hz : {uint64_t{10000001}, uint64_t{1000000000}, uint64_t{2445216000},
                                  uint64_t{5000000000}}) {
                const uint64_t at = hz * 1000 + 7;
                begin(hz, at);
                EXPECT_EQ(get(counter), 0u);
                for (const uint64_t ticks :
                     {uint64_t{1}, hz / 3, hz, hz * 3600, hz * 86400 * 3650}) {
                        tsc = at + ticks;
                        const auto exact = uint64_t(wide{ticks} * 10000000 / hz);
                        EXPECT_LE(get(counter), exact + 1);
                        EXPECT_GE(get(counter) + 1, exact);
                }
        }
}

TEST_F(hv_time, it_never_goes_back)
{
        begin(2445216000, 12345);
        uint64_t last = get(counter);
        for (unsigned i = 0; i < 10000; i++, tsc++) {
                ASSERT_GE(get(counter), last);
                last = get(counter);
        }
        EXPECT_GT(last, 0u);
}

TEST_F(hv_time, a_page_that_is_not_valid_has_sequence_0_and_the_counter_continues)
{
        begin(1000000000, 0);
        ASSERT_TRUE(nova_hv_msr_set(&hv, 0, reference_page, 0x3000 | enable));
        nova_hv_time_break(&hv);
        EXPECT_EQ(sequence(), 0u);
        tsc = 500;
        EXPECT_EQ(get(counter), 5u);
}

TEST_F(hv_time, the_page_covers_ram_for_reads_and_moves_as_the_hypercall_page_does)
{
        begin(1000000000, 0);
        EXPECT_EQ(get(reference_page), 0u);
        EXPECT_TRUE(nova_hv_msr_set(&hv, 0, reference_page, 0x3ffe | enable));
        EXPECT_EQ(get(reference_page), 0x3000 | enable);
        EXPECT_EQ(memory.overlay[0].rights, unsigned{NOVA_MEM_R});
        for (const uint64_t at : {ram_bytes, ~uint64_t{0xfff}})
                EXPECT_FALSE(nova_hv_msr_set(&hv, 0, reference_page, at | enable));
        EXPECT_EQ(sequence(), 1u);
        EXPECT_TRUE(nova_hv_msr_set(&hv, 0, reference_page, 0x5000 | enable));
        EXPECT_EQ(sequence(), 0x11111111u);
        EXPECT_TRUE(nova_hv_msr_set(&hv, 0, reference_page, 0x5000));
        EXPECT_EQ(memory.overlays, 0u);
        EXPECT_EQ(ram, std::vector<uint8_t>(ram_bytes, 0x11));
}

TEST_F(hv_time, the_rest_of_the_page_is_0)
{
        begin(1000000000, 0);
        EXPECT_EQ(std::vector<uint8_t>(frames.begin() + frame_bytes + 24, frames.end()),
                  std::vector<uint8_t>(frame_bytes - 24));
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
