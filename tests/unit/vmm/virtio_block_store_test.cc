/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk whose blocks are in a store: steps, requests in flight, errors of the store, and
 * faulty drivers. */
#include "virtio_block_store.h"

namespace
{

using namespace virtio;

TEST_F(virtio_block_store, a_read_ends_when_the_store_has_answered)
{
        memset(&bytes[3 * NOVA_SECTOR], 'x', 2 * NOVA_SECTOR);
        put(0, 0, 3, 2 * NOVA_SECTOR, true);
        kick(0);
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(kicks, 1u);
        EXPECT_EQ(used_index(0), 0);
        EXPECT_EQ(status_of(0), 0xeeu);
        perform();
        EXPECT_EQ(used_index(0), 1);
        EXPECT_EQ(used_bytes(0, 0), 2 * NOVA_SECTOR + 1);
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[3 * NOVA_SECTOR], 2 * NOVA_SECTOR), 0);
        EXPECT_TRUE(line);
        EXPECT_EQ(disk.in_flight, 0u);
}

TEST_F(virtio_block_store, a_write_takes_its_data_and_a_flush_follows_by_request)
{
        memset(&ram[body_at], 'w', NOVA_SECTOR);
        put(0, 1, 7, NOVA_SECTOR, false);
        put(3, 4, 0, 0, false);
        kick(0);
        ASSERT_EQ(steps.size(), 2u);
        EXPECT_EQ(steps[1].operation, NOVA_VIRTIO_BLOCK_FLUSH);
        perform();
        EXPECT_EQ(bytes[7 * NOVA_SECTOR], 'w');
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(status_of(3), 0xeeu);
        perform();
        EXPECT_EQ(status_of(3), 0u);
}

TEST_F(virtio_block_store, a_write_of_a_driver_that_cannot_flush_is_lasting_at_its_end)
{
        store.has_cache = true;
        make(0, NOVA_VIRTIO_VERSION_1);
        put(0, 1, 7, NOVA_SECTOR, false);
        kick(0);
        perform();
        EXPECT_EQ(status_of(0), 0xeeu);
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(steps[0].operation, NOVA_VIRTIO_BLOCK_FLUSH);
        EXPECT_EQ(steps[0].bytes, 0u);
        perform();
        EXPECT_EQ(status_of(0), 0u);
}

TEST_F(virtio_block_store, a_request_larger_than_a_step_takes_several)
{
        store.step_bytes = 2 * NOVA_SECTOR;
        for (unsigned i = 0; i < 5; i++)
                memset(&bytes[(10 + i) * NOVA_SECTOR], static_cast<int>('a' + i), NOVA_SECTOR);
        put(0, 0, 10, 5 * NOVA_SECTOR, true);
        kick(0);
        perform();
        EXPECT_EQ(status_of(0), 0xeeu);
        perform();
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(steps[0].bytes, NOVA_SECTOR);
        perform();
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(used_bytes(0, 0), 5 * NOVA_SECTOR + 1);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[10 * NOVA_SECTOR], 5 * NOVA_SECTOR), 0);
}

TEST_F(virtio_block_store, the_buffer_is_untouched_while_the_store_is_away)
{
        const auto before = buffer;

        memset(&ram[body_at], 'w', NOVA_SECTOR);
        up = false;
        put(0, 1, 7, NOVA_SECTOR, false);
        put(3, 0, 8, NOVA_SECTOR, true);
        kick(0);
        EXPECT_TRUE(buffer == before);
        EXPECT_TRUE(steps.empty());
        EXPECT_EQ(disk.in_flight, 2u);
        up = true;
        nova_virtio_block_restart(&disk);
        perform();
        perform();
        EXPECT_EQ(bytes[7 * NOVA_SECTOR], 'w');
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(status_of(3), 0u);
}

