/* SPDX-License-Identifier: BSD-2-Clause */
/* The service's end of a block ring, with clients that write anything to their end. */
extern "C" {
#include "block/entry.h"
}

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>

namespace
{

struct block : testing::Test {
        std::unique_ptr<nova_block_ring> shared = std::make_unique<nova_block_ring>();
        struct ring ring = {};
        block_limits limits = {};
        nova_block_entry entry = {};
        uint32_t blocks = 0;

        void SetUp() override
        {
                memset(shared.get(), 0, sizeof(*shared));
                block_ring_init(&ring, shared.get());
                limits.first = 1000;
                limits.count = 100;
                limits.block_bytes = 512;
                limits.request_max = 64;
                limits.flags = NOVA_BLOCK_HAS_DISCARD;
                limits.segments = NOVA_BLOCK_SEGMENTS;
                limits.pool_bytes = 0x10000;
                entry.operation = NOVA_BLOCK_READ;
                entry.segment_count = 1;
                entry.segment[0] = {0, 512};
        }

        int check()
        {
                return block_entry_check(&entry, &limits, &blocks);
        }
};

} // namespace

TEST_F(block, a_new_ring_has_the_magic_number_and_asks_for_the_doorbell)
{
        EXPECT_EQ(shared->head.magic, NOVA_BLOCK_MAGIC);
        EXPECT_EQ(shared->head.service_waits, 1U);
        EXPECT_FALSE(ring_pending(&ring));
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EAGAIN);
}

TEST_F(block, entries_are_taken_in_order_across_the_end_of_the_counters)
{
        nova_block_entry taken;

        shared->head.submitted = shared->head.reaped = shared->head.completed = 0xfffffff0;
        ring.taken = ring.completed = 0xfffffff0;
        for (uint32_t i = 0; i < 200; i++) {
                entry.tag = i;
                shared->entry[shared->head.submitted % NOVA_BLOCK_ENTRIES] = entry;
                shared->head.submitted++;
                ASSERT_EQ(ring_take(&ring, &taken, sizeof(taken)), 0);
                EXPECT_EQ(taken.tag, i);
                ring_complete(&ring, i, EIO);
                EXPECT_EQ(shared->completion[shared->head.reaped % NOVA_BLOCK_ENTRIES].tag, i);
                EXPECT_EQ(shared->completion[shared->head.reaped % NOVA_BLOCK_ENTRIES].result, 5U);
                shared->head.reaped++;
                EXPECT_EQ(shared->head.completed, shared->head.reaped);
        }
        EXPECT_EQ(ring_take(&ring, &taken, sizeof(taken)), EAGAIN);
}

TEST_F(block, impossible_counters_are_refused)
{
        shared->head.submitted = NOVA_BLOCK_ENTRIES;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), 0);
        shared->head.submitted = NOVA_BLOCK_ENTRIES + 2;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EPROTO) << "more than the ring holds";
        shared->head.submitted = 0;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EPROTO) << "back";
        shared->head.submitted = 2;
        shared->head.reaped = 1;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EPROTO)
                << "a completion that does not exist";
        shared->head.reaped = 0;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), 0);
}

TEST_F(block, a_client_that_reads_no_completions_gets_no_more_requests)
{
        for (unsigned i = 0; i < NOVA_BLOCK_ENTRIES; i++) {
                shared->head.submitted++;
                ASSERT_EQ(ring_take(&ring, &entry, sizeof(entry)), 0);
                ring_complete(&ring, i, 0);
        }
        shared->head.submitted++;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EPROTO);
        shared->head.reaped++;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), 0);
}

TEST_F(block, a_client_is_woken_once)
{
        EXPECT_FALSE(ring_wake(&ring));
        shared->head.client_waits = 1;
        EXPECT_TRUE(ring_wake(&ring));
        EXPECT_FALSE(ring_wake(&ring));
}

TEST_F(block, a_good_request_gets_the_number_on_the_device)
{
        entry.block = 99;
        EXPECT_EQ(check(), 0);
        EXPECT_EQ(entry.block, 1099U);
        EXPECT_EQ(blocks, 1U);
}

TEST_F(block, requests_end_at_the_last_block)
{
        entry.segment[0].bytes = 1024;
        entry.block = 99;
        EXPECT_EQ(check(), ENXIO);
        entry.block = 100;
        EXPECT_EQ(check(), ENXIO);
        entry.block = UINT64_MAX;
        EXPECT_EQ(check(), ENXIO);
        entry.block = UINT64_MAX - 1000;
        EXPECT_EQ(check(), ENXIO);
        entry.block = 98;
        EXPECT_EQ(check(), 0);
}

