// SPDX-License-Identifier: BSD-2-Clause
// Spin locks between threads of the host.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

extern "C" {
#include "lib/spinlock.h"
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