TEST_F(virtio_block_store, an_error_of_the_store_fails_the_request_only)
{
        put(0, 0, 0, NOVA_SECTOR, true);
        put(3, 0, 1, NOVA_SECTOR, true);
        kick(0);
        perform(5);
        EXPECT_EQ(status_of(0), 1u);
        perform();
        EXPECT_EQ(status_of(3), 0u);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_block_store, requests_beyond_the_disk_or_of_partial_blocks_never_reach_the_store)
{
        for (const uint64_t sector :
             {uint64_t{sectors}, uint64_t{sectors - 1}, UINT64_MAX, UINT64_MAX / 512}) {
                put(0, 0, sector, 2 * NOVA_SECTOR, true);
                put(3, 1, sector, 2 * NOVA_SECTOR, false);
                kick(0);
                EXPECT_EQ(status_of(0), 1u);
                EXPECT_EQ(status_of(3), 1u);
        }
        put(0, 0, 0, 100, true);
        put(3, 1, 0, 511, false);
        put(6, 13, 0, 512, false);
        put(9, 0, 0, 0, true);
        kick(0);
        EXPECT_EQ(status_of(0), 1u);
        EXPECT_EQ(status_of(3), 1u);
        EXPECT_EQ(status_of(6), 2u);
        EXPECT_EQ(status_of(9), 0u);
        store.block_bytes = 4096;
        make();
        put(0, 0, 8, NOVA_SECTOR, true);
        put(3, 0, 1, 4096, true);
        kick(0);
        EXPECT_EQ(status_of(0), 1u);
        EXPECT_EQ(status_of(3), 1u);
        EXPECT_EQ(in(config + 20, 4), 4096u);
        EXPECT_TRUE(steps.empty());
        EXPECT_FALSE(broken());
}

TEST_F(virtio_block_store, a_disk_for_reading_is_not_written)
{
        store.read_only = true;
        make();
        EXPECT_TRUE(disk.virtio.offered & 1u << 5);
        put(0, 1, 0, NOVA_SECTOR, false);
        kick(0);
        EXPECT_EQ(status_of(0), 1u);
        EXPECT_TRUE(steps.empty());
}

TEST_F(virtio_block_store, more_requests_than_places_wait_in_the_queue)
{
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS + 4; i++)
                put(3 * i, 0, i, NOVA_SECTOR, true);
        kick(0);
        EXPECT_EQ(steps.size(), size_t{NOVA_VIRTIO_BLOCK_REQUESTS});
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS + 4; i++)
                perform();
        EXPECT_TRUE(steps.empty());
        EXPECT_EQ(used_index(0), NOVA_VIRTIO_BLOCK_REQUESTS + 4);
        EXPECT_EQ(disk.requests, NOVA_VIRTIO_BLOCK_REQUESTS + 4u);
        EXPECT_EQ(disk.virtio.notifications, 1u);
}

TEST_F(virtio_block_store, answers_after_a_reset_do_not_reach_the_guest)
{
        memset(&bytes[0], 'x', NOVA_SECTOR);
        put(0, 0, 0, NOVA_SECTOR, true);
        kick(0);
        begin();
        make_queue(0, 64);
        finish();
        memset(&ram[body_at], 0, NOVA_SECTOR);
        perform();
        EXPECT_EQ(ram[body_at], 0);
        EXPECT_EQ(status_of(0), 0xeeu);
        EXPECT_EQ(used_index(0), 0);
        EXPECT_EQ(disk.in_flight, 0u);
}

TEST_F(virtio_block_store, answers_for_an_earlier_machine_do_not_reach_the_guest)
{
        make(1u << 0 | 1u << 2);
        put(0, 0, 0, NOVA_SECTOR, true);
        put(3, 0, 1, NOVA_SECTOR, true);
        kick(0);
        ASSERT_EQ(steps.size(), 2u);
        EXPECT_EQ(steps[0].request, 1u);
        EXPECT_EQ(steps[1].request, 3u);
        nova_virtio_block_done(&disk, 0, 0);
        nova_virtio_block_done(&disk, 2, 5);
        EXPECT_EQ(used_index(0), 0);
        EXPECT_EQ(disk.in_flight, 2u);
        nova_virtio_block_done(&disk, NOVA_VIRTIO_BLOCK_REQUESTS - 1, 0); /* not in flight */
        EXPECT_EQ(disk.in_flight, 2u);
}

TEST_F(virtio_block_store, lost_steps_start_again_with_their_data)
{
        memset(&ram[body_at], 'w', NOVA_SECTOR);
        put(0, 1, 7, NOVA_SECTOR, false);
        kick(0);
        steps.clear();
        std::fill(buffer.begin(), buffer.end(), uint8_t{0});
        nova_virtio_block_restart(&disk);
        perform();
        EXPECT_EQ(bytes[7 * NOVA_SECTOR], 'w');
        EXPECT_EQ(status_of(0), 0u);
}

