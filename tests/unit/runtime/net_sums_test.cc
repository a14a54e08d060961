/* SPDX-License-Identifier: BSD-2-Clause */
/* Open checksums: the values of `sum` that a service accepts in a request, and the completion of
 * checksums for receivers that do not accept open ones. */
extern "C" {
#include "net/entry.h"
#include "net/sum.h"
#include "open_sum.h"
}

#include <cerrno>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace
{

using frame = std::vector<uint8_t>;

uint32_t open_at(uint32_t start, uint32_t at)
{
        return nova_net_sum_open(start, at);
}

int check(uint32_t bytes, uint32_t sum, uint32_t sums)
{
        const nova_net_entry entry = {0, bytes, 0, sum};

        return net_entry_check(&entry, 0x4000, NOVA_NET_FRAME_MIN, NOVA_NET_FRAME_MAX, sums);
}

/* Returns the ones' complement sum, computed byte by byte. */
uint32_t sum_of(const frame &of, size_t from, uint32_t sum = 0)
{
        for (size_t i = from; i < of.size(); i++)
                sum += (i - from) % 2 ? of[i] : of[i] * 0x100U;
        while (sum > 0xffff)
                sum = (sum & 0xffff) + (sum >> 16);
        return sum;
}

uint32_t word_at(const frame &of, size_t at)
{
        return of[at] * 0x100U + of[at + 1];
}

/* Returns a frame with a packet over IPv4, and random bytes as its data. */
frame packet(uint8_t protocol, size_t bytes, unsigned seed = 1)
{
        std::mt19937 random(seed);
        frame made(34 + bytes);

        for (uint8_t &byte : made)
                byte = static_cast<uint8_t>(random());
        made[12] = 8;
        made[13] = 0;
        made[14] = 0x45;
        made[20] = 0x40;
        made[21] = 0;
        made[23] = protocol;
        return made;
}

/* Returns the sum of the addresses, the protocol and the size. */
uint32_t pseudo(const frame &of)
{
        const frame addresses(of.begin() + 26, of.begin() + 34);

        return sum_of(addresses, 0, of[23] + static_cast<uint32_t>(of.size() - 34));
}

} // namespace

TEST(net_sums, an_open_checksum_lies_in_its_frame_after_the_header)
{
        EXPECT_EQ(check(60, open_at(34, 16), NOVA_NET_SUM_OPEN), 0);
        EXPECT_EQ(check(60, open_at(14, 0), NOVA_NET_SUM_OPEN), 0);
        EXPECT_EQ(check(60, open_at(13, 2), NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, open_at(34, 24), NOVA_NET_SUM_OPEN), 0);
        EXPECT_EQ(check(60, open_at(34, 25), NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, open_at(60, 0), NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, open_at(0x7ff, 0x7ff), NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(1514, open_at(34, 1478), NOVA_NET_SUM_OPEN), 0);
        EXPECT_EQ(check(1514, open_at(34, 1479), NOVA_NET_SUM_OPEN), EINVAL);
}

TEST(net_sums, words_with_undefined_bits_or_of_the_other_direction_are_refused)
{
        for (unsigned bit : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 19U, 31U})
                EXPECT_EQ(check(60, open_at(34, 16) | 1U << bit, NOVA_NET_SUM_OPEN), EINVAL) << bit;
        EXPECT_EQ(check(60, open_at(34, 16) & ~1U, NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, NOVA_NET_SUM_RIGHT, NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, NOVA_NET_SUM_ACCEPT, NOVA_NET_SUM_OPEN), EINVAL);
        EXPECT_EQ(check(60, NOVA_NET_SUM_ACCEPT, NOVA_NET_SUM_ACCEPT), 0);
        EXPECT_EQ(check(60, open_at(34, 16), NOVA_NET_SUM_ACCEPT), EINVAL);
        EXPECT_EQ(check(60, NOVA_NET_SUM_RIGHT, NOVA_NET_SUM_ACCEPT), EINVAL);
        EXPECT_EQ(check(60, NOVA_NET_SUM_ACCEPT | 8, NOVA_NET_SUM_ACCEPT), EINVAL);
}

