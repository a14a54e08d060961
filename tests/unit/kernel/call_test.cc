// SPDX-License-Identifier: BSD-2-Clause
// Calls that cannot begin at once.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"
}

namespace
{

constexpr word_t SEL_PT = 0x20;

struct Call : Kernel {
        pd *home = make_pd();
        ec *caller = make_ec(home, 0x1000), *callee = make_ec(home, 0x1001);

        Call()
        {
                make_pt(home, SEL_PT, callee, 0x5000);
                REG_P1(caller) = nova_hypercall_id(NOVA_CALL, 0, SEL_PT);
                /* The links of an EC that is in no list may have any value. */
                caller->help_link.next = caller->help_link.prev = nullptr;
        }

        ~Call()
        {
                fake_idle();
        }
};

// The caller is preempted before it helps, so it is in no list of helpers. It retries the call.
TEST(call, is_tried_again_after_an_interrupt_came_before_the_busy_callee_was_helped)
{
        Call c;
        c.callee->state = EC_READY;
        fake_window = [] {
                fake_window = nullptr;
                sched_decide(cpu_self());
        };
        fake_hypercall(c.caller);
        ASSERT_NE(c.caller->cont, nullptr);
        EXPECT_EQ(c.caller->helping, nullptr);
        c.callee->state = EC_REQUEST;
        cpu_self()->pending = 0;
        EXPECT_EQ(fake_run(c.caller->cont, c.caller), c.callee);
        EXPECT_EQ(c.callee->caller, c.caller);
}

// When the callee ends, its helper is removed from the list, and retries its call, too.
TEST(call, is_tried_again_after_the_callee_that_was_helped_has_ended)
{
        Call c;
        c.callee->state = EC_READY;
        fake_hypercall(c.caller);
        EXPECT_EQ(c.caller->helping, c.callee);
        ec_shut_down(c.callee);
        EXPECT_EQ(c.caller->helping, nullptr);
        fake_run(c.caller->cont, c.caller);
        EXPECT_EQ(c.caller->helping, nullptr);
        EXPECT_TRUE(list_is_empty(&c.callee->helpers));
}

} // namespace
