// SPDX-License-Identifier: BSD-2-Clause
// Recalls of a thread on another CPU.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "hypercall/dispatch.h"
#include "sched/mail.h"
}

namespace
{

constexpr word_t SEL = 7;

struct recall : testing::Test, Kernel {
        pd *home = make_pd();
        ec *self = make_ec(home, 0x1000), *other = make_ec(home, 0x2000, EC_GLOBAL);

        recall()
        {
                fake_settle();
                share(home, SEL, &other->object);
                fake_second_cpu(nullptr);
        }

        ~recall() override
        {
                other->cpu = cpu_by_id(0);
                fake_idle();
        }

        // Recalls the other thread. Returns the number of interrupts that its CPU gets.
        unsigned send()
        {
                const unsigned before = fake_ipis;

                EXPECT_EQ(hypercall_ec_ctrl(nova_hypercall_id(NOVA_EC_CTRL, 0, SEL), self),
                          NOVA_SUCCESS);
                EXPECT_TRUE(other->pending & EC_PENDING_RECALL);
                return fake_ipis - before;
        }

        // Lets CPU 1 handle its mail.
        static void receive()
        {
                fake_cpu = 1;
                mail_receive(cpu_self(), 8);
                fake_cpu = 0;
        }
};

// With an interrupt for each recall, a program of any priority could use up another CPU's time.
TEST_F(recall, of_a_thread_that_does_not_run_interrupts_its_cpu_once)
{
        other->cpu = cpu_by_id(1);
        EXPECT_EQ(send(), 1u);
        receive();
        EXPECT_EQ(send(), 0u);
        EXPECT_EQ(send(), 0u);
        other->pending = 0; // the thread runs and gets the event
        EXPECT_EQ(send(), 1u);
        receive();
        other->pending = 0;
}

TEST_F(recall, of_a_thread_of_this_cpu_sends_no_interrupt)
{
        EXPECT_EQ(send(), 0u);
        other->pending = 0;
}

} // namespace
