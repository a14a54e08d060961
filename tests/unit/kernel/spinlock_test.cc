// SPDX-License-Identifier: BSD-2-Clause
// Spin locks, and the locks of semaphores, between threads of the host.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

extern "C" {
#include "lib/spinlock.h"
#include "object/sm.h"
}

namespace
{

TEST(spinlock, is_taken_in_the_order_of_arrival)
{
        for (uint16_t first : {uint16_t{0}, uint16_t{0xfffd}}) { // the tickets wrap around
                spinlock lock = {first, first};
                std::vector<unsigned> order;
                std::vector<std::thread> threads;
                spin_lock(&lock);
                for (unsigned i = 0; i < 8; i++) {
                        threads.emplace_back([&lock, &order, i] {
                                spin_lock(&lock);
                                order.push_back(i);
                                spin_unlock(&lock);
                        });
                        const auto taken = static_cast<uint16_t>(first + i + 2);
                        while (__atomic_load_n(&lock.next, __ATOMIC_ACQUIRE) != taken)
                                std::this_thread::yield();
                }
                EXPECT_TRUE(order.empty());
                spin_unlock(&lock);
                for (std::thread &thread : threads)
                        thread.join();
                EXPECT_EQ(order, (std::vector<unsigned>{0, 1, 2, 3, 4, 5, 6, 7}));
                EXPECT_EQ(lock.next, lock.serving);
        }
}

// A semaphore without waiters, and one of an interrupt. CPUs that only count take the fast path,
// and the others take the general path; neither kind overtakes the other.
TEST(spinlock, of_a_semaphore_is_taken_in_the_order_of_arrival)
{
        for (uint16_t first : {uint16_t{0}, uint16_t{0x7ffd}, uint16_t{0xfffd}})
                for (const bool interrupt : {false, true}) {
                        sm one = {};
                        list_init(&one.waiters);
                        one.gsi = SM_NO_GSI;
                        one.next = one.turn = first;
                        if (interrupt)
                                sm_set_gsi(&one, 3);
                        std::vector<word_t> order;
                        std::vector<std::thread> threads;
                        sm_lock(&one);
                        for (unsigned i = 0; i < 8; i++) {
                                threads.emplace_back([&one, &order, i] {
                                        if (i % 2) {
                                                sm_up(&one);
                                                return;
                                        }
                                        sm_lock(&one);
                                        order.push_back(one.count);
                                        sm_unlock(&one);
                                });
                                const auto taken = static_cast<uint16_t>(first + i + 2);
                                while (__atomic_load_n(&one.next, __ATOMIC_ACQUIRE) != taken)
                                        std::this_thread::yield();
                        }
                        EXPECT_TRUE(order.empty());
                        sm_unlock(&one);
                        for (std::thread &thread : threads)
                                thread.join();
                        EXPECT_EQ(order, (std::vector<word_t>{0, 1, 2, 3}));
                        EXPECT_EQ(one.count, 4u);
                        EXPECT_EQ(one.next ^ one.turn, interrupt ? SM_SPECIAL : 0);
                }
}

TEST(spinlock, lets_one_in_at_a_time)
{
        spinlock lock;
        unsigned count = 0;
        std::vector<std::thread> threads;
        spin_init(&lock, LOCK_FRAME);
        for (unsigned i = 0; i < 3; i++)
                threads.emplace_back([&lock, &count] {
                        for (unsigned n = 0; n < 30; n++) {
                                spin_lock(&lock);
                                const unsigned before = count;
                                std::this_thread::yield();
                                count = before + 1;
                                spin_unlock(&lock);
                        }
                });
        for (std::thread &thread : threads)
                thread.join();
        EXPECT_EQ(count, 90u);
}

} // namespace
