// SPDX-License-Identifier: BSD-2-Clause
// The number of lines printed about threads that were shut down.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "lib/cmdline.h"
#include "object/report.h"
}

namespace
{

constexpr uint64_t period = 1000;

unsigned lines(report_rate &rate, uint64_t now, unsigned threads)
{
        unsigned count = 0;

        while (threads--)
                count += report_allowed(&rate, now, period);
        return count;
}

TEST(report, a_burst_of_threads_has_a_bounded_number_of_lines)
{
        report_rate rate = {};

        EXPECT_EQ(lines(rate, 123456, 1000), REPORT_BURST);
        EXPECT_EQ(rate.unsaid, 1000u - REPORT_BURST);
}

TEST(report, each_period_allows_one_line_more)
{
        report_rate rate = {};

        lines(rate, 0, 1000);
        for (uint64_t now = period; now < 100 * period; now += period)
                EXPECT_EQ(lines(rate, now, 1000), 1u);
}

TEST(report, a_quiet_time_saves_no_more_than_a_burst)
{
        report_rate rate = {};

        lines(rate, 0, 1000);
        EXPECT_EQ(lines(rate, 1000000 * period, 1000), REPORT_BURST);
}

TEST(report, a_tsc_that_lags_allows_no_further_line)
{
        report_rate rate = {};

        lines(rate, 100 * period, 1000);
        EXPECT_EQ(lines(rate, 99 * period, 1000), 0u);
}

// A PD that is being destroyed ends its handlers and the threads that wait for them in any order.
TEST(report, a_thread_of_a_pd_that_is_being_destroyed_has_no_line)
{
        for (const auto reason : {REPORT_NO_PORTAL, REPORT_HANDLER_ENDED}) {
                Kernel kernel;
                pd *owner = kernel.make_pd();
                ec *thread = kernel.make_ec(owner, 0x1000);
                cmdline.serial = true;
                fake_lines = 0;
                report_shut_down(thread, reason);
                EXPECT_EQ(fake_lines, 1u);
                owner->object.dead = true;
                report_shut_down(thread, reason);
                EXPECT_EQ(fake_lines, 1u);
                owner->object.dead = false;
                cmdline.serial = false;
        }
}

// The roottask's first thread may end without an event. Another thread may get its address.
TEST(report, a_thread_at_the_address_of_the_roottasks_first_thread_is_an_ordinary_thread)
{
        Kernel kernel;
        ec *thread = kernel.make_ec(kernel.make_pd(), 0x1000);
        report_root_ec = thread;
        kernel.drop(thread);
        EXPECT_EQ(report_root_ec, nullptr);
}

} // namespace