TEST_F(block, segments_lie_in_the_pool)
{
        for (const nova_block_segment bad : {nova_block_segment{0, 0},
                                             {0, 511},
                                             {0, 514},
                                             {1, 512},
                                             {0x10000, 512},
                                             {0xfe00, 1024},
                                             {0xfffffe00, 512},
                                             {512, 0xfffffe00},
                                             {0xfffffe00, 0xfffffe00}}) {
                entry.segment[0] = bad;
                EXPECT_EQ(check(), EINVAL) << bad.offset << " " << bad.bytes;
        }
        entry.segment[0] = {0xfe00, 512};
        EXPECT_EQ(check(), 0);
}

TEST_F(block, segments_are_counted)
{
        entry.segment_count = 0;
        EXPECT_EQ(check(), EINVAL);
        entry.segment_count = NOVA_BLOCK_SEGMENTS + 1;
        EXPECT_EQ(check(), EINVAL);
        entry.segment_count = 0xffff;
        EXPECT_EQ(check(), EINVAL);
        limits.segments = 2;
        entry.segment_count = 3;
        EXPECT_EQ(check(), EINVAL);
        entry.segment_count = 2;
        entry.segment[1] = {0, 0x8000}; /* segments may overlap */
        EXPECT_EQ(check(), EINVAL) << "65 blocks";
        entry.segment[1] = {0, 0x7e00};
        EXPECT_EQ(check(), 0);
        EXPECT_EQ(blocks, 64U);
}

TEST_F(block, only_writable_media_are_changed)
{
        entry.operation = NOVA_BLOCK_WRITE;
        EXPECT_EQ(check(), 0);
        limits.flags |= NOVA_BLOCK_READ_ONLY;
        entry.block = 0;
        EXPECT_EQ(check(), EROFS);
        entry = {};
        entry.operation = NOVA_BLOCK_DISCARD;
        entry.blocks = 1;
        EXPECT_EQ(check(), EROFS);
        limits.flags = 0;
        EXPECT_EQ(check(), ENOTSUP);
        limits.flags = NOVA_BLOCK_HAS_DISCARD;
        EXPECT_EQ(check(), 0);
        entry.block = 0;
        entry.blocks = 101;
        EXPECT_EQ(check(), ENXIO);
        entry.blocks = 0;
        EXPECT_EQ(check(), EINVAL);
}

TEST_F(block, a_flush_has_no_data)
{
        entry.operation = NOVA_BLOCK_FLUSH;
        EXPECT_EQ(check(), EINVAL);
        entry = {};
        entry.operation = NOVA_BLOCK_FLUSH;
        EXPECT_EQ(check(), 0);
        entry.block = 1;
        EXPECT_EQ(check(), EINVAL);
        entry = {};
        EXPECT_EQ(check(), EINVAL) << "operation 0";
        entry.operation = 5;
        EXPECT_EQ(check(), EINVAL);
        entry.operation = NOVA_BLOCK_FLUSH;
        entry.reserved = 1;
        EXPECT_EQ(check(), EINVAL);
}

/* For any content of an entry: if it is accepted, all its data lies inside the pool and the
 * disk. */
TEST_F(block, no_entry_leads_outside)
{
        std::mt19937 random(1);
        unsigned accepted = 0;

        for (unsigned i = 0; i < 200000; i++) {
                uint32_t words[sizeof(entry) / 4];
                uint64_t sum = 0;

                for (uint32_t &word : words)
                        word = random();
                memcpy(&entry, words, sizeof(entry));
                entry.operation %= 6;
                entry.segment_count %= 4;
                entry.reserved = random() % 8 == 0;
                if (random() % 4) {
                        entry.block %= 128;
                        entry.blocks %= random() % 2 ? 1 : 128;
                        for (nova_block_segment &segment : entry.segment) {
                                segment.offset = segment.offset % 0x12000 & ~511U;
                                segment.bytes = segment.bytes % 0x4000 & ~511U;
                        }
                }
                if (check())
                        continue;
                accepted++;
                for (unsigned n = 0; n < entry.segment_count; n++) {
                        ASSERT_LE((uint64_t)entry.segment[n].offset + entry.segment[n].bytes,
                                  limits.pool_bytes);
                        sum += entry.segment[n].bytes;
                }
                if (entry.operation == NOVA_BLOCK_FLUSH)
                        continue;
                ASSERT_GE(entry.block, 1000U);
                ASSERT_LE(entry.block + blocks, 1100U);
                if (entry.operation == NOVA_BLOCK_DISCARD)
                        continue;
                ASSERT_EQ(sum, blocks * 512U);
        }
        EXPECT_GT(accepted, 1000U);
}
