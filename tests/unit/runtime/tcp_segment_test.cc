/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of a stream that are joined, those that must not be, and packets that are cut. */
#include "novart/tcp_segment.h"

#include "novart/internet_sum.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

namespace
{

using frame = std::vector<uint8_t>;

void put(frame &to, unsigned at, unsigned bytes, uint32_t value)
{
        while (bytes--)
                to[at++] = (uint8_t)(value >> 8 * bytes);
}

/* Writes both checksums. A sum of words in memory has the byte order of the words. */
void close_sums(frame &of)
{
        const unsigned tcp = (unsigned)(of[16] << 8 | of[17]) - 20;
        const uint8_t rest[4] = {0, 6, (uint8_t)(tcp >> 8), (uint8_t)tcp};
        uint32_t sum = 0;
        uint16_t word = 0;

        put(of, 24, 2, 0);
        put(of, 50, 2, 0);
        word = (uint16_t)~nova_internet_sum(&of[14], 20);
        memcpy(&of[24], &word, 2);
        sum = (uint32_t)nova_internet_sum(&of[26], 8) + nova_internet_sum(rest, 4) +
              nova_internet_sum(&of[34], tcp);
        sum = (sum & 0xffff) + (sum >> 16);
        word = (uint16_t) ~(sum + (sum >> 16));
        memcpy(&of[50], &word, 2);
}

frame make(uint32_t sequence, unsigned bytes, unsigned padding = 0)
{
        frame made(54 + bytes + padding);

        for (unsigned i = 0; i < 12; i++)
                made[i] = (uint8_t)i;
        put(made, 12, 2, 0x0800);
        put(made, 14, 2, 0x4500);
        put(made, 16, 2, 40 + bytes);
        put(made, 18, 2, sequence); /* the packet's number differs */
        put(made, 20, 2, 0x4000);
        put(made, 22, 2, 64 << 8 | 6);
        put(made, 26, 4, 0x0a000001);
        put(made, 30, 4, 0x0a000002);
        put(made, 34, 4, 1000U << 16 | 80);
        put(made, 38, 4, sequence);
        put(made, 42, 4, 77);
        put(made, 46, 2, 0x5010);
        put(made, 48, 2, 5000);
        for (unsigned i = 0; i < bytes; i++)
                made[54 + i] = (uint8_t)(sequence + i);
        close_sums(made);
        return made;
}

bool reads(frame one)
{
        nova_tcp_segment read = {};

        return nova_tcp_segment_read(&read, one.data(), one.size(), false);
}

/* Returns true if a frame can be read, and follows the first one. */
bool joins(frame next)
{
        frame first = make(100, 10);
        nova_tcp_segment one = {}, two = {};

        EXPECT_TRUE(nova_tcp_segment_read(&one, first.data(), first.size(), false));
        return nova_tcp_segment_read(&two, next.data(), next.size(), false) &&
               nova_tcp_segment_join(&one, &two);
}

/* Makes the first bytes of the data options of TCP. */
frame with_options(frame of, unsigned words)
{
        put(of, 46, 1, (5 + words) << 4);
        for (unsigned i = 0; i < 4 * words; i++)
                of[54 + i] = (uint8_t)(i * 5);
        close_sums(of);
        return of;
}

/* Puts the sum of the pseudo header into the field of the checksum of TCP. */
void open_sum(frame &of)
{
        const unsigned tcp = (unsigned)(of[16] << 8 | of[17]) - 20;
        const uint8_t rest[4] = {0, 6, (uint8_t)(tcp >> 8), (uint8_t)tcp};
        const uint32_t sum = (uint32_t)nova_internet_sum(&of[26], 8) + nova_internet_sum(rest, 4);
        const auto word = (uint16_t)((sum & 0xffff) + (sum >> 16));

        memcpy(&of[50], &word, 2);
}

frame changed(unsigned at, unsigned bytes, uint32_t value)
{
        frame next = make(110, 20);

        put(next, at, bytes, value);
        close_sums(next);
        return next;
}

/* A value of a header in a frame that is otherwise right. */
struct change {
        const char *what;
        unsigned at, bytes;
        uint32_t value;
};

/* Expects that a function refuses frames that are not a whole packet of TCP over IPv4 with data. */
void expect_refused(bool (*takes)(frame))
{
        const change changes[] = {
                {"IPv6", 12, 2, 0x86dd},
                {"options of IPv4", 14, 1, 0x46},
                {"a part of a packet", 20, 2, 0x2000},
                {"its last part", 20, 2, 1},
                {"UDP", 23, 1, 17},
                {"no header", 46, 1, 0},
                {"a header that is too short", 46, 1, 0x40},
                {"no data behind the options", 46, 1, 0xa0},
                {"options beyond the frame", 46, 1, 0xf0},
        };

        EXPECT_FALSE(takes(make(1, 0))) << "no data";
        for (const change &one : changes)
                EXPECT_FALSE(takes(changed(one.at, one.bytes, one.value))) << one.what;
}

} // namespace

