/* SPDX-License-Identifier: BSD-2-Clause */
/* The sum of the Internet protocols' checksums, compared with a sum of one word after the other. */
extern "C" {
#include "novart/internet_sum.h"
}

#include <array>
#include <cstring>
#include <gtest/gtest.h>

namespace
{

constexpr unsigned sizes = 300, places = 9;

uint16_t slow_sum(const uint8_t *data, unsigned bytes)
{
        uint32_t sum = 0;

        for (unsigned i = 0; i < bytes; i += 2) {
                std::array<uint8_t, 2> pair = {data[i], i + 1 < bytes ? data[i + 1] : uint8_t(0)};
                uint16_t word = 0;

                memcpy(&word, pair.data(), sizeof(word));
                sum += word;
        }
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)sum;
}

/* Compares the sums of buffers of all sizes at all offsets. */
void compare(const std::array<uint8_t, sizes + places> &data)
{
        for (unsigned place = 0; place < places; place++)
                for (unsigned bytes = 0; bytes <= sizes; bytes++)
                        ASSERT_EQ(nova_internet_sum(&data[place], bytes),
                                  slow_sum(&data[place], bytes))
                                << bytes << " bytes at " << place;
}

} // namespace

TEST(internet_sum, all_sizes_at_all_places_have_the_sum_of_their_words)
{
        std::array<uint8_t, sizes + places> data = {};
        uint32_t random = 1;

        for (uint8_t &byte : data) {
                random = random * 1103515245 + 12345;
                byte = (uint8_t)(random >> 16);
        }
        compare(data);
}

TEST(internet_sum, carries_of_large_words_are_not_lost)
{
        std::array<uint8_t, sizes + places> data = {};

        data.fill(0xff);
        compare(data);
        data[places] = 1;
        data[sizes] = 2;
        compare(data);
}

TEST(internet_sum, zeros_have_no_sum)
{
        compare({});
}
