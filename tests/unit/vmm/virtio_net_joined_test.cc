/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card: frames of a stream that the guest gets as one packet. */
#include "novart/internet_sum.h"
#include "virtio_net.h"

namespace
{

using namespace virtio;

constexpr unsigned headers = 54;
const uint32_t open_sum = nova_net_sum_open(34, 16);

struct virtio_net_joined : virtio_net {
        static constexpr uint64_t all = guest_sum | large | merged;
        static constexpr unsigned size = 64;
        std::vector<uint32_t> at; /* places of the buffers, by number */
        uint32_t next_at = data;

        void start_joined(uint64_t features = all)
        {
                begin(NOVA_VIRTIO_VERSION_1 | features);
                make_queue(to_guest, size);
                make_queue(from_guest, size);
                finish();
                at.clear();
                next_at = data;
                in(isr, 1);
        }

        void add_buffers(unsigned count, unsigned bytes)
        {
                while (count--) {
                        const auto head = static_cast<uint16_t>(at.size());

                        describe(to_guest, head, next_at, bytes, writable);
                        offer(to_guest, head, size);
                        at.push_back(next_at);
                        next_at += bytes;
                }
        }

        /* Fills the queue with buffers that all lie at one place, because the RAM is too small to
         * keep them apart. */
        void add_all_in_one_place(unsigned bytes)
        {
                for (unsigned i = 0; i < size; i++) {
                        next_at = data;
                        add_buffers(1, bytes);
                }
        }

        static void put(std::string &to, unsigned from, unsigned bytes, uint32_t value)
        {
                while (bytes--)
                        to[from++] = static_cast<char>(value >> 8 * bytes);
        }

        static std::string make(uint32_t sequence, unsigned bytes)
        {
                std::string made(headers + bytes, 0);

                for (unsigned i = 0; i < 12; i++)
                        put(made, i, 1, i);
                put(made, 12, 4, 0x08004500);
                put(made, 16, 4, (40 + bytes) << 16 | (sequence & 0xffff));
                put(made, 20, 4, 0x40004006);
                put(made, 26, 4, 0x0a000001);
                put(made, 30, 4, 0x0a000002);
                put(made, 34, 4, 1000U << 16 | 80);
                put(made, 38, 4, sequence);
                put(made, 46, 4, 0x50100000 | 5000);
                for (unsigned i = 0; i < bytes; i++)
                        put(made, headers + i, 1, (sequence + i) * 7 >> 3);
                close_ip(made);
                return made;
        }

        static void close_ip(std::string &of)
        {
                put(of, 24, 2, 0);
                const auto sum = static_cast<uint16_t>(~nova_internet_sum(&of[14], 20));
                memcpy(&of[24], &sum, 2);
        }

        bool give(const std::string &frame, uint32_t sum = open_sum)
        {
                return nova_virtio_net_receive_more(&net, frame.data(), frame.size(), sum);
        }

        void end()
        {
                nova_virtio_net_receive_end(&net);
        }

