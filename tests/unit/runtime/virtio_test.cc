/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's end of virtqueues, with correct and faulty devices. */
extern "C" {
#include "queue.h"
}

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

namespace
{

constexpr uint64_t base = 0x12340000;

struct virtio_queue : testing::Test {
        queue q = {};
        std::vector<uint64_t> memory;
        uint16_t seen = 0, done = 0;

        void make(unsigned size, bool indirect, bool events)
        {
                q = {};
                q.size = size;
                q.indirect = indirect;
                q.events = events;
                q.span = indirect ? 1 : QUEUE_PARTS;
                q.depth = size / q.span;
                memory.assign(queue_bytes(&q) / 8 + 1, 0);
                memory.push_back(0x5555555555555555);
                q.memory = (char *)memory.data();
                q.device = base;
                queue_init(&q);
                seen = done = 0;
        }

        void TearDown() override
        {
                EXPECT_EQ(memory.back(), 0x5555555555555555U) << "nothing is written beyond";
        }

        template <typename T> T &at(uint64_t address)
        {
                EXPECT_GE(address, base);
                EXPECT_LT(address - base, queue_bytes(&q));
                return *(T *)(q.memory + (address - base));
        }

        void add(unsigned number, unsigned parts)
        {
                std::vector<queue_part> part(parts);

                for (unsigned i = 0; i < parts; i++)
                        part[i] = {number * 1000 + i, i + 1, i + 1 == parts};
                queue_add(&q, number, part.data(), parts);
        }

        uint16_t &used_index()
        {
                return at<uint16_t>(queue_used(&q) + 2);
        }

        /* Lets the device take a request and check its chain. Returns the chain's head. */
        uint16_t device_take(unsigned number, unsigned parts)
        {
                EXPECT_NE(at<uint16_t>(queue_available(&q) + 2), seen);
                const uint16_t head = at<uint16_t>(queue_available(&q) + 4 + 2 * (seen++ % q.size));
                uint64_t table = queue_descriptors(&q), next = head;

                if (q.indirect) {
                        EXPECT_EQ(at<uint16_t>(table + 16 * head + 12), 4);
                        EXPECT_EQ(at<uint32_t>(table + 16 * head + 8), 16 * parts);
                        table = at<uint64_t>(table + 16 * head);
                        next = 0;
                }
                for (unsigned i = 0; i < parts; i++) {
                        const uint64_t descriptor = table + 16 * next;
                        const bool last = i + 1 == parts;

                        EXPECT_EQ(at<uint64_t>(descriptor), number * 1000 + i);
                        EXPECT_EQ(at<uint32_t>(descriptor + 8), i + 1);
                        EXPECT_EQ(at<uint16_t>(descriptor + 12), last ? 2 : 1);
                        next = at<uint16_t>(descriptor + 14);
                }
                return head;
        }

        void device_end(uint32_t id, uint32_t bytes)
        {
                at<uint32_t>(queue_used(&q) + 4 + 8 * (done % q.size)) = id;
                at<uint32_t>(queue_used(&q) + 8 + 8 * (done % q.size)) = bytes;
                used_index() = ++done;
        }
};

} // namespace

TEST_F(virtio_queue, requests_go_round_in_any_order)
{
        for (const bool indirect : {false, true}) {
                make(64, indirect, true);
                unsigned number;
                uint32_t bytes;

                for (unsigned round = 0; round < 40000; round++) {
                        const unsigned a = round % q.depth, b = (round + 1) % q.depth;

                        add(a, 3);
                        add(b, 16);
                        queue_publish(&q);
                        const uint16_t first = device_take(a, 3), second = device_take(b, 16);

                        ASSERT_EQ(queue_take(&q, &number, &bytes), QUEUE_EMPTY);
                        device_end(second, 7);
                        device_end(first, 8);
                        ASSERT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
                        ASSERT_EQ(number, b);
                        ASSERT_EQ(bytes, 7U);
                        ASSERT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
                        ASSERT_EQ(number, a);
                        ASSERT_EQ(queue_take(&q, &number, &bytes), QUEUE_EMPTY);
                }
        }
}

TEST_F(virtio_queue, a_prepared_request_has_its_last_part_in_another_place_each_time)
{
        make(64, false, true);
        const queue_part parts[2] = {{0x1000, 12, false}, {0, 0, true}};
        unsigned number;
        uint32_t bytes;

        queue_prepare(&q, 1, parts, 2);
        for (unsigned round = 0; round < 100; round++) {
                const uint64_t first = queue_descriptors(&q) + 16 * (uint64_t)q.span;

                queue_add_last(&q, 1, 1, 0x7000 + round, 60 + round);
                queue_publish(&q);
                EXPECT_EQ(at<uint16_t>(queue_available(&q) + 4 + 2 * (round % 64)), q.span);
                EXPECT_EQ(at<uint64_t>(first), 0x1000U);
                EXPECT_EQ(at<uint32_t>(first + 8), 12U);
                EXPECT_EQ(at<uint16_t>(first + 12), 1) << "another part follows";
                EXPECT_EQ(at<uint16_t>(first + 14), q.span + 1);
                EXPECT_EQ(at<uint64_t>(first + 16), 0x7000U + round);
                EXPECT_EQ(at<uint32_t>(first + 24), 60U + round);
                EXPECT_EQ(at<uint16_t>(first + 28), 2) << "the device writes it";
                device_end(q.span, 7);
                ASSERT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
                ASSERT_EQ(number, 1U);
        }
}