TEST(net_sums, a_session_without_checksums_accepts_only_a_word_of_zero)
{
        EXPECT_EQ(check(60, 0, 0), 0);
        for (uint32_t sum : {open_at(34, 16), uint32_t{NOVA_NET_SUM_RIGHT},
                             uint32_t{NOVA_NET_SUM_ACCEPT}, 0x80000000U})
                EXPECT_EQ(check(60, sum, 0), EINVAL) << sum;
}

TEST(net_sums, a_receiver_that_accepts_open_checksums_gets_the_frame_unchanged)
{
        const frame sent = packet(6, 100);
        frame copy = sent;

        for (uint32_t sum : {0U, open_at(34, 16), uint32_t{NOVA_NET_SUM_RIGHT}})
                EXPECT_EQ(net_sum_pass(copy.data(), (uint32_t)copy.size(), sum, true), sum);
        EXPECT_EQ(copy, sent);
        EXPECT_EQ(net_sum_pass(copy.data(), (uint32_t)copy.size(), NOVA_NET_SUM_RIGHT, false), 0U);
        EXPECT_EQ(net_sum_pass(copy.data(), (uint32_t)copy.size(), 0, false), 0U);
        EXPECT_EQ(copy, sent) << "its checksum was in it";
}

TEST(net_sums, a_receiver_that_accepts_no_open_checksums_gets_a_complete_one)
{
        for (size_t bytes = 20; bytes < 1480; bytes += 1 + bytes / 50) {
                for (uint32_t start : {34U, 35U}) {
                        frame copy = packet(6, bytes, (unsigned)bytes);
                        const frame sent = copy;

                        EXPECT_EQ(net_sum_pass(copy.data(), (uint32_t)copy.size(),
                                               open_at(start, 16), false),
                                  0U);
                        EXPECT_EQ(word_at(copy, start + 16), (~sum_of(sent, start) & 0xffff))
                                << bytes;
                        copy[start + 16] = sent[start + 16];
                        copy[start + 17] = sent[start + 17];
                        EXPECT_EQ(copy, sent) << "nothing else is changed";
                }
        }
}

TEST(net_sums, a_checksum_of_zero_is_filled_in_as_ones)
{
        frame copy(42);

        copy[34] = 0xf0;
        copy[35] = 0xff;
        copy[36] = 0x0f;
        net_sum_pass(copy.data(), 42, open_at(34, 6), false);
        EXPECT_EQ(word_at(copy, 40), 0xffffU);
}

TEST(net_sums, novanet_opens_the_checksums_of_tcp_and_udp)
{
        for (size_t bytes : {20U, 21U, 520U, 1479U, 1480U}) {
                for (uint8_t protocol : {uint8_t{6}, uint8_t{17}}) {
                        frame made = packet(protocol, bytes, (unsigned)bytes);
                        const size_t at = protocol == 6 ? 50 : 40;
                        const uint32_t sum = novanet_open_sum(made.data(), made.size());

                        EXPECT_EQ(sum, open_at(34, (uint32_t)at - 34));
                        EXPECT_EQ(word_at(made, at), pseudo(made));
                        net_sum_pass(made.data(), (uint32_t)made.size(), sum, false);
                        EXPECT_EQ(sum_of(made, 34, pseudo(made)), 0xffffU) << "a receiver's check";
                }
        }
}

TEST(net_sums, novanet_opens_no_other_checksum)
{
        const struct {
                size_t at;
                uint8_t byte;
                const char *what;
        } rows[] = {{12, 0x86, "another type"},
                    {13, 6, "ARP"},
                    {14, 0x46, "options"},
                    {20, 0x20, "the first part of a packet"},
                    {20, 1, "a later part"},
                    {21, 1, "the second part"},
                    {23, 1, "ICMP"}};

        for (const auto &row : rows) {
                frame made = packet(17, 100);

                made[row.at] = row.byte;
                const frame before = made;

                EXPECT_EQ(novanet_open_sum(made.data(), made.size()), 0U) << row.what;
                EXPECT_EQ(made, before) << row.what;
        }
        for (size_t bytes : {14U, 33U, 34U, 41U, 53U}) {
                frame made = packet(bytes < 50 ? 17 : 6, 20);

                made.resize(bytes);
                EXPECT_EQ(novanet_open_sum(made.data(), made.size()), 0U) << bytes;
        }
}