        /* Returns the packet whose first buffer is @p from. */
        std::string packet(unsigned from)
        {
                const unsigned count = peek<uint16_t>(at[from] + 10);
                std::string got;

                for (unsigned i = from; i < from + count; i++)
                        got.append(reinterpret_cast<const char *>(&ram[at[i]]),
                                   used_bytes(to_guest, i));
                return got.substr(header_bytes);
        }
};

TEST_F(virtio_net_joined, frames_of_a_stream_become_one_packet)
{
        std::string whole = make(0xfffffe00, 2500);

        start_joined();
        add_buffers(8, 700);
        EXPECT_TRUE(give(make(0xfffffe00, 1000)));
        EXPECT_TRUE(give(make(0xfffffe00 + 1000, 1000)));
        EXPECT_TRUE(give(make(0xfffffe00 + 2000, 500)));
        EXPECT_EQ(used_index(to_guest), 0) << "the driver sees no part of it";
        EXPECT_FALSE(line);
        end();
        EXPECT_TRUE(line);
        EXPECT_EQ(used_index(to_guest), 4);
        EXPECT_EQ(net.received, 3u);
        EXPECT_EQ(peek<uint8_t>(data), 1);
        EXPECT_EQ(peek<uint8_t>(data + 1), 1) << "TCP over IPv4";
        EXPECT_EQ(peek<uint16_t>(data + 2), headers);
        EXPECT_EQ(peek<uint16_t>(data + 4), 1000);
        EXPECT_EQ(peek<uint16_t>(data + 6), 34);
        EXPECT_EQ(peek<uint16_t>(data + 8), 16);
        EXPECT_EQ(peek<uint16_t>(data + 10), 4);
        put(whole, 50, 2, 0x1400 + 3 + 6 + 2520); /* the sum of the pseudo header */
        EXPECT_EQ(packet(0), whole);
        end();
        EXPECT_EQ(used_index(to_guest), 4);
}

TEST_F(virtio_net_joined, a_frame_alone_is_as_it_was)
{
        const std::string frame = make(5, 1000);

        start_joined();
        add_buffers(2, 700);
        EXPECT_TRUE(give(frame));
        end();
        EXPECT_EQ(used_index(to_guest), 2);
        EXPECT_EQ(peek<uint32_t>(data), 1u);
        EXPECT_EQ(peek<uint16_t>(data + 4), 0);
        EXPECT_EQ(packet(0), frame);
}

TEST_F(virtio_net_joined, each_frame_is_given_at_once_without_the_features)
{
        for (const uint64_t features : {guest_sum | large, guest_sum | merged, large | merged}) {
                start_joined(features);
                add_buffers(2, 2000);
                EXPECT_TRUE(give(make(0, 100)));
                EXPECT_EQ(used_index(to_guest), 1) << features;
                EXPECT_TRUE(give(make(100, 100)));
                EXPECT_EQ(used_index(to_guest), 2) << features;
                EXPECT_EQ(peek<uint8_t>(data + 1), 0) << features;
        }
}

TEST_F(virtio_net_joined, one_frame_at_a_time_is_never_joined)
{
        start_joined();
        add_buffers(2, 2000);
        for (unsigned i = 0; i < 2; i++) {
                const std::string frame = make(100 * i, 100);

                EXPECT_TRUE(
                        nova_virtio_net_receive_sum(&net, frame.data(), frame.size(), open_sum));
                EXPECT_EQ(used_index(to_guest), i + 1);
        }
}

TEST_F(virtio_net_joined, other_frames_begin_a_packet_of_their_own)
{
        const std::string first = make(0, 100), next = make(100, 100);
        std::string other = next;
        const auto expect_two = [&](const char *what, const std::string &one,
                                    const std::string &two, uint32_t sum = open_sum) {
                start_joined();
                add_buffers(4, 2000);
                EXPECT_TRUE(give(one));
                EXPECT_TRUE(give(two, sum));
                end();
                EXPECT_EQ(used_index(to_guest), 2) << what;
                EXPECT_EQ(peek<uint8_t>(data + 1), 0) << what;
                EXPECT_EQ(packet(0), one) << what;
                EXPECT_EQ(packet(1), two) << what;
        };

        start_joined();
        add_buffers(4, 2000);
        give(first);
        give(next);
        end();
        EXPECT_EQ(used_index(to_guest), 1);
        expect_two("data is missing", first, make(101, 100));
        expect_two("more data than in the first frame", first, make(100, 101));
        expect_two("a checksum that is not open", first, next, 0);
        expect_two("a checksum that was checked", first, next, NOVA_NET_SUM_RIGHT);
        expect_two("another place of the checksum", first, next, nova_net_sum_open(34, 6));
        expect_two("bytes behind the packet", first, next + "x");
        put(other, 36, 2, 81);
        expect_two("another port", first, other);
        other = next;
        put(other, 47, 1, 0x11);
        expect_two("the end of the stream", first, other);
        other = next;
        put(other, 14, 1, 0x46);
        expect_two("options of IPv4", first, other);
        other = next;
        put(other, 20, 2, 0x2000);
        close_ip(other);
        expect_two("a part of a packet", first, other);
        other = next;
        put(other, 24, 1, other[24] ^ 1);
        expect_two("a wrong sum of the header", first, other);
        other = first;
        put(other, 47, 1, 0x18);
        expect_two("data to be passed on", other, next);
}

TEST_F(virtio_net_joined, a_smaller_frame_ends_the_packet)
{
        start_joined();
        add_buffers(4, 2000);
        for (const auto &frame : {make(0, 100), make(100, 99), make(199, 99), make(298, 99)})
                EXPECT_TRUE(give(frame));
        end();
        EXPECT_EQ(used_index(to_guest), 2);
        EXPECT_EQ(packet(0).size(), headers + 199);
        EXPECT_EQ(packet(1).size(), headers + 198);
        EXPECT_EQ(peek<uint16_t>(at[1] + 4), 99);
}

TEST_F(virtio_net_joined, has_at_most_65535_bytes)
{
        start_joined();
        add_all_in_one_place(1460);
        for (unsigned i = 0; i < 46; i++)
                EXPECT_TRUE(give(make(1460 * i, 1460)));
        EXPECT_EQ(used_index(to_guest), 45);
        end();
        EXPECT_EQ(used_index(to_guest), 45 + 3);
}

TEST_F(virtio_net_joined, a_frame_that_finds_no_buffer_ends_the_packet)
{
        const std::string third = make(2000, 1000);

        start_joined();
        add_buffers(3, 700 + header_bytes);
        EXPECT_TRUE(give(make(0, 1000)));
        EXPECT_TRUE(give(make(1000, 1000)));
        EXPECT_EQ(used_index(to_guest), 0);
        EXPECT_FALSE(give(third));
        EXPECT_EQ(used_index(to_guest), 3) << "nothing waits";
        EXPECT_EQ(packet(0).size(), headers + 2000);
        EXPECT_TRUE(net.lacks_buffers);
        end();
        add_buffers(2, 700);
        kick(to_guest);
        EXPECT_EQ(rooms, 1u);
        EXPECT_TRUE(give(third));
        end();
        EXPECT_EQ(used_index(to_guest), 5);
        EXPECT_EQ(packet(3), third);
}

TEST_F(virtio_net_joined, the_buffers_of_a_frame_that_does_not_fit_are_not_lost)
{
        const std::string third = make(2000, 1000);

        start_joined();
        add_buffers(4, 700);
        EXPECT_TRUE(give(make(0, 1000)));
        EXPECT_TRUE(give(make(1000, 1000))); /* 34 bytes are left of the third buffer */
        EXPECT_FALSE(give(third));           /* needs the fourth buffer and a fifth one */
        EXPECT_EQ(used_index(to_guest), 3);
        EXPECT_EQ(packet(0).substr(headers), make(0, 2000).substr(headers));
        add_buffers(1, 700);
        EXPECT_TRUE(give(third));
        end();
        EXPECT_EQ(used_index(to_guest), 5);
        EXPECT_EQ(packet(3), third);
}

TEST_F(virtio_net_joined, small_first_buffers_have_frames_that_are_not_joined)
{
        for (unsigned bytes = header_bytes; bytes < header_bytes + headers + 3; bytes++) {
                const bool joins = bytes >= header_bytes + headers;

                start_joined();
                add_buffers(1, bytes);
                add_buffers(1, 1000);
                add_buffers(1, 1000);
                EXPECT_TRUE(give(make(0, 100)));
                EXPECT_TRUE(give(make(100, 100)));
                end();
                EXPECT_EQ(used_index(to_guest), joins ? 2 : 3) << bytes;
                EXPECT_EQ(packet(0).substr(headers), make(0, joins ? 200 : 100).substr(headers))
                        << bytes;
        }
}

TEST_F(virtio_net_joined, a_driver_that_breaks_the_device_gets_no_packet)
{
        start_joined();
        add_buffers(1, 200);
        add_buffers(1, header_bytes - 1);
        EXPECT_TRUE(give(make(0, 100)));
        EXPECT_TRUE(give(make(100, 100)));
        EXPECT_TRUE(broken());
        end();
        EXPECT_EQ(used_index(to_guest), 0);
        start_joined();
        add_buffers(1, 2000);
        EXPECT_TRUE(give(make(0, 100)));
        start_joined(); /* after a reset */
        end();
        EXPECT_EQ(used_index(to_guest), 0);
}

TEST_F(virtio_net_joined, has_at_most_as_many_buffers_as_the_queue_has_descriptors)
{
        start_joined();
        add_all_in_one_place(700);
        for (unsigned i = 0; i < 44; i++) /* the last byte is in the second-to-last buffer */
                EXPECT_TRUE(give(make(1000 * i, 1000)));
        offer(to_guest, 0, size); /* the device still has this buffer */
        EXPECT_FALSE(broken());
        EXPECT_TRUE(give(make(44000, 1000)));
        EXPECT_EQ(complaint, "a queue with more chains than descriptors");
        end();
        EXPECT_EQ(used_index(to_guest), 0);
}

TEST_F(virtio_net_joined, the_senders_memory_may_change)
{
        std::string first = make(0, 100);

        start_joined();
        add_buffers(1, 2000);
        EXPECT_TRUE(give(first));
        memset(first.data(), 0xff, first.size());
        EXPECT_TRUE(give(make(100, 100)));
        end();
        EXPECT_EQ(packet(0).substr(headers), make(0, 200).substr(headers));
        EXPECT_EQ(packet(0).substr(0, 50), make(0, 200).substr(0, 50));
}

} // namespace
