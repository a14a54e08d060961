/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card: frames in both directions, checksums, and faulty drivers. */
#include "virtio_net.h"

namespace
{

using namespace virtio;

TEST_F(virtio_net, has_its_address_and_no_unknown_feature)
{
        for (unsigned i = 0; i < sizeof(address); i++)
                EXPECT_EQ(in(config + i, 1), address[i]);
        EXPECT_EQ(device->offered, NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX | check_sum |
                                           guest_sum | 1 << 5 | large | cut | merged);
        EXPECT_EQ(in(queues, 2), 2u);
}

TEST_F(virtio_net, sends_frames_of_all_sizes)
{
        start();
        for (unsigned bytes : {14u, 15u, 60u, 1513u, 1514u}) {
                sent.clear();
                queue_frame(0, bytes);
                kick(from_guest);
                ASSERT_EQ(sent.size(), 1u);
                EXPECT_EQ(sent[0].size(), bytes);
                EXPECT_EQ(static_cast<uint8_t>(sent[0][bytes - 1]), (bytes - 1) & 0xff);
        }
        EXPECT_EQ(used_index(from_guest), 5);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_net, one_kick_covers_all_frames_of_a_notification)
{
        start();
        queue_frame(0, 60);
        queue_frame(1, 61);
        queue_frame(2, 62);
        kick(from_guest);
        EXPECT_EQ(sent.size(), 3u);
        EXPECT_EQ(kicks, 1u);
        kick(from_guest);
        EXPECT_EQ(kicks, 1u);
}

TEST_F(virtio_net, a_frame_may_lie_in_pieces)
{
        start();
        for (unsigned i = 0; i < 40; i++)
                ram[data + header_bytes + i] = static_cast<uint8_t>(i);
        describe(from_guest, 0, data, 5, chained, 1);
        describe(from_guest, 1, data + 5, 20, chained, 2);
        describe(from_guest, 2, data + 25, 27, 0);
        offer(from_guest, 0);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].size(), 40u);
        EXPECT_EQ(memcmp(sent[0].data(), &ram[data + header_bytes], 40), 0);
}

TEST_F(virtio_net, frames_wait_for_room)
{
        room = 1;
        start();
        queue_frame(0, 60);
        queue_frame(1, 61);
        kick(from_guest);
        EXPECT_EQ(sent.size(), 1u);
        EXPECT_EQ(used_index(from_guest), 1);
        room = 1;
        nova_virtio_net_resume(&net);
        ASSERT_EQ(sent.size(), 2u);
        EXPECT_EQ(sent[1].size(), 61u);
        EXPECT_EQ(kicks, 2u);
        nova_virtio_net_resume(&net);
        EXPECT_EQ(kicks, 2u);
}

TEST_F(virtio_net, requests_a_notification_only_if_there_is_room)
{
        room = 1;
        start_with(NOVA_VIRTIO_EVENT_INDEX);
        queue_frame(0, 60);
        queue_frame(1, 60);
        kick(from_guest);
        const uint64_t event = 0x1000 * (from_guest + 1) + used + 4 + 8 * 8;
        EXPECT_EQ(peek<uint16_t>(event), 0);
        room = 5;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(peek<uint16_t>(event), 2);
}

/* The words 0x0001, 0x0203, ... of a frame; the sum begins at an even byte, or an odd one. */
TEST_F(virtio_net, completes_checksums)
{
        start_with(check_sum);
        for (unsigned bytes : {40u, 41u, 42u, 43u}) {
                for (unsigned from : {14u, 15u}) {
                        sent.clear();
                        queue_frame(0, bytes, 1, static_cast<uint16_t>(from), 6);
                        kick(from_guest);
                        ASSERT_EQ(sent.size(), 1u);
                        uint32_t sum = 0;
                        for (unsigned i = from; i < bytes; i++)
                                sum += i << ((i - from) % 2 ? 0 : 8);
                        sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
                        EXPECT_EQ(static_cast<uint8_t>(sent[0][from + 6]), sum >> 8);
                        EXPECT_EQ(static_cast<uint8_t>(sent[0][from + 7]), sum & 0xff);
                        EXPECT_EQ(static_cast<uint8_t>(sent[0][from + 8]), from + 8);
                }
        }
}

TEST_F(virtio_net, a_checksum_of_zero_is_sent_as_ones)
{
        start_with(check_sum);
        queue_frame(0, 18, 1, 14, 2);
        poke<uint16_t>(data + header_bytes + 14, 0xf0ff);
        poke<uint16_t>(data + header_bytes + 16, 0x0f00);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].substr(16, 2), "\xff\xff");
}

