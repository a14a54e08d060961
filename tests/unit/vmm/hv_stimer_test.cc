/* SPDX-License-Identifier: BSD-2-Clause */
/* Synthetic timers of enlightened guests: one-shot, periodic, auto-enable, and hostile values. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <random>

#include "hv_partition.h"

namespace
{

constexpr uint32_t config0 = 0x400000b0, count0 = 0x400000b1, config3 = 0x400000b6,
                   count3 = 0x400000b7, counter = 0x40000020;
constexpr uint64_t enable = 1, periodic = 2, lazy = 4, auto_enable = 8, direct = 0x1000;

constexpr uint64_t vector(uint64_t number)
{
        return number << 4;
}

struct hv_stimer : hv_partition {
        void SetUp() override
        {
                hv_partition::SetUp();
                hv.direct_timers = true;
        }

        /* Lets time pass up to @p units of reference time, and calls the alarm as a machine does.
         * @return the number of calls */
        unsigned pass_to(uint64_t units)
        {
                const uint64_t end = 1000000 + units * 100;
                unsigned calls = 0;

                while (hv.alarm.deadline <= end) {
                        clock.ns = std::max(clock.ns, hv.alarm.deadline);
                        hv.alarm.deadline = NOVA_NEVER;
                        hv.alarm.expire(hv.alarm.device, clock.ns);
                        if (++calls > 100000) {
                                ADD_FAILURE() << "a storm";
                                break;
                        }
                }
                clock.ns = end;
                return calls;
        }

        int take(unsigned vcpu = 0)
        {
                const int taken = nova_lapic_take(&lapic[vcpu]);
                nova_lapic_end(&lapic[vcpu]);
                return taken;
        }
};

TEST_F(hv_stimer, a_one_shot_timer_expires_once_and_not_before_its_time)
{
        EXPECT_TRUE(set(count0, 500));
        EXPECT_TRUE(set(config0, enable | direct | vector(0x51)));
        pass_to(499);
        EXPECT_EQ(take(), -1);
        EXPECT_EQ(get(config0), enable | direct | vector(0x51));
        pass_to(501);
        EXPECT_EQ(take(), 0x51);
        EXPECT_EQ(get(config0), direct | vector(0x51));
        EXPECT_EQ(pass_to(100000), 0u);
        EXPECT_EQ(take(), -1);
        EXPECT_EQ(hv.vp[0].timer_interrupts, 1u);
}

/* Rounding must not make the alarm earlier: an earlier alarm would wake the machine's timer thread,
 * which then pauses. */
TEST_F(hv_stimer, writes_of_later_timers_do_not_move_the_alarm)
{
        EXPECT_TRUE(set(config0, enable | direct | vector(0x51)));
        EXPECT_TRUE(set(count0, 5000));

        const uint64_t deadline = hv.alarm.deadline;

        for (uint64_t i = 1; i < 1000; i++) {
                clock.ns = 1000000 + 37 * i;
                EXPECT_TRUE(set(count3, UINT64_MAX - i));
                EXPECT_EQ(hv.alarm.deadline, deadline) << i;
        }
        EXPECT_TRUE(set(count0, 4998));
        EXPECT_LT(hv.alarm.deadline, deadline);
        EXPECT_TRUE(set(count0, 5002));
        EXPECT_GT(hv.alarm.deadline, deadline);
        pass_to(5004);
        EXPECT_EQ(take(), 0x51);
}

TEST_F(hv_stimer, a_time_that_has_passed_sets_an_alarm_in_the_clocks_first_nanoseconds)
{
        pass_to(1000);
        clock.ns = 50;
        EXPECT_TRUE(set(config0, enable | direct | vector(0x51)));
        EXPECT_TRUE(set(count0, 1));
        EXPECT_LT(hv.alarm.deadline, uint64_t{100000});
}

TEST_F(hv_stimer, a_time_that_has_passed_expires_at_once)
{
        pass_to(1000);
        EXPECT_TRUE(set(config0, enable | direct | vector(0x51)));
        EXPECT_EQ(hv.alarm.deadline, uint64_t{NOVA_NEVER});
        EXPECT_TRUE(set(count0, 10));
        pass_to(1000);
        EXPECT_EQ(take(), 0x51);
}

TEST_F(hv_stimer, auto_enable_starts_a_timer_with_each_count)
{
        EXPECT_TRUE(set(config0, auto_enable | direct | vector(0x51)));
        for (const uint64_t at : {100, 200, 300}) {
                EXPECT_TRUE(set(count0, at));
                EXPECT_EQ(get(config0) & enable, enable);
                pass_to(at + 1);
                EXPECT_EQ(take(), 0x51);
                EXPECT_EQ(get(config0) & enable, 0u);
        }
}

TEST_F(hv_stimer, a_count_of_0_and_a_cleared_enable_bit_stop_a_timer)
{
        EXPECT_TRUE(set(config0, auto_enable | direct | vector(0x51)));
        EXPECT_TRUE(set(count0, 100));
        EXPECT_TRUE(set(count0, 0));
        EXPECT_EQ(get(config0) & enable, 0u);
        EXPECT_TRUE(set(count0, 100));
        EXPECT_TRUE(set(config0, direct | vector(0x51)));
        EXPECT_EQ(hv.alarm.deadline, uint64_t{NOVA_NEVER});
        pass_to(1000);
        EXPECT_EQ(take(), -1);
}

