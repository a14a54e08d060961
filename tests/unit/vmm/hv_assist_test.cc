/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of the local APIC as MSRs of enlightened guests, and ends of interrupts in the assist
 * page. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "devices.h"

namespace
{

constexpr uint64_t ram_bytes = 0x20000, frame_bytes = 0x1000, enable = 1, page_at = 0x3000;
constexpr uint32_t end_msr = 0x40000070, command = 0x40000071, priority = 0x40000072,
                   assist = 0x40000073;

/* The last message that a local APIC sent, and the vectors whose ends were reported. */
nova_apic_message sent;
std::vector<unsigned> ended;

struct hv_assist : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes);
        std::vector<uint8_t> frames = std::vector<uint8_t>(32 * frame_bytes);
        nova_guest_memory memory = {};
        nova_hv hv;
        nova_lapic lapic;
        fake_clock clock;
        unsigned kicks = 0;

        void SetUp() override
        {
                const nova_clock time = clock.clock();
                const nova_line out = {
                        [](void *context, unsigned, bool) { ++*static_cast<unsigned *>(context); },
                        &kicks, 0};
                memory.base = ram.data();
                memory.bytes = ram.size();
                memory.frames = frames.data();
                ASSERT_EQ(nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGES_ALL), 0);
                nova_lapic_init(&lapic, 0, &time, &out);
                lapic.send = [](void *, unsigned, const nova_apic_message *message, unsigned) {
                        sent = *message;
                };
                lapic.ended = [](void *, uint8_t vector) { ended.push_back(vector); };
                nova_lapic_write(&lapic, 0xf0, 4, 0x1ff);
                hv.vp[0].lapic = &lapic;
                ended.clear();
        }

        bool set(uint32_t number, uint64_t value)
        {
                return nova_hv_msr_set(&hv, 0, number, value);
        }

        uint64_t get(uint32_t number)
        {
                uint64_t value = 0;
                EXPECT_TRUE(nova_hv_msr_get(&hv, 0, number, &value));
                return value;
        }

        /* Makes an exit of the guest for another reason. @return the injected vector, or -1 */
        int pass()
        {
                nova_hv_assist_begin(&hv, 0);
                const int vector = nova_lapic_take(&lapic);
                nova_hv_assist_end(&hv, 0);
                return vector;
        }

        uint8_t &word()
        {
                return frames[2 * frame_bytes];
        }

        /* Ends an interrupt as the guest does. @return true if this needed an exit */
        bool end()
        {
                const bool quiet = word() & 1;
                word() = uint8_t(word() & ~1);
                if (quiet)
                        return false;
                nova_hv_assist_begin(&hv, 0);
                EXPECT_TRUE(set(end_msr, 0));
                return true;
        }

        unsigned in_service()
        {
                unsigned count = 0;
                for (const uint32_t set : lapic.service)
                        count += unsigned(__builtin_popcount(set));
                return count;
        }
};

TEST_F(hv_assist, registers_are_those_of_the_local_apic_in_memory)
{
        EXPECT_TRUE(set(priority, 0x35));
        EXPECT_EQ(nova_lapic_read(&lapic, 0x80, 4), 0x35u);
        nova_lapic_write(&lapic, 0x80, 4, 0x20);
        EXPECT_EQ(get(priority), 0x20u);
        EXPECT_TRUE(set(command, uint64_t{0x5} << 56 | 0x41));
        EXPECT_EQ(sent.destination, 5);
        EXPECT_EQ(sent.vector, 0x41);
        EXPECT_EQ(get(command), uint64_t{0x5} << 56 | 0x41);
        nova_lapic_accept(&lapic, 0x41, false);
        EXPECT_EQ(nova_lapic_take(&lapic), 0x41);
        EXPECT_TRUE(set(end_msr, 0));
        EXPECT_EQ(in_service(), 0u);
        EXPECT_EQ(hv.vp[0].ends, 1u);
}

TEST_F(hv_assist, reserved_bits_and_a_read_of_the_end_register_are_refused)
{
        uint64_t value;

        EXPECT_FALSE(nova_hv_msr_get(&hv, 0, end_msr, &value));
        EXPECT_FALSE(set(end_msr, uint64_t{1} << 32));
        EXPECT_FALSE(set(priority, 0x100));
        EXPECT_EQ(get(priority), 0u);
        EXPECT_FALSE(set(assist, ram_bytes | enable));
        EXPECT_TRUE(set(assist, ram_bytes));
        EXPECT_EQ(get(assist), ram_bytes);
}

TEST_F(hv_assist, an_interrupt_alone_ends_in_the_page_without_an_exit)
{
        ASSERT_TRUE(set(assist, page_at | enable));
        EXPECT_EQ(pass(), -1);
        EXPECT_EQ(word(), 0);
        nova_lapic_accept(&lapic, 0x41, false);
        EXPECT_EQ(pass(), 0x41);
        EXPECT_EQ(word(), 1);
        EXPECT_FALSE(end());
        EXPECT_EQ(in_service(), 1u);
        EXPECT_EQ(pass(), -1);
        EXPECT_EQ(in_service(), 0u);
        EXPECT_EQ(hv.vp[0].quiet_ends, 1u);
        EXPECT_EQ(hv.vp[0].ends, 0u);
}

