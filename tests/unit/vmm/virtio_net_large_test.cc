/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card cuts large packets of the guest into frames. */
#include "novart/internet_sum.h"
#include "virtio_net.h"

namespace
{

using namespace virtio;

struct virtio_net_large : virtio_net {
        static constexpr unsigned all = check_sum | cut, headers = 54, payload = data + 0x1000,
                                  payload_bytes = 0x7000, size = 64;
        uint16_t pieces = 0; /* descriptors of the chain */

        void SetUp() override
        {
                virtio_net::SetUp();
                takes_sums = true;
                for (unsigned i = 0; i < payload_bytes; i++)
                        ram[payload + i] = static_cast<uint8_t>(i * i >> 5);
        }

        void start_large(uint64_t features = all)
        {
                begin(NOVA_VIRTIO_VERSION_1 | features);
                make_queue(to_guest, size);
                make_queue(from_guest, size);
                finish();
                sent.clear();
                sums.clear();
        }

        void put(unsigned at, unsigned bytes, uint32_t value)
        {
                while (bytes--)
                        ram[data + header_bytes + at++] = static_cast<uint8_t>(value >> 8 * bytes);
        }

        /* Writes the header of the device, and the headers of a packet. */
        void write_headers(unsigned bytes, uint16_t segment)
        {
                memset(&ram[data], 0, 0x100);
                poke<uint8_t>(data, 1);
                poke<uint8_t>(data + 1, 1);
                poke<uint16_t>(data + 2, headers);
                poke<uint16_t>(data + 4, segment);
                poke<uint16_t>(data + 6, 34);
                poke<uint16_t>(data + 8, 16);
                for (unsigned i = 0; i < 12; i++)
                        put(i, 1, i);
                put(12, 4, 0x08004500);
                put(16, 4, (40 + bytes) << 16 | 0xffff); /* the packet's size and its number */
                put(20, 4, 0x40004006);
                put(26, 4, 0x0a000001);
                put(30, 4, 0x0a000002);
                put(34, 4, 1000U << 16 | 80);
                put(38, 4, 0xfffffff0);
                put(46, 4, 0x50190000 | 5000); /* ACK, PSH, FIN */
        }

        void add_piece(uint64_t at, uint32_t bytes, bool last)
        {
                describe(from_guest, pieces, at, bytes, last ? 0 : chained,
                         static_cast<uint16_t>(pieces + 1));
                pieces++;
        }

        /* Offers a packet. Its data is the payload, repeated until the packet is full. */
        void offer_packet(unsigned bytes, unsigned before = header_bytes + headers)
        {
                const uint16_t head = pieces;

                add_piece(data, before, !bytes);
                while (bytes) {
                        const unsigned part = bytes < payload_bytes ? bytes : payload_bytes;

                        bytes -= part;
                        add_piece(payload, part, !bytes);
                }
                offer(from_guest, head, size);
        }

        void queue_packet(unsigned bytes, uint16_t segment)
        {
                write_headers(bytes, segment);
                offer_packet(bytes);
        }

        unsigned number(unsigned frame, unsigned at, unsigned bytes)
        {
                unsigned value = 0;

                while (bytes--)
                        value = value << 8 | static_cast<uint8_t>(sent[frame][at++]);
                return value;
        }

        /* Expects that a packet of 1,000 bytes, changed by @p change, is dropped. */
        template <typename function> void expect_dropped(const char *what, function change)
        {
                const uint64_t before = net.refused;

                start_large();
                pieces = 0;
                write_headers(1000, 100);
                change();
                if (!pieces)
                        offer_packet(1000);
                kick(from_guest);
                EXPECT_EQ(net.refused, before + 1) << what;
                EXPECT_TRUE(sent.empty()) << what;
                EXPECT_FALSE(broken()) << what;
                EXPECT_EQ(used_index(from_guest), 1) << what;
        }
};

TEST_F(virtio_net_large, becomes_frames_with_open_checksums)
{
        start_large();
        queue_packet(2500, 1000);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 3u);
        EXPECT_EQ(used_index(from_guest), 1);
        EXPECT_EQ(kicks, 1u);
        EXPECT_EQ(net.sent, 3u);
        EXPECT_EQ(sums, std::vector<uint32_t>(3, nova_net_sum_open(34, 16)));
        for (unsigned i = 0; i < 3; i++) {
                const unsigned bytes = i < 2 ? 1000 : 500;

                ASSERT_EQ(sent[i].size(), headers + bytes);
                EXPECT_EQ(number(i, 16, 2), 40 + bytes);
                EXPECT_EQ(number(i, 18, 2), (0xffff + i) & 0xffff);
                EXPECT_EQ(number(i, 38, 4), 0xfffffff0 + 1000 * i);
                EXPECT_EQ(number(i, 47, 1), i < 2 ? 0x10u : 0x19u);
                EXPECT_EQ(nova_internet_sum(&sent[i][14], 20), 0xffff);
                EXPECT_EQ(number(i, 50, 2), 0x1400u + 3 + 6 + 20 + bytes);
                EXPECT_EQ(memcmp(&sent[i][headers], &ram[payload + 1000 * i], bytes), 0);
        }
}