TEST_F(virtio_queue, a_device_that_looks_anyway_is_not_notified)
{
        make(16, true, false);
        EXPECT_FALSE(queue_publish(&q)) << "nothing was added";
        add(0, 2);
        EXPECT_TRUE(queue_publish(&q));
        at<uint16_t>(queue_used(&q)) = 1;
        add(1, 2);
        EXPECT_FALSE(queue_publish(&q));

        make(16, true, true);
        uint16_t &event = at<uint16_t>(queue_used(&q) + 4 + 8 * 16);

        event = 0;
        add(0, 2);
        EXPECT_TRUE(queue_publish(&q)) << "it wants to know about the first";
        event = 5;
        for (unsigned i = 1; i < 5; i++)
                add(i, 2);
        EXPECT_FALSE(queue_publish(&q)) << "not about the second to the fifth";
        add(5, 2);
        add(6, 2);
        EXPECT_TRUE(queue_publish(&q)) << "but about the sixth";
}

TEST_F(virtio_queue, an_interrupt_is_asked_for_once)
{
        unsigned number;
        uint32_t bytes;

        make(16, true, true);
        add(0, 2);
        queue_publish(&q);
        EXPECT_TRUE(queue_arm(&q));
        EXPECT_EQ(at<uint16_t>(queue_available(&q) + 4 + 2 * 16), 0) << "after the first";
        device_end(device_take(0, 2), 1);
        EXPECT_FALSE(queue_arm(&q)) << "one has completed";
        EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
        EXPECT_TRUE(queue_arm(&q));
        EXPECT_EQ(at<uint16_t>(queue_available(&q) + 4 + 2 * 16), 1);
}

TEST_F(virtio_queue, a_driver_that_looks_anyway_gets_no_interrupts)
{
        make(16, true, false);
        add(0, 2);
        queue_publish(&q);
        EXPECT_TRUE(queue_arm(&q));
        EXPECT_EQ(at<uint16_t>(queue_available(&q)), 0);
        queue_disarm(&q);
        EXPECT_EQ(at<uint16_t>(queue_available(&q)), 1);
        EXPECT_TRUE(queue_arm(&q));
        EXPECT_EQ(at<uint16_t>(queue_available(&q)), 0);

        make(16, true, true);
        queue_disarm(&q);
        EXPECT_EQ(at<uint16_t>(queue_available(&q)), 0) << "with events the flag is not used";
}

TEST_F(virtio_queue, completed_requests_are_visible_before_they_are_taken)
{
        unsigned number;
        uint32_t bytes;

        make(16, true, true);
        EXPECT_TRUE(queue_is_done(&q));
        EXPECT_TRUE(queue_is_taken(&q));
        add(0, 2);
        add(1, 2);
        queue_publish(&q);
        EXPECT_FALSE(queue_is_done(&q));
        device_end(device_take(0, 2), 1);
        EXPECT_FALSE(queue_is_done(&q)) << "one is left";
        EXPECT_FALSE(queue_is_taken(&q));
        device_end(device_take(1, 2), 1);
        EXPECT_TRUE(queue_is_done(&q));
        EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
        EXPECT_FALSE(queue_is_taken(&q));
        EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
        EXPECT_TRUE(queue_is_taken(&q));
}

TEST_F(virtio_queue, requests_that_the_device_does_not_have_are_refused)
{
        unsigned number;
        uint32_t bytes;

        for (const bool indirect : {false, true}) {
                for (const uint32_t id : {1U, 7U, 15U, 16U, 48U, 64U, 0x10000U, 0xffffffffU}) {
                        make(64, indirect, true);
                        add(0, 3);
                        queue_publish(&q);
                        device_end(id, 1);
                        EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_BROKEN) << id;
                }
                make(64, indirect, true);
                add(0, 3);
                queue_publish(&q);
                device_end(0, 1);
                device_end(0, 1);
                EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_TAKEN);
                EXPECT_EQ(queue_take(&q, &number, &bytes), QUEUE_BROKEN) << "twice";
        }
}

/* A device that writes arbitrary values can complete at most the requests in flight. */
TEST_F(virtio_queue, random_memory_ends_no_request_twice)
{
        std::mt19937_64 random(1);

        for (unsigned round = 0; round < 5000; round++) {
                std::set<unsigned> busy;
                unsigned number = 0, taken = 0;
                uint32_t bytes;

                make(32, round % 2, random() % 2);
                for (unsigned i = 0; i < q.depth; i++) {
                        add(i, 1 + random() % 16);
                        busy.insert(i);
                }
                queue_publish(&q);
                for (size_t i = 0; i + 2 < memory.size(); i++)
                        memory[i] = random() & (random() % 2 ? UINT64_MAX : 0x0000003f0000003f);
                while (queue_take(&q, &number, &bytes) == QUEUE_TAKEN) {
                        ASSERT_EQ(busy.erase(number), 1U);
                        taken++;
                        ASSERT_LE(taken, q.depth);
                }
                queue_arm(&q);
                queue_publish(&q);
        }
}