TEST_F(virtio_block_store, data_that_vanished_during_the_copy_is_read_again)
{
        put(0, 0, 7, NOVA_SECTOR, true);
        kick(0);
        valid = false;
        perform();
        EXPECT_EQ(status_of(0), 0xeeu);
        EXPECT_EQ(disk.in_flight, 1u);
        valid = true;
        nova_virtio_block_restart(&disk);
        perform();
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(virtio_block_store, requests_fail_when_the_store_is_gone)
{
        put(0, 0, 7, NOVA_SECTOR, true);
        kick(0);
        disk.failed = true;
        nova_virtio_block_done(&disk, 0, 5);
        put(3, 0, 7, NOVA_SECTOR, true);
        kick(0);
        EXPECT_EQ(status_of(0), 1u);
        EXPECT_EQ(status_of(3), 1u);
        EXPECT_EQ(steps.size(), 1u);
}

TEST_F(virtio_block_store, a_busy_device_is_not_notified_and_finds_requests_by_itself)
{
        const uint64_t event = 0x1000 + used + 4 + 8 * 64;

        make(0, NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX);
        put(0, 0, 0, NOVA_SECTOR, true);
        kick(0);
        /* The driver's next request is number 1, so it sends no notification. */
        EXPECT_EQ(peek<uint16_t>(event), 0);
        EXPECT_TRUE(disk.virtio.again);
        put(3, 0, 1, NOVA_SECTOR, true);
        nova_virtio_look(&disk.virtio); /* at an exit */
        EXPECT_EQ(steps.size(), 2u);
        put(6, 0, 2, NOVA_SECTOR, true);
        perform(); /* at a completion */
        EXPECT_EQ(steps.size(), 2u);
        perform();
        EXPECT_EQ(peek<uint16_t>(event), 0);
        perform();
        EXPECT_EQ(peek<uint16_t>(event), 3); /* the disk is idle */
        EXPECT_FALSE(disk.virtio.again);
        EXPECT_EQ(used_index(0), 3);
        EXPECT_EQ(disk.virtio.notifications, 1u);
}

TEST_F(virtio_block_store, pieces_that_overlap_each_other_and_the_rings_damage_only_the_guest)
{
        poke(header_at, 0u);
        poke(header_at + 4, 0u);
        poke<uint64_t>(header_at + 8, 0);
        describe(0, 0, header_at, 16, chained, 1);
        describe(0, 1, 0x1000, 0x1000, chained | writable, 2);
        describe(0, 2, 0x1000, 0x1000, chained | writable, 3);
        describe(0, 3, header_at, 512, chained | writable, 4);
        describe(0, 4, header_at, 1, writable);
        offer(0, 0, 64);
        kick(0);
        ASSERT_EQ(steps.size(), 1u);
        perform(); /* the rings are full of 0x55 now */
        out(status, 1, 0);
        EXPECT_EQ(disk.in_flight, 0u);
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS; i++)
                EXPECT_EQ(disk.request[i].state, NOVA_VIRTIO_BLOCK_FREE);
}

/* Ranges: requests 11 discard blocks, requests 13 write zeroes. */

constexpr uint64_t with_ranges =
        NOVA_VIRTIO_VERSION_1 | 1u << 9 | 1u << 13 | 1u << 14; /* flush, discard, zeroes */

struct virtio_block_range : virtio_block_store {
        void SetUp() override
        {
                virtio_block_store::SetUp();
                store.has_discard = true;
                make(0, with_ranges);
        }

        /* Requests a range; its data has @p size bytes. */
        void put_range(unsigned at, uint32_t type, uint64_t sector, uint32_t count, uint32_t flags,
                       uint32_t size = 16)
        {
                poke(body_at, sector);
                poke(body_at + 8, count);
                poke(body_at + 12, flags);
                put(at, type, 0, size, false);
        }

        unsigned answer_to(uint32_t type, uint64_t sector, uint32_t count, uint32_t flags,
                           uint32_t size = 16)
        {
                put_range(0, type, sector, count, flags, size);
                kick(0);
                return status_of(0);
        }
};

TEST_F(virtio_block_range, the_configuration_has_the_limits_of_a_request)
{
        for (const unsigned at : {36u, 48u}) {
                EXPECT_EQ(in(config + at, 4), NOVA_VIRTIO_BLOCK_RANGE_MAX / NOVA_SECTOR);
                EXPECT_EQ(in(config + at + 4, 4), 1u);
        }
        EXPECT_EQ(in(config + 44, 4), 1u);
        EXPECT_EQ(in(config + 56, 1), 0u); /* zeroes are written */
        store.block_bytes = 4096;
        make();
        EXPECT_EQ(in(config + 44, 4), 8u);
}