TEST_F(virtio_net_large, becomes_complete_frames_if_its_user_takes_no_open_checksums)
{
        takes_sums = false;
        start_large();
        queue_packet(2500, 1000);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 3u);
        for (const std::string &frame : sent) {
                const unsigned tcp = static_cast<unsigned>(frame.size()) - 34;
                const uint8_t rest[4] = {0, 6, static_cast<uint8_t>(tcp >> 8),
                                         static_cast<uint8_t>(tcp)};
                uint32_t sum = nova_internet_sum(&frame[26], 8);

                sum += nova_internet_sum(rest, 4);
                sum += nova_internet_sum(&frame[34], tcp);
                sum = (sum & 0xffff) + (sum >> 16);
                EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffu);
        }
}

TEST_F(virtio_net_large, may_have_65535_bytes)
{
        room = 2000;
        start_large();
        queue_packet(65535 - 40, 1460);
        kick(from_guest);
        EXPECT_EQ(sent.size(), 45u);
        EXPECT_EQ(net.refused, 0u);
        EXPECT_EQ(sent[44].size(), headers + 65495 - 44 * 1460);
}

TEST_F(virtio_net_large, may_have_options)
{
        start_large();
        write_headers(1000 + 12, 500);
        put(46, 1, 0x80);
        offer_packet(1000, header_bytes + headers + 12);
        kick(from_guest);
        ASSERT_EQ(sent.size(), 2u);
        EXPECT_EQ(sent[1].size(), headers + 12 + 500);
        EXPECT_EQ(memcmp(&sent[1][headers + 12], &ram[payload + 500], 500), 0);
}

TEST_F(virtio_net_large, may_lie_in_pieces_of_all_sizes)
{
        room = 20000;
        for (unsigned bytes = 1; bytes < 200; bytes += 3) {
                unsigned from = 0;

                start_large();
                pieces = 0;
                write_headers(61 * bytes, 97);
                while (pieces < 63) {
                        const unsigned left = header_bytes + headers - from;

                        if (left) {
                                const unsigned part = pieces < 1 ? left / 2 : left;
                                add_piece(data + from, part, false);
                                from += part;
                        } else {
                                add_piece(payload + (pieces - 2) * bytes, bytes, pieces == 62);
                        }
                }
                offer(from_guest, 0, size);
                kick(from_guest);
                std::string got;
                for (const std::string &frame : sent)
                        got += frame.substr(headers);
                ASSERT_EQ(got.size(), 61 * bytes);
                EXPECT_EQ(memcmp(got.data(), &ram[payload], got.size()), 0) << bytes;
        }
}

TEST_F(virtio_net_large, the_rest_waits_for_room)
{
        room = 2;
        start_large();
        queue_packet(450, 100);
        kick(from_guest);
        memset(&ram[data], 0, header_bytes + headers); /* the headers were copied */
        offer_packet(60);                              /* a frame that needs no feature */
        EXPECT_EQ(sent.size(), 2u);
        EXPECT_EQ(kicks, 1u);
        EXPECT_EQ(used_index(from_guest), 0);
        kick(from_guest);
        nova_virtio_net_resume(&net);
        EXPECT_EQ(sent.size(), 2u);
        EXPECT_EQ(kicks, 1u);
        room = 1;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(sent.size(), 3u);
        room = 5;
        nova_virtio_net_resume(&net);
        ASSERT_EQ(sent.size(), 6u);
        EXPECT_EQ(used_index(from_guest), 2);
        EXPECT_EQ(sent[4].size(), headers + 50) << "in the order of the queue";
        EXPECT_EQ(sent[5].size(), headers + 60);
        EXPECT_FALSE(net.large.waits);
}

TEST_F(virtio_net_large, frames_come_in_while_the_rest_waits)
{
        const uint8_t frame[60] = {1, 2, 3};

        room = 2;
        start_large();
        queue_packet(450, 100);
        kick(from_guest);
        describe(to_guest, 5, data + 0x800, header_bytes + 1514, writable);
        offer(to_guest, 5, size);
        EXPECT_TRUE(nova_virtio_net_receive(&net, frame, sizeof(frame)));
        EXPECT_EQ(used_index(to_guest), 1);
        EXPECT_EQ(memcmp(&ram[data + 0x800 + header_bytes], frame, sizeof(frame)), 0);
        room = 5;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(sent.size(), 5u);
        EXPECT_EQ(peek<uint32_t>(0x1000 * (from_guest + 1) + used + 4), 0u) << "its head";
}