TEST_F(hv_stimer, a_periodic_timer_expires_once_in_each_period)
{
        EXPECT_TRUE(set(count3, 100, 1));
        EXPECT_TRUE(set(config3, enable | periodic | direct | vector(0x61), 1));
        for (unsigned period = 1; period < 20; period++) {
                pass_to(period * 100 - 1);
                EXPECT_EQ(take(1), -1);
                pass_to(period * 100 + 1);
                EXPECT_EQ(take(1), 0x61);
        }
        EXPECT_EQ(take(0), -1);
}

TEST_F(hv_stimer, a_periodic_timer_that_is_late_expires_once_and_keeps_its_phase)
{
        EXPECT_TRUE(set(count0, 100));
        EXPECT_TRUE(set(config0, enable | periodic | lazy | direct | vector(0x61)));
        clock.ns = 1000000 + 100 * 1050;
        hv.alarm.expire(hv.alarm.device, clock.ns);
        EXPECT_EQ(hv.vp[0].timer_interrupts, 1u);
        EXPECT_EQ(take(), 0x61);
        EXPECT_EQ(hv.vp[0].timer[0].due, 1100u);
}

TEST_F(hv_stimer, timers_that_can_tell_nothing_stay_disabled_and_reserved_bits_are_refused)
{
        hv.privileges &= ~NOVA_HV_PRIVILEGE_SYNIC;
        EXPECT_TRUE(set(count0, 100));
        EXPECT_TRUE(set(config0, enable | auto_enable | 0x20000));
        EXPECT_EQ(get(config0), auto_enable | 0x20000);
        EXPECT_TRUE(set(count0, 200));
        EXPECT_EQ(get(config0), auto_enable | 0x20000);
        EXPECT_EQ(hv.alarm.deadline, uint64_t{NOVA_NEVER});
        for (unsigned bit = 0; bit < 64; bit++)
                if ((bit >= 13 && bit < 16) || bit >= 20) {
                        EXPECT_FALSE(set(config0, uint64_t{1} << bit)) << bit;
                }
        EXPECT_EQ(get(config0), auto_enable | 0x20000);
}

TEST_F(hv_stimer, direct_mode_that_is_not_announced_is_refused)
{
        hv.direct_timers = false;
        EXPECT_FALSE(set(config0, direct | vector(0x51)));
        EXPECT_TRUE(set(config0, vector(0x51)));
        EXPECT_EQ(get(config0), vector(0x51));
}

TEST_F(hv_stimer, extreme_counts_neither_overflow_nor_cause_a_storm)
{
        for (const uint64_t count : {uint64_t{1}, uint64_t{2}, uint64_t{1} << 50, uint64_t{1} << 63,
                                     ~uint64_t{0} - 1, ~uint64_t{0}})
                for (const uint64_t mode : {uint64_t{0}, periodic}) {
                        const uint64_t now = get(counter);
                        EXPECT_TRUE(set(config0, enable | mode | direct | vector(0x51)));
                        EXPECT_TRUE(set(count0, count));
                        EXPECT_TRUE(set(config0, enable | mode | direct | vector(0x51)));
                        EXPECT_LE(pass_to(now + 1000), 1001u);
                        EXPECT_EQ(take(), count < 3 ? 0x51 : -1) << count;
                        EXPECT_TRUE(set(count0, 0));
                }
}

TEST_F(hv_stimer, random_timers_expire_as_in_a_model)
{
        std::mt19937_64 random(30);
        uint64_t now = 0, expected = 0;
        struct {
                uint64_t due = 0, period = 0;
        } model[NOVA_HV_TIMERS];

        for (unsigned step = 0; step < 20000; step++) {
                const unsigned n = random() % NOVA_HV_TIMERS;
                const uint64_t count = 2 + random() % 50;
                const uint64_t mode = random() % 2 ? periodic : 0;

                if (random() % 4 == 0) {
                        const uint64_t bits = direct | vector(0x40 + 16 * n);
                        ASSERT_TRUE(set(config0 + 2 * n, bits));
                        ASSERT_TRUE(set(count0 + 2 * n, mode ? count : now + count));
                        ASSERT_TRUE(set(config0 + 2 * n, enable | mode | bits));
                        model[n].due = now + count;
                        model[n].period = mode ? count : 0;
                }
                now += random() % 20;
                pass_to(now);
                for (auto &timer : model)
                        while (timer.due && timer.due < now) {
                                expected++;
                                timer.due = timer.period ? timer.due + timer.period : 0;
                        }
        }
        /* The alarm for a timer comes one unit after the timer is due. But if the alarm for another
         * timer comes at the time at which the timer is due, the timer expires at that time. So the
         * numbers may differ if the test sets a timer again when it is due. */
        EXPECT_LE(hv.vp[0].timer_interrupts, expected + expected / 20);
        EXPECT_GE(hv.vp[0].timer_interrupts, expected - expected / 20);
        EXPECT_GT(expected, 1000u);
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
