// SPDX-License-Identifier: BSD-2-Clause
// The measurement of the TSC and of the local APIC's timer, also on machines with damaged clocks.
#include <gtest/gtest.h>

#include "machine.h"

extern "C" {
#include "clocks.h"
}

namespace
{

constexpr uint32_t TSC_KHZ = 2400000, TIMER_KHZ = 100000, FALLBACK_KHZ = 1000000;
constexpr unsigned PIT_ATTEMPTS = 6;

struct Clocks : Machine {
        Clocks(bool has_pm, bool has_pit);
};

Clocks::Clocks(bool has_pm, bool has_pit)
{
        clocks = {};
        clocks.now = 1000000;
        clocks.tsc_khz = TSC_KHZ;
        clocks.timer_khz = TIMER_KHZ;
        clocks.has_pm = has_pm;
        clocks.has_pit = has_pit;
        clocks.access_ns = 1000;
}

void expect_rates()
{
        EXPECT_NEAR(measured_tsc_khz, TSC_KHZ, TSC_KHZ / 200);
        EXPECT_NEAR(measured_timer_khz, TIMER_KHZ, TIMER_KHZ / 200);
}

TEST(calibrate, measures_against_the_pm_timer)
{
        const Clocks m(true, true);
        clocks_calibrate(CLOCKS_PM_PORT);
        expect_rates();
        EXPECT_EQ(clocks.starts, 0u);
}

TEST(calibrate, measures_against_the_pit_if_the_pm_timer_is_missing_or_stands)
{
        for (uint16_t port : {0, CLOCKS_PM_PORT}) {
                const Clocks m(false, true);
                clocks_calibrate(port);
                expect_rates();
        }
}

TEST(calibrate, measures_the_timer_although_it_ran_out_while_the_pm_timer_stood)
{
        const Clocks m(false, true);
        clocks.access_ns = 20000;
        clocks_calibrate(CLOCKS_PM_PORT);
        expect_rates();
}

TEST(calibrate, measures_again_if_a_count_of_the_pit_is_wrong)
{
        unsigned counts = UINT32_MAX;

        for (unsigned wrong = 0; wrong <= counts; wrong++) {
                const Clocks m(false, true);
                clocks.wrong_count = wrong;
                clocks.wrong_counts = 1;
                clocks_calibrate(0);
                SCOPED_TRACE(wrong);
                expect_rates();
                counts = wrong ? counts : clocks.counts;
        }
}

TEST(calibrate, gives_up_a_pit_whose_counts_are_always_wrong)
{
        const Clocks m(false, true);
        clocks.wrong_count = 1;
        clocks.wrong_counts = 1u << 30;
        clocks_calibrate(0);
        EXPECT_LE(clocks.starts, PIT_ATTEMPTS);
        EXPECT_LT(clocks.accesses, 1000000u);
}

TEST(calibrate, assumes_a_rate_soon_if_no_clock_counts)
{
        const Clocks m(false, false);
        clocks_calibrate(CLOCKS_PM_PORT);
        EXPECT_EQ(measured_tsc_khz, FALLBACK_KHZ);
        EXPECT_EQ(measured_timer_khz, FALLBACK_KHZ);
        EXPECT_EQ(clocks.starts, 1u);
}

} // namespace
