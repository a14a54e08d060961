/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card: open checksums, and frames in several buffers. */
#include "virtio_net.h"

namespace
{

using namespace virtio;

TEST_F(virtio_net, passes_on_open_checksums_if_its_user_takes_them)
{
        const std::string whole = "\x10\x11\x12\x13";

        takes_sums = true;
        start_with(check_sum);
        queue_frame(0, 60, 1, 14, 2);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sums, std::vector<uint32_t>{nova_net_sum_open(14, 2)});
        EXPECT_EQ(sent[0].substr(16, 4), whole);
        queue_frame(0, 60);
        kick(from_guest);
        queue_frame(0, 60, 1, 13, 3); /* not valid: offset 13 is in the Ethernet header */
        kick(from_guest);
        ASSERT_EQ(sent.size(), 3u);
        EXPECT_EQ(sums.size(), 1u);
        EXPECT_EQ(sent[1].substr(16, 4), whole);
        EXPECT_NE(sent[2].substr(16, 4), whole);
}

TEST_F(virtio_net, gives_a_frame_with_an_open_checksum_as_it_is)
{
        uint8_t frame[60] = {};

        memset(frame + 20, 0x11, 40);
        start_with(guest_sum);
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive_sum(&net, frame, 60, nova_net_sum_open(20, 16)));
        EXPECT_EQ(peek<uint8_t>(data), 1);
        EXPECT_EQ(peek<uint16_t>(data + 6), 20);
        EXPECT_EQ(peek<uint16_t>(data + 8), 16);
        EXPECT_EQ(memcmp(&ram[data + header_bytes], frame, 60), 0);
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive_sum(&net, frame, 60, NOVA_NET_SUM_RIGHT));
        EXPECT_EQ(peek<uint8_t>(data), 2);
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive_sum(&net, frame, 60, 0));
        EXPECT_EQ(peek<uint8_t>(data), 0);
}

TEST_F(virtio_net, completes_checksums_for_a_driver_that_takes_no_open_ones)
{
        uint8_t frame[60] = {}, before[60];

        memset(frame + 20, 0x11, 40);
        memcpy(before, frame, 60);
        start();
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive_sum(&net, frame, 60, nova_net_sum_open(20, 16)));
        EXPECT_EQ(peek<uint64_t>(data), 0u);
        EXPECT_EQ(peek<uint16_t>(data + header_bytes + 34), 0x1111);
        EXPECT_EQ(peek<uint16_t>(data + header_bytes + 36), 0xaaaa); /* 20 words of 0x1111 */
        EXPECT_EQ(peek<uint16_t>(data + header_bytes + 38), 0x1111);
        EXPECT_EQ(memcmp(frame, before, 60), 0);
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive_sum(&net, frame, 60, NOVA_NET_SUM_RIGHT));
        EXPECT_EQ(peek<uint8_t>(data), 0);
}

/* Buffers of a frame, at intervals of 0x800 bytes. */
struct virtio_net_merged : virtio_net {
        uint8_t frame[NOVA_VIRTIO_NET_FRAME_MAX];

        void SetUp() override
        {
                virtio_net::SetUp();
                for (unsigned i = 0; i < sizeof(frame); i++)
                        frame[i] = static_cast<uint8_t>(i * 7);
        }

        void expect_part(unsigned number, unsigned offset, unsigned from, unsigned bytes)
        {
                EXPECT_EQ(used_bytes(to_guest, number), offset + bytes) << number;
                EXPECT_EQ(memcmp(&ram[data + 0x800u * number + offset], frame + from, bytes), 0)
                        << number;
        }
};

TEST_F(virtio_net_merged, a_frame_lies_in_as_many_buffers_as_it_needs)
{
        start_with(merged);
        queue_buffer(0, header_bytes);
        queue_buffer(1, 13);
        queue_buffer(2, 701);
        queue_buffer(3, 801);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 1514));
        EXPECT_EQ(used_index(to_guest), 4);
        EXPECT_EQ(peek<uint16_t>(data + 10), 4);
        expect_part(0, header_bytes, 0, 0);
        expect_part(1, 0, 0, 13);
        expect_part(2, 0, 13, 701);
        expect_part(3, 0, 714, 800);
        EXPECT_EQ(net.received, 1u);
}

TEST_F(virtio_net_merged, a_frame_waits_until_all_its_buffers_are_there)
{
        const uint64_t event = 0x1000 * (to_guest + 1) + used + 4 + 8 * 8;

        start_with(merged | NOVA_VIRTIO_EVENT_INDEX);
        queue_buffer(0, 100);
        queue_buffer(1, 200);
        EXPECT_FALSE(nova_virtio_net_receive(&net, frame, 500));
        EXPECT_EQ(used_index(to_guest), 0);
        EXPECT_FALSE(line);
        EXPECT_EQ(peek<uint16_t>(event), 2) << "the driver notifies the card of the next buffer";
        queue_buffer(2, 300);
        kick(to_guest);
        EXPECT_EQ(rooms, 1u);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 500));
        EXPECT_EQ(used_index(to_guest), 3);
        EXPECT_EQ(peek<uint16_t>(data + 10), 3);
        expect_part(0, header_bytes, 0, 88);
        expect_part(1, 0, 88, 200);
        expect_part(2, 0, 288, 212);
}

TEST_F(virtio_net_merged, the_driver_may_name_any_buffer_of_a_frame_for_its_interrupt)
{
        const uint64_t event = 0x1000 * (to_guest + 1) + available + 4 + 2 * 8;

        for (uint16_t named = 0; named < 4; named++) {
                start_with(merged | NOVA_VIRTIO_EVENT_INDEX);
                poke<uint16_t>(event, named);
                for (uint16_t i = 0; i < 3; i++)
                        queue_buffer(i, 100);
                in(isr, 1);
                EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 250));
                EXPECT_EQ(used_index(to_guest), 3);
                EXPECT_EQ(line, named < 3) << named;
        }
}

TEST_F(virtio_net_merged, buffers_that_are_too_small_break_the_device)
{
        start_with(merged);
        queue_buffer(0, header_bytes - 1);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 100));
        EXPECT_TRUE(broken());
        start_with(merged);
        for (uint16_t i = 0; i < 8; i++)
                queue_buffer(i, 100);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 789)); /* a byte too much */
        EXPECT_TRUE(broken());
        EXPECT_EQ(used_index(to_guest), 0);
        start_with(merged);
        for (uint16_t i = 0; i < 8; i++)
                queue_buffer(i, 100);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, 788));
        EXPECT_FALSE(broken());
        EXPECT_EQ(peek<uint16_t>(data + 10), 8);
}

} // namespace