TEST(tcp_segment, frames_of_a_stream_become_one)
{
        frame first = make(0xfffffff0, 100), second = make(0x54, 1, 5), third = make(0x55, 1460);
        nova_tcp_segment one = {}, next = {};

        second[47] |= 8; /* PSH */
        put(third, 48, 2, 6000);
        close_sums(second);
        close_sums(third);
        ASSERT_TRUE(nova_tcp_segment_read(&one, first.data(), first.size(), false));
        ASSERT_TRUE(nova_tcp_segment_read(&next, second.data(), second.size(), false));
        EXPECT_EQ(next.bytes, 1U) << "the padding of the frame does not count";
        ASSERT_TRUE(nova_tcp_segment_join(&one, &next));
        ASSERT_TRUE(nova_tcp_segment_read(&next, third.data(), third.size(), false));
        ASSERT_TRUE(nova_tcp_segment_join(&one, &next));
        nova_tcp_segment_write(&one, false);
        EXPECT_EQ(first[16] << 8 | first[17], 40 + 100 + 1 + 1460);
        EXPECT_EQ(first[47], 0x18);
        EXPECT_EQ(first[48] << 8 | first[49], 6000);
        EXPECT_EQ(first[38], 0xff) << "the number of the first byte stays";
}

TEST(tcp_segment, other_frames_are_not_joined)
{
        const change changes[] = {
                {"another receiver", 0, 1, 9},
                {"another sender", 6, 1, 9},
                {"a network with too much traffic", 15, 1, 3},
                {"it may be divided", 20, 2, 0},
                {"another way", 22, 1, 63},
                {"another address of the sender", 26, 4, 0x0a000003},
                {"another address of the receiver", 30, 4, 0x0a000003},
                {"another port of the sender", 34, 2, 1001},
                {"another port of the receiver", 36, 2, 81},
                {"it answers", 42, 4, 78},
                {"options", 46, 1, 0x60},
        };

        EXPECT_TRUE(joins(make(110, 20)));
        EXPECT_FALSE(joins(make(111, 20))) << "data is missing";
        EXPECT_FALSE(joins(make(109, 20))) << "data comes again";
        for (const change &one : changes)
                EXPECT_FALSE(joins(changed(one.at, one.bytes, one.value))) << one.what;
}

TEST(tcp_segment, frames_with_equal_options_become_one)
{
        frame first = with_options(make(100, 72), 3), second = with_options(make(160, 40), 3);
        nova_tcp_segment one = {}, next = {};

        ASSERT_TRUE(nova_tcp_segment_read(&one, first.data(), first.size(), false));
        EXPECT_EQ(one.headers, 66U);
        EXPECT_EQ(one.bytes, 60U);
        ASSERT_TRUE(nova_tcp_segment_read(&next, second.data(), second.size(), false));
        for (unsigned i = 54; i < 66; i++) {
                second[i] ^= 1;
                EXPECT_FALSE(nova_tcp_segment_join(&one, &next)) << i;
                EXPECT_EQ(one.bytes, 60U);
                second[i] ^= 1;
        }
        ASSERT_TRUE(nova_tcp_segment_join(&one, &next));
        EXPECT_EQ(one.bytes, 60U + 28U);
}