TEST_F(virtio_block_range, ranges_are_offered_for_disks_that_can_do_it)
{
        EXPECT_EQ(disk.virtio.offered & (3u << 13), 3u << 13);
        store.has_discard = false;
        make();
        EXPECT_EQ(disk.virtio.offered & (3u << 13), 2u << 13);
        EXPECT_EQ(in(config + 36, 4), 0u);
        store.has_discard = store.read_only = true;
        make();
        EXPECT_EQ(disk.virtio.offered & (3u << 13), 0u);
}

TEST_F(virtio_block_range, a_discard_reaches_the_store)
{
        put_range(0, 11, 5, 300, 0);
        kick(0);
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(steps[0].operation, NOVA_VIRTIO_BLOCK_DISCARD);
        EXPECT_EQ(steps[0].offset, 5u * NOVA_SECTOR);
        EXPECT_EQ(steps[0].bytes, 300u * NOVA_SECTOR); /* more than the data of a step */
        EXPECT_EQ(status_of(0), 0xeeu);
        perform();
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(used_bytes(0, 0), 1u);
        EXPECT_EQ(bytes[5 * NOVA_SECTOR - 1], 0x55);
        EXPECT_EQ(bytes[5 * NOVA_SECTOR], 0xdd);
        EXPECT_EQ(bytes[305 * NOVA_SECTOR - 1], 0xdd);
        EXPECT_EQ(bytes[305 * NOVA_SECTOR], 0x55);
        EXPECT_EQ(disk.in_flight, 0u);
}

TEST_F(virtio_block_range, zeroes_are_written_in_steps)
{
        for (const uint32_t flags : {0u, 1u}) {
                memset(bytes.data(), 0x55, bytes.size());
                std::fill(buffer.begin(), buffer.end(), uint8_t{0x77});
                put_range(0, 13, 3, 300, flags);
                kick(0);
                for (unsigned i = 0; i < 3; i++) {
                        EXPECT_EQ(status_of(0), 0xeeu);
                        ASSERT_EQ(steps.size(), 1u);
                        EXPECT_EQ(steps[0].operation, NOVA_VIRTIO_BLOCK_WRITE);
                        perform();
                }
                EXPECT_EQ(status_of(0), 0u);
                EXPECT_TRUE(steps.empty());
                for (unsigned i = 0; i < sectors * NOVA_SECTOR; i++)
                        ASSERT_EQ(bytes[i] == 0, i / NOVA_SECTOR >= 3 && i / NOVA_SECTOR < 303);
        }
}

TEST_F(virtio_block_range, a_write_after_zeroes_has_its_own_data)
{
        EXPECT_EQ(answer_to(13, 3, 1, 0), 0xeeu);
        perform();
        memset(&ram[body_at], 'w', NOVA_SECTOR);
        put(0, 1, 7, NOVA_SECTOR, false);
        kick(0);
        perform();
        EXPECT_EQ(bytes[7 * NOVA_SECTOR], 'w');
}

TEST_F(virtio_block_range, zeroes_of_a_driver_that_cannot_flush_are_lasting)
{
        store.has_cache = true;
        make(0, with_ranges & ~(1ull << 9));
        EXPECT_EQ(answer_to(13, 3, 1, 0), 0xeeu);
        perform();
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(steps[0].operation, NOVA_VIRTIO_BLOCK_FLUSH);
        perform();
        EXPECT_EQ(answer_to(11, 3, 1, 0), 0xeeu);
        perform();
        EXPECT_TRUE(steps.empty()); /* a discard may be lost */
}

TEST_F(virtio_block_range, lost_ranges_start_again)
{
        EXPECT_EQ(answer_to(13, 3, 1, 0), 0xeeu);
        put_range(3, 11, 5, 2, 0);
        kick(0);
        steps.clear();
        std::fill(buffer.begin(), buffer.end(), uint8_t{0x77});
        nova_virtio_block_restart(&disk);
        perform();
        perform();
        EXPECT_EQ(bytes[3 * NOVA_SECTOR], 0);
        EXPECT_EQ(bytes[5 * NOVA_SECTOR], 0xdd);
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(status_of(3), 0u);
}

TEST_F(virtio_block_range, ranges_that_are_not_on_the_disk_never_reach_the_store)
{
        for (const uint32_t type : {11u, 13u}) {
                EXPECT_EQ(answer_to(type, sectors - 1, 2, 0), 1u);
                EXPECT_EQ(answer_to(type, sectors, 1, 0), 1u);
                EXPECT_EQ(answer_to(type, UINT64_MAX, 1, 0), 1u);
                EXPECT_EQ(answer_to(type, UINT64_MAX / 512, 2, 0), 1u);
                EXPECT_EQ(answer_to(type, 0, UINT32_MAX, 0), 1u);
                EXPECT_EQ(answer_to(type, 0, 0, 0), 0u);
        }
        EXPECT_TRUE(steps.empty());
        EXPECT_FALSE(broken());
}