TEST_F(virtio_net, a_checksum_outside_of_the_frame_breaks_the_device)
{
        const struct {
                uint16_t from, at;
        } bad[] = {{60, 0}, {50, 9}, {59, 0}, {0xffff, 0}, {14, 0xffff}, {0xffff, 0xffff}};

        for (const auto &row : bad) {
                start_with(check_sum);
                sent.clear();
                queue_frame(0, 60, 1, row.from, row.at);
                kick(from_guest);
                EXPECT_TRUE(broken()) << row.from << ' ' << row.at;
                EXPECT_TRUE(sent.empty());
        }
        start_with(check_sum);
        queue_frame(0, 60, 1, 50, 8);
        kick(from_guest);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_net, features_that_were_not_negotiated_break_the_device)
{
        start();
        queue_frame(0, 60, 1, 14, 16);
        kick(from_guest);
        EXPECT_TRUE(broken());
        start();
        queue_frame(0, 60);
        ram[data + 1] = 1; /* the packet must be divided into segments */
        kick(from_guest);
        EXPECT_TRUE(broken());
        EXPECT_TRUE(sent.empty());
}

/* A driver without VIRTIO_NET_F_MTU knows no limit. The length comes from the guest's network code:
 * a tag of a VLAN, or a larger MTU. */
TEST_F(virtio_net, drops_a_frame_that_is_too_long)
{
        const uint64_t element = 0x1000 * (from_guest + 1) + used + 4;

        start_with(check_sum);
        describe(from_guest, 0, data, header_bytes + 1515, 0);
        describe(from_guest, 1, data, header_bytes + 9014, 0);
        memset(&ram[data], 0, header_bytes);
        poke<uint32_t>(element + 4, 0xee); /* number of bytes that were written */
        offer(from_guest, 0);
        offer(from_guest, 1);
        queue_frame(2, 60);
        kick(from_guest);
        EXPECT_FALSE(broken());
        EXPECT_EQ(used_index(from_guest), 3);
        EXPECT_EQ(peek<uint32_t>(element), 0u);
        EXPECT_EQ(peek<uint32_t>(element + 4), 0u);
        EXPECT_EQ(net.refused, 2u);
        EXPECT_EQ(net.sent, 1u);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].size(), 60u);
        queue_frame(0, 1515, 1, 14, 16);
        kick(from_guest);
        EXPECT_FALSE(broken());
        EXPECT_EQ(net.refused, 3u);
        queue_frame(0, 1515);
        ram[data + 1] = 1; /* a feature that was not negotiated */
        kick(from_guest);
        EXPECT_TRUE(broken());
}

TEST_F(virtio_net, frames_of_other_sizes_break_the_device)
{
        for (unsigned bytes : {0u, 13u}) {
                start();
                queue_frame(0, bytes);
                kick(from_guest);
                EXPECT_TRUE(broken()) << bytes;
        }
        start();
        describe(from_guest, 0, data, 8, 0); /* less than a header */
        offer(from_guest, 0);
        kick(from_guest);
        EXPECT_TRUE(broken());
        EXPECT_TRUE(sent.empty());
}

TEST_F(virtio_net, receives_a_frame_with_its_header)
{
        const uint8_t frame[20] = {1, 2, 3};

        start();
        memset(&ram[data], 0xee, 64);
        queue_buffer(0);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_EQ(used_bytes(to_guest, 0), 32u);
        EXPECT_EQ(peek<uint16_t>(data + 10), 1); /* number of buffers */
        EXPECT_EQ(peek<uint16_t>(data), 0);      /* no flags, no segments */
        EXPECT_EQ(memcmp(&ram[data + header_bytes], frame, sizeof(frame)), 0);
        EXPECT_EQ(ram[data + 32], 0xee);
        EXPECT_TRUE(line);
}

TEST_F(virtio_net, reports_when_buffers_are_there_again)
{
        const uint8_t frame[20] = {};

        start();
        kick(to_guest);
        EXPECT_EQ(rooms, 0u);
        EXPECT_FALSE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        queue_buffer(0);
        kick(to_guest);
        EXPECT_EQ(rooms, 1u);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_FALSE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        out(status, 1, 0); /* the driver resets the card */
        EXPECT_EQ(rooms, 2u);
}

TEST_F(virtio_net, drops_frames_without_a_driver)
{
        const uint8_t frame[20] = {};

        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        start();
        queue_buffer(0, header_bytes + 1513);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_TRUE(broken()); /* because the buffer is too small */
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_EQ(net.received, 0u);
}

TEST_F(virtio_net, a_driver_that_adds_frames_for_ever_does_not_hold_the_monitor)
{
        start_with(NOVA_VIRTIO_EVENT_INDEX);
        is_endless = true;
        queue_frame(0, 60);
        kick(from_guest);
        EXPECT_EQ(sent.size(), 4u * NOVA_VIRTIO_QUEUE_SIZE);
        EXPECT_EQ(kicks, 1u);
        EXPECT_TRUE(net.virtio.again);
        is_endless = false;
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(sent.size(), 4u * NOVA_VIRTIO_QUEUE_SIZE + 1);
        EXPECT_FALSE(net.virtio.again);
}