TEST(tcp_segment, a_joined_packet_may_have_an_open_sum)
{
        frame first = with_options(make(100, 72), 3), second = with_options(make(160, 40), 3);
        frame wanted = with_options(make(100, 72 + 28), 3);
        nova_tcp_segment one = {}, next = {};

        ASSERT_TRUE(nova_tcp_segment_read(&one, first.data(), first.size(), false));
        ASSERT_TRUE(nova_tcp_segment_read(&next, second.data(), second.size(), false));
        ASSERT_TRUE(nova_tcp_segment_join(&one, &next));
        nova_tcp_segment_write(&one, true);
        open_sum(wanted);
        EXPECT_EQ(memcmp(first.data(), wanted.data(), 66), 0);
}

TEST(tcp_segment, frames_of_other_kinds_are_not_joined)
{
        EXPECT_TRUE(reads(make(1, 1)));
        expect_refused(reads);
        EXPECT_FALSE(reads(changed(46, 1, 0x51))) << "a bit that has no meaning";
        for (const unsigned flag : {0x01U, 0x02U, 0x04U, 0x20U, 0x40U, 0x80U})
                EXPECT_FALSE(reads(changed(47, 1, 0x10U | flag))) << flag;
        EXPECT_FALSE(reads(changed(47, 1, 0))) << "no answer";
}

TEST(tcp_segment, wrong_sizes_and_sums_are_read_by_lwip)
{
        frame one = make(1, 20);

        for (unsigned bytes = 0; bytes < one.size(); bytes++)
                EXPECT_FALSE(reads(frame(one.begin(), one.begin() + bytes))) << bytes;
        for (unsigned i = 12; i < one.size(); i++) {
                one[i] ^= 1;
                EXPECT_FALSE(reads(one)) << i;
                one[i] ^= 1;
        }
        EXPECT_TRUE(reads(one));
        for (const unsigned size : {0U, 19U, 20U, 39U, 40U, 61U, 0xffffU}) {
                put(one, 16, 2, size);
                EXPECT_FALSE(reads(one)) << size;
        }
}

TEST(tcp_segment, a_packet_has_at_most_65535_bytes)
{
        constexpr uint32_t step = 1310; /* 50 of them exceed 65535 only with the headers */
        std::vector<frame> all;
        nova_tcp_segment one = {}, next = {};
        unsigned count = 1;

        for (unsigned i = 0; i < 60; i++)
                all.push_back(make(i * step, step));
        ASSERT_TRUE(nova_tcp_segment_read(&one, all[0].data(), all[0].size(), false));
        for (unsigned i = 1; i < 60; i++) {
                ASSERT_TRUE(nova_tcp_segment_read(&next, all[i].data(), all[i].size(), false));
                count += nova_tcp_segment_join(&one, &next) ? 1 : 0;
        }
        EXPECT_EQ(count, 49U);
        EXPECT_EQ(one.bytes, 49 * step);
}

namespace
{

/* Cuts a packet. The frames have the numbers 500 and above. */
std::vector<frame> cut_all(const frame &packet, uint32_t most, bool open = false)
{
        std::vector<frame> cuts;
        nova_tcp_cut state = {};

        EXPECT_TRUE(nova_tcp_cut_begin(&state, packet.data(), packet.size()));
        while (state.left) {
                const uint32_t bytes = state.left < most ? state.left : most;
                const uint32_t headers = state.header_bytes;
                frame next(headers + bytes, 0xee);

                memcpy(&next[headers], &packet[packet.size() - state.left], bytes);
                nova_tcp_cut_write(&state, next.data(), bytes, (uint16_t)(500 + cuts.size()), open);
                cuts.push_back(next);
        }
        return cuts;
}

bool cuts(frame packet)
{
        nova_tcp_cut state = {};

        return nova_tcp_cut_begin(&state, packet.data(), packet.size());
}

} // namespace