TEST_F(hv_assist, without_the_page_nothing_changes)
{
        nova_lapic_accept(&lapic, 0x41, false);
        EXPECT_EQ(pass(), 0x41);
        EXPECT_EQ(word(), 0);
        EXPECT_TRUE(end());
        EXPECT_EQ(in_service(), 0u);
}

TEST_F(hv_assist, an_interrupt_that_becomes_pending_makes_the_guest_exit_and_ends_the_offer)
{
        ASSERT_TRUE(set(assist, page_at | enable));
        for (const bool ended_already : {false, true}) {
                nova_lapic_accept(&lapic, 0x41, false);
                EXPECT_EQ(pass(), 0x41);
                if (ended_already) {
                        EXPECT_FALSE(end());
                }
                kicks = 0;
                nova_lapic_accept(&lapic, 0x31, false); /* an interrupt of a lower priority */
                EXPECT_EQ(kicks, 1u);
                EXPECT_EQ(pass(), ended_already ? 0x31 : -1);
                EXPECT_EQ(word(), ended_already);
                if (!ended_already) {
                        EXPECT_TRUE(end());
                        EXPECT_EQ(pass(), 0x31);
                }
                EXPECT_FALSE(end());
                pass();
                EXPECT_EQ(in_service(), 0u);
        }
}

TEST_F(hv_assist, the_end_of_a_level_triggered_interrupt_is_always_reported)
{
        ASSERT_TRUE(set(assist, page_at | enable));
        nova_lapic_accept(&lapic, 0x41, true);
        EXPECT_EQ(pass(), 0x41);
        EXPECT_EQ(word(), 0);
        EXPECT_TRUE(end());
        EXPECT_EQ(ended, std::vector<unsigned>{0x41});
}

TEST_F(hv_assist, a_disabled_page_and_a_reset_of_the_local_apic_take_the_offer_back)
{
        ASSERT_TRUE(set(assist, page_at | enable));
        nova_lapic_accept(&lapic, 0x41, false);
        EXPECT_EQ(pass(), 0x41);
        nova_lapic_reset(&lapic);
        EXPECT_EQ(pass(), -1);
        EXPECT_EQ(word(), 0);
        nova_lapic_write(&lapic, 0xf0, 4, 0x1ff);
        nova_lapic_accept(&lapic, 0x41, false);
        EXPECT_EQ(pass(), 0x41);
        EXPECT_TRUE(set(assist, page_at));
        EXPECT_EQ(pass(), -1);
        EXPECT_FALSE(lapic.quiet_end);
        EXPECT_EQ(in_service(), 1u);
}

/* Runs a guest that takes interrupts and ends them, in a random order. @return the vectors that it
 * took. A run without the page is the model. */
std::vector<int> run(hv_assist &test, bool page, unsigned seed)
{
        std::mt19937 random(seed);
        std::vector<int> taken;
        unsigned nesting = 0;
        const auto exit = [&] {
                const int vector = test.pass();
                if (vector >= 0) {
                        taken.push_back(vector);
                        nesting++;
                }
        };

        EXPECT_TRUE(test.set(assist, page ? page_at | enable : 0));
        for (unsigned step = 0; step < 400; step++) {
                test.kicks = 0;
                if (random() % 2) {
                        nova_lapic_accept(&test.lapic, uint8_t(0x30 + 16 * (random() % 4)), false);
                        if (test.kicks)
                                exit();
                } else if (nesting) {
                        nesting--;
                        if (test.end())
                                exit();
                }
        }
        while (nesting) {
                nesting--;
                if (test.end())
                        exit();
        }
        test.pass();
        EXPECT_EQ(test.in_service(), 0u);
        return taken;
}

TEST_F(hv_assist, an_honest_guest_takes_the_same_interrupts_with_and_without_the_page)
{
        unsigned count = 0;

        for (unsigned seed = 0; seed < 500; seed++) {
                const auto with = run(*this, true, seed), without = run(*this, false, seed);
                ASSERT_EQ(with, without) << seed;
                count += unsigned(with.size());
        }
        EXPECT_GT(count, 10000u);
        EXPECT_GT(hv.vp[0].quiet_ends, 5000u);
}

TEST_F(hv_assist, a_guest_that_writes_the_page_at_random_harms_only_its_own_interrupts)
{
        std::mt19937 random(5);

        ASSERT_TRUE(set(assist, page_at | enable));
        for (unsigned i = 0; i < 20000; i++) {
                word() = uint8_t(random());
                if (random() % 2)
                        nova_lapic_accept(&lapic, uint8_t(16 + random() % 240), random() % 2);
                if (random() % 4 == 0)
                        end();
                pass();
                ASSERT_EQ(word() & 1, lapic.quiet_end);
        }
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