TEST_F(virtio_net_large, the_rest_does_not_outlive_a_reset)
{
        room = 2;
        start_large();
        queue_packet(450, 100);
        kick(from_guest);
        out(status, 1, 0);
        room = 5;
        nova_virtio_net_resume(&net);
        EXPECT_EQ(sent.size(), 2u);
        pieces = 0;
        start_large();
        queue_packet(100, 100);
        kick(from_guest);
        EXPECT_EQ(sent.size(), 1u);
}

TEST_F(virtio_net_large, many_frames_do_not_hold_the_monitor)
{
        constexpr unsigned most = 4 * NOVA_VIRTIO_QUEUE_SIZE;

        room = 20000;
        start_large();
        queue_packet(8 * 600, 8);
        kick(from_guest);
        EXPECT_EQ(sent.size(), most);
        EXPECT_EQ(used_index(from_guest), 0);
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(sent.size(), 2 * most);
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(sent.size(), 600u);
        EXPECT_EQ(used_index(from_guest), 1);
        EXPECT_EQ(kicks, 3u);
        nova_virtio_look(&net.virtio);
        EXPECT_EQ(kicks, 3u);
}

TEST_F(virtio_net_large, is_dropped_if_its_header_is_wrong)
{
        for (const unsigned segment : {0u, 1u, 7u, 1461u, 0xffffu})
                expect_dropped("size of frames", [&] { poke<uint16_t>(data + 4, segment); });
        for (const unsigned bytes : {headers + 1001, 0xffffu})
                expect_dropped("size of headers", [&] { poke<uint16_t>(data + 2, bytes); });
        for (const unsigned kind : {2u, 3u, 4u, 5u, 0x80u, 0x81u, 0xffu})
                expect_dropped("kind", [&] { ram[data + 1] = static_cast<uint8_t>(kind); });
        for (const unsigned at : {0u, 33u, 35u, 0xffffu})
                expect_dropped("start of the sum", [&] { poke<uint16_t>(data + 6, at); });
        for (const unsigned at : {0u, 15u, 17u, 0xffffu})
                expect_dropped("place of the sum", [&] { poke<uint16_t>(data + 8, at); });
        expect_dropped("no open checksum", [&] { ram[data] = 0; });
}

TEST_F(virtio_net_large, is_dropped_if_its_packet_is_wrong)
{
        for (const unsigned bytes : {0u, 20u, 40u, 1039u, 1041u, 0xffffu})
                expect_dropped("size", [&] { put(16, 2, bytes); });
        expect_dropped("IPv6", [&] { put(12, 2, 0x86dd); });
        for (const unsigned version : {0x44u, 0x46u, 0x4fu, 0x65u})
                expect_dropped("version or options", [&] { put(14, 1, version); });
        for (const unsigned parts : {1u, 0x2000u, 0x8000u, 0xffffu})
                expect_dropped("a part", [&] { put(20, 2, parts); });
        expect_dropped("UDP", [&] { put(23, 1, 17); });
        for (const unsigned offset : {0u, 1u, 4u})
                expect_dropped("short header", [&] { put(46, 1, offset << 4); });
        for (const unsigned flag : {2u, 4u, 0x20u})
                expect_dropped("flags", [&] { put(47, 1, 0x10 | flag); });
        expect_dropped("frames that are too long", [&] {
                put(46, 1, 0xf0);
                poke<uint16_t>(data + 4, 1421);
        });
}

TEST_F(virtio_net_large, is_dropped_if_it_has_another_size)
{
        for (unsigned bytes = NOVA_VIRTIO_NET_FRAME_MIN; bytes < headers + 1; bytes++)
                expect_dropped("no data", [&] {
                        put(16, 2, bytes - 14);
                        poke<uint16_t>(data + 2, 0);
                        offer_packet(0, header_bytes + bytes);
                });
        expect_dropped("more than 64 KiB", [&] { offer_packet(65536 - 40); });
        expect_dropped("far more", [&] {
                while (pieces < size)
                        add_piece(0, ram_bytes, pieces == size - 1);
                write_headers(1000, 100);
                describe(from_guest, 0, data, 0x1000, chained, 1);
                offer(from_guest, 0, size);
        });
}

TEST_F(virtio_net_large, breaks_the_device_without_its_feature)
{
        for (const uint64_t features : {uint64_t{0}, check_sum, cut}) {
                start_large(features);
                pieces = 0;
                queue_packet(1000, 500);
                kick(from_guest);
                EXPECT_TRUE(broken()) << features;
                EXPECT_TRUE(sent.empty());
                EXPECT_EQ(net.refused, 0u);
        }
}

} // namespace