TEST(tcp_segment, frames_of_a_packet_have_its_headers_and_their_own_sums)
{
        frame packet = make(0xfffffff0, 3000);

        packet[47] = 0x19; /* ACK, PSH, FIN */
        for (unsigned i = 0; i < 3000; i++)
                packet[54 + i] = (uint8_t)(i * i >> 3);

        const std::vector<frame> all = cut_all(packet, 1460);

        ASSERT_EQ(all.size(), 3U);
        for (unsigned i = 0; i < 3; i++) {
                const unsigned bytes = i < 2 ? 1460 : 80;
                frame wanted = make(0xfffffff0 + 1460 * i, bytes);

                put(wanted, 18, 2, 500 + i);
                put(wanted, 46, 2, i < 2 ? 0x5010 : 0x5019); /* PSH, FIN: only in the last */
                memcpy(&wanted[54], &packet[54 + 1460 * i], bytes);
                close_sums(wanted);
                EXPECT_EQ(all[i], wanted) << "frame " << i;
        }
}

TEST(tcp_segment, sums_are_right_for_all_sizes)
{
        for (unsigned bytes = 1; bytes < 200; bytes++)
                for (const frame &one : cut_all(make(0x8000ffff * bytes, bytes), 67))
                        EXPECT_TRUE(reads(one)) << bytes;
}

/* One of the sums is 0x1ffff, so there are two carries when it is folded to 16 bits. */
TEST(tcp_segment, sums_are_right_for_all_numbers)
{
        const frame packet = make(1, 0xff - 40);

        for (unsigned number = 0; number <= UINT16_MAX; number++) {
                nova_tcp_cut state = {};
                frame one = packet;

                ASSERT_TRUE(nova_tcp_cut_begin(&state, packet.data(), packet.size()));
                nova_tcp_cut_write(&state, one.data(), state.left, (uint16_t)number, true);
                ASSERT_EQ(nova_internet_sum(&one[14], 20), UINT16_MAX) << number;
        }
}

TEST(tcp_segment, the_sums_of_a_packet_may_stay_open)
{
        for (frame one : cut_all(make(77, 100), 60, true)) {
                frame wanted = one;

                open_sum(wanted);
                EXPECT_EQ(one, wanted);
                close_sums(one);
                EXPECT_TRUE(reads(one));
        }
}

TEST(tcp_segment, each_frame_of_a_packet_has_its_options)
{
        for (unsigned words = 1; words <= 10; words++) {
                const frame packet = with_options(make(77, 3000), words);
                const std::vector<frame> all = cut_all(packet, 1400);

                ASSERT_EQ(all.size(), 3U);
                for (const frame &one : all) {
                        EXPECT_TRUE(reads(one)) << words;
                        EXPECT_EQ(memcmp(&one[54], &packet[54], 4 * words), 0) << words;
                }
        }
}

TEST(tcp_segment, only_whole_packets_of_tcp_with_data_are_cut)
{
        EXPECT_TRUE(cuts(make(1, 3000)));
        EXPECT_TRUE(cuts(changed(46, 1, 0x90))) << "four bytes of data";
        expect_refused(cuts);
        EXPECT_FALSE(cuts(make(1, 3000, 1))) << "the packet does not fill the frame";
        for (const unsigned flag : {0x02U, 0x04U, 0x20U})
                EXPECT_FALSE(cuts(changed(47, 1, 0x10U | flag))) << flag;
}

TEST(tcp_segment, a_short_packet_is_not_cut)
{
        const frame packet = make(1, 20);

        for (unsigned bytes = 0; bytes < packet.size(); bytes++)
                EXPECT_FALSE(cuts(frame(packet.begin(), packet.begin() + bytes))) << bytes;
}