TEST_F(virtio_net, asks_to_be_called_soon_when_it_ends_its_turn)
{
        unsigned soon = 0;

        net.virtio.context = &soon;
        net.virtio.look_soon = [](void *context) { ++*static_cast<unsigned *>(context); };
        start_with(NOVA_VIRTIO_EVENT_INDEX);
        is_endless = true;
        queue_frame(0, 60);
        kick(from_guest);
        EXPECT_EQ(soon, 1u);
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(soon, 2u);
        room = 100;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(soon, 2u) << "there is no room";
        room = 1000;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(soon, 3u);
        is_endless = false;
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(soon, 3u);
        EXPECT_FALSE(net.virtio.unfinished);
}

TEST_F(virtio_net, tells_the_driver_a_limit_of_frames)
{
        constexpr uint64_t mtu = 1 << 3;

        EXPECT_FALSE(net.virtio.offered & mtu);
        nova_virtio_net_limit(&net, 1014);
        EXPECT_TRUE(net.virtio.offered & mtu);
        EXPECT_EQ(in(config + 10, 2), 1000u);
        EXPECT_EQ(in(config, 1), 2u) << "the address stays";
        nova_virtio_net_limit(&net, 0);
        EXPECT_EQ(in(config + 10, 2), 576u);
}

/* The interrupt for frames that were sent, which a board may hold back. */
struct virtio_net_late : virtio_net {
        void SetUp() override
        {
                virtio_net::SetUp();
                net.virtio.may_be_late = true;
        }

        /* Starts a card whose queue has 16 entries, so that the interrupt for four frames is not
         * held back. */
        void start_late(uint64_t features = 0)
        {
                begin(NOVA_VIRTIO_VERSION_1 | features);
                make_queue(to_guest, 16);
                make_queue(from_guest, 16);
                finish();
        }

        void send_frames(unsigned count)
        {
                for (unsigned i = 0; i < count; i++) {
                        describe(from_guest, 0, data, header_bytes + 60, 0);
                        offer(from_guest, 0, 16);
                        kick(from_guest);
                }
        }

        /* Returns whether the line was high, and lowers it as a driver does. */
        bool interrupted()
        {
                const bool was = line;
                in(isr, 1);
                return was;
        }
};

TEST_F(virtio_net_late, waits_until_it_is_reported)
{
        start_late();
        send_frames(3);
        EXPECT_EQ(used_index(from_guest), 3);
        EXPECT_FALSE(line);
        EXPECT_TRUE(net.virtio.late);
        nova_virtio_report(&net.virtio);
        EXPECT_TRUE(interrupted());
        EXPECT_FALSE(net.virtio.late);
        nova_virtio_report(&net.virtio);
        EXPECT_FALSE(line) << "one interrupt for all of them";
}

TEST_F(virtio_net_late, comes_with_a_quarter_of_the_queue)
{
        start_late();
        for (unsigned round = 0; round < 10; round++) {
                send_frames(3);
                EXPECT_FALSE(line) << round;
                send_frames(1);
                EXPECT_TRUE(interrupted()) << round;
        }
}

TEST_F(virtio_net_late, counts_from_the_frame_that_the_driver_has_named)
{
        const uint64_t event = 0x1000 * (from_guest + 1) + available + 4 + 2 * 16;

        start_late(NOVA_VIRTIO_EVENT_INDEX);
        poke<uint16_t>(event, 5);
        send_frames(8); /* the card counts from the sixth frame */
        EXPECT_FALSE(line);
        EXPECT_TRUE(net.virtio.late);
        send_frames(1);
        EXPECT_TRUE(interrupted());
        send_frames(20);
        EXPECT_FALSE(line) << "the driver has named no other frame";
        EXPECT_FALSE(net.virtio.queue[from_guest].late);
}

TEST_F(virtio_net_late, comes_at_once_without_a_board)
{
        net.virtio.may_be_late = false;
        start_late();
        send_frames(1);
        EXPECT_TRUE(line);
}

TEST_F(virtio_net_late, comes_at_once_when_room_was_waited_for)
{
        room = 0;
        start_late();
        send_frames(1);
        room = 1;
        nova_virtio_net_resume(&net); /* a thread calls this, so the guest may have halted */
        EXPECT_TRUE(line);
}

TEST_F(virtio_net_late, comes_at_once_for_received_frames)
{
        const uint8_t frame[20] = {};

        start_late();
        describe(to_guest, 0, data + 0x4000, header_bytes + 1514, writable);
        offer(to_guest, 0, 16);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_TRUE(line);
}

TEST_F(virtio_net_late, does_not_outlive_a_reset)
{
        start_late();
        send_frames(1);
        out(status, 1, 0);
        EXPECT_FALSE(net.virtio.late);
        start_late();
        nova_virtio_report(&net.virtio);
        EXPECT_FALSE(line);
}

} // namespace
