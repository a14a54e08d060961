/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer service's heap: order, removal, missed periods. */
extern "C" {
#include "heap.h"
}

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace
{

struct heap_of : testing::Test {
        std::vector<timer *> room = std::vector<timer *>(1000);
        timer_heap heap = {room.data(), 0, 1000};
        std::vector<timer> timers = std::vector<timer>(1000);

        void insert(timer &one, uint64_t deadline, uint64_t period = 0)
        {
                one = {deadline, period, 0};
                ASSERT_TRUE(timer_heap_insert(&heap, &one));
        }
};

TEST_F(heap_of, nothing_has_no_first)
{
        EXPECT_EQ(timer_heap_first(&heap), nullptr);
        EXPECT_EQ(timer_heap_expire(&heap, UINT64_MAX), nullptr);
}

TEST_F(heap_of, a_thousand_timers_gives_them_in_order)
{
        std::mt19937 random(1);
        for (timer &one : timers)
                insert(one, random() % 5000);
        timer more = {1, 0, 0};
        EXPECT_FALSE(timer_heap_insert(&heap, &more)) << "it is full";

        uint64_t last = 0;
        for (unsigned i = 0; i < 1000; i++) {
                timer *one = timer_heap_expire(&heap, UINT64_MAX);
                ASSERT_NE(one, nullptr);
                EXPECT_GE(one->deadline, last);
                EXPECT_EQ(one->index, 0u);
                last = one->deadline;
        }
        EXPECT_EQ(heap.count, 0u);
}

TEST_F(heap_of, timers_stays_in_order_when_some_are_taken_out)
{
        std::mt19937 random(2);
        for (timer &one : timers)
                insert(one, random() % 5000);
        for (unsigned i = 0; i < 1000; i += 3)
                timer_heap_remove(&heap, &timers[i]);
        timer_heap_remove(&heap, &timers[0]);
        EXPECT_EQ(heap.count, 666u);

        uint64_t last = 0;
        while (timer *one = timer_heap_expire(&heap, UINT64_MAX)) {
                EXPECT_GE(one->deadline, last);
                last = one->deadline;
        }
}

TEST_F(heap_of, timers_is_never_early)
{
        insert(timers[0], 100);
        EXPECT_EQ(timer_heap_expire(&heap, 99), nullptr);
        EXPECT_EQ(timer_heap_expire(&heap, 100), &timers[0]);
}

TEST_F(heap_of, periods_counts_missed_ones_once)
{
        insert(timers[0], 100, 10);
        EXPECT_EQ(timer_heap_expire(&heap, 135), &timers[0]);
        EXPECT_EQ(timers[0].deadline, 140u);
        EXPECT_EQ(timer_heap_expire(&heap, 135), nullptr);
        EXPECT_EQ(timer_heap_expire(&heap, 140), &timers[0]);
        EXPECT_EQ(timers[0].deadline, 150u);
}

TEST_F(heap_of, periods_does_not_wrap_around)
{
        insert(timers[0], UINT64_MAX - 5, 10);
        EXPECT_EQ(timer_heap_expire(&heap, UINT64_MAX - 1), &timers[0]);
        EXPECT_EQ(timers[0].deadline, UINT64_MAX);
}

} // namespace
