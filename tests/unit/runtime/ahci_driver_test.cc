/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which the driver `ahci` sends requests, and their time limits. */
extern "C" {
#include "ahci_fake.h"
}

#include <cerrno>
#include <gtest/gtest.h>
#include <vector>

namespace
{

constexpr unsigned LAST = FAKE_SLOTS - 1;

std::vector<unsigned> sent;  /* slots in the order in which their commands came */
std::vector<unsigned> ended; /* numbers of requests */
std::vector<int> errors;

struct ahci_requests : testing::Test {
        void SetUp() override
        {
                sent.clear();
                ended.clear();
                errors.clear();
                fake_reset();
        }

        /* Lets the disk end its commands and the watchdog check once. */
        static void step()
        {
                fake_looks++;
                fake_end_commands(false);
        }

        /* Returns the age of the oldest request whose time limit runs. */
        static uint32_t oldest()
        {
                uint32_t age = 0;

                for (unsigned i = 0; i < FAKE_SLOTS; i++)
                        if (fake_stamp(i) && fake_looks - fake_stamp(i) > age)
                                age = fake_looks - fake_stamp(i);
                return age;
        }
};

} // namespace

extern "C" {

void fake_sent(unsigned slot)
{
        sent.push_back(slot);
}

void fake_ended(unsigned number, int error)
{
        ended.push_back(number);
        errors.push_back(error);
}
}

TEST_F(ahci_requests, a_read_waits_for_one_command_of_each_discard_only)
{
        for (unsigned i = 0; i < LAST; i++)
                fake_start(i, FAKE_DISCARD, UINT32_MAX);
        fake_start(LAST, FAKE_READ, 8);
        for (unsigned i = 0; i < LAST; i++)
                step();
        EXPECT_EQ(ended.size(), 0U);
        step();
        ASSERT_EQ(ended, std::vector<unsigned>{LAST});
        for (unsigned i = 0; i <= LAST; i++)
                EXPECT_EQ(sent[i], i);
        for (unsigned i = 0; ended.size() <= LAST && i < 100000; i++)
                step();
        EXPECT_EQ(ended.size(), FAKE_SLOTS);
        EXPECT_EQ(sent.size(), 1 + LAST * (UINT32_MAX / FAKE_COMMAND_BLOCKS + 1));
}

TEST_F(ahci_requests, the_time_limit_of_a_request_runs_only_while_the_disk_has_it)
{
        for (unsigned i = 0; i < LAST; i++)
                fake_start(i, FAKE_DISCARD, 2 * FAKE_COMMAND_BLOCKS);
        fake_start(LAST, FAKE_READ, 8);
        while (ended.size() < FAKE_SLOTS) {
                ASSERT_NE(fake_busy, 0U);
                EXPECT_EQ(oldest(), 0U);
                for (unsigned i = 0; i < FAKE_SLOTS; i++)
                        EXPECT_EQ(fake_stamp(i) != 0, (fake_busy & 1U << i) != 0) << i;
                step();
        }
        fake_start(0, FAKE_FLUSH, 0);
        fake_looks += 11;
        EXPECT_EQ(oldest(), 11U) << "the disk does not answer";
        step();
}

TEST_F(ahci_requests, a_failure_ends_only_what_the_disk_has)
{
        fake_start(0, FAKE_DISCARD, UINT32_MAX);
        fake_start(1, FAKE_READ, 8);
        fake_end_commands(true);
        EXPECT_EQ(ended, std::vector<unsigned>{0});
        EXPECT_EQ(errors, std::vector<int>{EIO});
        step();
        EXPECT_EQ(ended, (std::vector<unsigned>{0, 1}));
        EXPECT_EQ(errors, (std::vector<int>{EIO, 0}));
}

TEST_F(ahci_requests, reads_and_writes_are_sent_together_until_a_flush)
{
        fake_start(0, FAKE_READ, 8);
        fake_start(1, FAKE_WRITE, 8);
        fake_start(2, FAKE_FLUSH, 0);
        fake_start(3, FAKE_READ, 8);
        EXPECT_EQ(sent, (std::vector<unsigned>{0, 1}));
        step();
        EXPECT_EQ(sent, (std::vector<unsigned>{0, 1, 2}));
        step();
        EXPECT_EQ(sent, (std::vector<unsigned>{0, 1, 2, 3}));
        step();
        EXPECT_EQ(ended, (std::vector<unsigned>{0, 1, 2, 3}));
}