TEST_F(virtio_block_range, a_range_has_a_limit_also_on_a_large_disk)
{
        store.bytes = 4ull * NOVA_VIRTIO_BLOCK_RANGE_MAX;
        make(0, with_ranges);
        EXPECT_EQ(answer_to(11, 0, NOVA_VIRTIO_BLOCK_RANGE_MAX / NOVA_SECTOR + 1, 0), 1u);
        EXPECT_EQ(answer_to(13, 0, UINT32_MAX, 0), 1u);
        EXPECT_TRUE(steps.empty());
        EXPECT_EQ(answer_to(11, 0, NOVA_VIRTIO_BLOCK_RANGE_MAX / NOVA_SECTOR, 0), 0xeeu);
        ASSERT_EQ(steps.size(), 1u);
        EXPECT_EQ(steps[0].bytes, NOVA_VIRTIO_BLOCK_RANGE_MAX);
}

TEST_F(virtio_block_range, ranges_of_other_sizes_or_with_unknown_flags_are_refused)
{
        for (const uint32_t type : {11u, 13u}) {
                for (const uint32_t size : {0u, 1u, 15u, 17u, 32u, 4096u})
                        EXPECT_EQ(answer_to(type, 0, 1, 0, size), 1u);
                EXPECT_EQ(answer_to(type, 0, 1, 2), 2u);
                EXPECT_EQ(answer_to(type, 0, 1, 0x80000000), 2u);
        }
        EXPECT_EQ(answer_to(11, 0, 1, 1), 2u); /* only writes of zeroes may have the flag */
        EXPECT_TRUE(steps.empty());
        EXPECT_FALSE(broken());
}

TEST_F(virtio_block_range, ranges_are_whole_blocks)
{
        store.block_bytes = 4096;
        make(0, with_ranges);
        for (const uint32_t type : {11u, 13u}) {
                EXPECT_EQ(answer_to(type, 4, 8, 0), 1u);
                EXPECT_EQ(answer_to(type, 8, 4, 0), 1u);
        }
        EXPECT_TRUE(steps.empty());
}

TEST_F(virtio_block_range, features_that_were_not_accepted_do_nothing)
{
        make();
        EXPECT_EQ(answer_to(11, 0, 1, 0), 2u);
        EXPECT_EQ(answer_to(13, 0, 1, 0), 2u);
        make(0, NOVA_VIRTIO_VERSION_1 | 1u << 13);
        EXPECT_EQ(answer_to(13, 0, 1, 0), 2u);
        make(0, NOVA_VIRTIO_VERSION_1 | 1u << 14);
        EXPECT_EQ(answer_to(11, 0, 1, 0), 2u);
        EXPECT_TRUE(steps.empty());
}

TEST_F(virtio_block_store, a_request_may_be_in_a_table)
{
        memset(&bytes[3 * NOVA_SECTOR], 'x', NOVA_SECTOR);
        make(0, NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_INDIRECT);
        put(0, 0, 3, NOVA_SECTOR, true);
        memcpy(&ram[data + 0x400], &ram[0x1000], 48);
        describe(0, 0, data + 0x400, 48, indirect);
        kick(0);
        perform();
        EXPECT_EQ(status_of(0), 0u);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[3 * NOVA_SECTOR], NOVA_SECTOR), 0);
}

TEST_F(virtio_block_store, a_store_that_polls_is_called_after_exits_and_may_end_steps)
{
        EXPECT_FALSE(disk.virtio.after_exit);
        store.poll = [](void *context) { static_cast<virtio_block_store *>(context)->perform(); };
        make();
        put(0, 0, 3, NOVA_SECTOR, true);
        kick(0);
        EXPECT_EQ(status_of(0), 0xeeu);
        disk.virtio.after_exit(&disk.virtio);
        EXPECT_EQ(status_of(0), 0u);
}

TEST_F(virtio_block_store, requests_without_header_or_status_break_the_device)
{
        describe(0, 0, header_at, 15, chained, 1);
        describe(0, 1, status_at, 1, writable);
        offer(0, 0, 64);
        kick(0);
        EXPECT_TRUE(broken());
        EXPECT_TRUE(steps.empty());
        EXPECT_EQ(disk.in_flight, 0u);
}

} // namespace
