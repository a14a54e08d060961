/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver virtio-net and the monitor's network card exchange frames: checksums that stay open,
 * frames in several buffers. Then the card is hostile. */
extern "C" {
#include "virtio-net/frames.h"
}

#include "virtio_net.h"

namespace
{

using namespace virtio;

const uint32_t place = nova_net_sum_open(34, 6); /* as in a UDP datagram over IPv4 */
constexpr unsigned depth = 8, queue_entries = 16;

struct virtio_net_driver : virtio_net {
        frames driver = {};
        queue_answer last = QUEUE_EMPTY; /* how take() ended */

        /* Starts the card with the driver's queues. */
        void start_driver(uint64_t features)
        {
                begin(NOVA_VIRTIO_VERSION_1 | features);
                driver.features = features;
                for (unsigned i = 0; i < FRAMES_QUEUES; i++) {
                        queue *const made = &driver.queue[i];

                        made->size = queue_entries;
                        made->span = FRAMES_PARTS;
                        made->depth = depth;
                        made->events = features & NOVA_VIRTIO_EVENT_INDEX;
                        made->device = 0x1000ull * (i + 1);
                        made->memory = reinterpret_cast<char *>(&ram[made->device]);
                        driver.header_device[i] = 0x3000 + 0x100ull * i;
                        driver.headers[i] = &ram[driver.header_device[i]];
                }
                frames_init(&driver);
                for (unsigned i = 0; i < FRAMES_QUEUES; i++) {
                        out(queue_select, 2, i);
                        out(queue_size, 2, queue_entries);
                        out(queue_address, 8, queue_descriptors(&driver.queue[i]));
                        out(queue_address + 8, 8, queue_available(&driver.queue[i]));
                        out(queue_address + 16, 8, queue_used(&driver.queue[i]));
                        out(queue_enable, 2, 1);
                }
                finish();
        }

        static uint64_t buffer_at(unsigned index, uint32_t tag)
        {
                return data - 0x4000ull * index + 0x800ull * tag;
        }

        /* Gives the card a frame, or a buffer. @param shown size of the buffer that the card sees:
         * a small size makes it use several buffers for a frame @return the number of the
         * request */
        unsigned add(unsigned index, uint32_t tag, uint32_t bytes, uint32_t sum, uint32_t shown)
        {
                const uint64_t at = buffer_at(index, tag);
                const frames_request request = {&ram[at], bytes, tag, sum, 0};
                const unsigned number = driver.free[index][driver.free_count[index] - 1];

                frames_add(&driver, index, &request, at);
                poke(driver.queue[index].device + 16 * (number * FRAMES_PARTS + 1) + 8, shown);
                if (queue_publish(&driver.queue[index]))
                        kick(index);
                return number;
        }

        unsigned add_buffer(uint32_t tag, bool accepts = true, uint32_t shown = NOVA_NET_BUFFER)
        {
                return add(FRAMES_RECEIVE, tag, NOVA_NET_BUFFER, accepts ? NOVA_NET_SUM_ACCEPT : 0,
                           shown);
        }

        /* Takes all that the card has completed. */
        std::vector<frames_end> take(unsigned index)
        {
                std::vector<frames_end> ends;
                frames_end end;

                while ((last = frames_take(&driver, index, &end)) == QUEUE_TAKEN)
                        ends.push_back(end);
                return ends;
        }

        std::string received(uint32_t tag, uint32_t bytes)
        {
                const char *const at = reinterpret_cast<char *>(&ram[buffer_at(0, tag)]);

                return std::string(at, bytes);
        }

        /* Returns the header that the card has written for a request. */
        uint64_t header_of(unsigned number) const
        {
                return driver.header_device[FRAMES_RECEIVE] + FRAMES_HEADER_BYTES * number;
        }

        uint64_t used_entry(unsigned index) const
        {
                return queue_used(&driver.queue[FRAMES_RECEIVE]) + 4 + 8ull * index;
        }
};

std::string frame_of(size_t bytes, unsigned seed = 1)
{
        std::string made(bytes, 0);

        for (char &byte : made) {
                seed = seed * 1103515245 + 12345;
                byte = static_cast<char>(seed >> 16);
        }
        return made;
}

/* Returns true if the checksum of a frame is right. Its field held the sum of the pseudo header
 * while the checksum was open. With this sum, the ones' complement sum of the packet is 0xffff. */
bool is_complete(const std::string &frame, const std::string &open)
{
        const size_t start = nova_net_sum_start(place), at = start + nova_net_sum_at(place);
        uint32_t sum = static_cast<uint8_t>(open[at]) * 0x100u + static_cast<uint8_t>(open[at + 1]);

        for (size_t i = start; i < frame.size(); i++)
                sum += static_cast<uint8_t>(frame[i]) * (i % 2 ? 1u : 0x100u);
        while (sum > 0xffff)
                sum = (sum & 0xffff) + (sum >> 16);
        return sum == 0xffff;
}

/* Returns true if two frames differ at most in the checksum. */
bool same_but_sum(std::string one, std::string other)
{
        const size_t at = nova_net_sum_start(place) + nova_net_sum_at(place);

        if (one.size() != other.size())
                return false;
        one.replace(at, 2, "..");
        other.replace(at, 2, "..");
        return one == other;
}

/* Calls a function for each set of features that the card and its driver may agree on. */
template <typename function> void with_all_features(function check)
{
        for (unsigned bits = 0; bits < 16; bits++)
                check((bits & 1 ? FRAMES_SUM : 0) | (bits & 2 ? FRAMES_GUEST_SUM : 0) |
                      (bits & 4 ? FRAMES_MERGED : 0) | (bits & 8 ? NOVA_VIRTIO_EVENT_INDEX : 0));
}

} // namespace

TEST_F(virtio_net_driver, sends_frames_with_open_checksums)
{
        const std::string frame = frame_of(1201);

        for (const bool takes : {true, false}) {
                takes_sums = takes;
                with_all_features([&](uint64_t features) {
                        start_driver(features);
                        sent.clear();
                        sums.clear();
                        memcpy(&ram[buffer_at(FRAMES_TRANSMIT, 3)], frame.data(), frame.size());
                        add(FRAMES_TRANSMIT, 3, 1201, features & FRAMES_SUM ? place : 0, 1201);
                        ASSERT_EQ(sent.size(), 1u) << complaint;
                        const auto ends = take(FRAMES_TRANSMIT);
                        ASSERT_EQ(ends.size(), 1u);
                        EXPECT_EQ(ends[0].tag, 3u);
                        if (!(features & FRAMES_SUM) || takes) {
                                EXPECT_EQ(sent[0], frame);
                        } else {
                                EXPECT_TRUE(is_complete(sent[0], frame));
                                EXPECT_TRUE(same_but_sum(sent[0], frame));
                        }
                        EXPECT_EQ(sums.size(), features & FRAMES_SUM && takes ? 1u : 0u);
                        EXPECT_EQ(sums, std::vector<uint32_t>(sums.size(), place));
                });
        }
}

TEST_F(virtio_net_driver, receives_frames_with_open_checksums)
{
        const std::string frame = frame_of(1201);

        for (const bool accepts : {true, false}) {
                with_all_features([&](uint64_t features) {
                        const bool stays = features & FRAMES_GUEST_SUM && accepts;

                        start_driver(features);
                        add_buffer(2, accepts);
                        ASSERT_TRUE(nova_virtio_net_receive_sum(&net, frame.data(), 1201, place));
                        const auto ends = take(FRAMES_RECEIVE);
                        ASSERT_EQ(ends.size(), 1u);
                        EXPECT_EQ(ends[0].tag, 2u);
                        EXPECT_EQ(ends[0].bytes, 1201u);
                        EXPECT_EQ(ends[0].sum, stays ? place : 0);
                        EXPECT_EQ(received(2, 1201) == frame, stays);
                        EXPECT_EQ(is_complete(received(2, 1201), frame), !stays);
                        EXPECT_TRUE(same_but_sum(received(2, 1201), frame));
                });
        }
}

TEST_F(virtio_net_driver, hears_which_checksums_were_checked)
{
        const std::string frame = frame_of(60);

        for (const bool accepts : {true, false}) {
                with_all_features([&](uint64_t features) {
                        const bool hears = features & FRAMES_GUEST_SUM && accepts;

                        start_driver(features);
                        add_buffer(0, accepts);
                        add_buffer(1, accepts);
                        ASSERT_TRUE(nova_virtio_net_receive_sum(&net, frame.data(), 60,
                                                                NOVA_NET_SUM_RIGHT));
                        ASSERT_TRUE(nova_virtio_net_receive_sum(&net, frame.data(), 60, 0));
                        const auto ends = take(FRAMES_RECEIVE);
                        ASSERT_EQ(ends.size(), 2u);
                        EXPECT_EQ(ends[0].sum, hears ? uint32_t{NOVA_NET_SUM_RIGHT} : 0u);
                        EXPECT_EQ(ends[1].sum, 0u);
                        EXPECT_EQ(received(1, 60), frame);
                });
        }
}

TEST_F(virtio_net_driver, joins_the_buffers_of_a_frame)
{
        const uint32_t shown[] = {1, 13, 0, 701, 5, 96, 400, 800};
        const uint32_t sizes[] = {14, 15, 60, 61, 333, 799, 800, 1513, 1514};

        for (const uint32_t bytes : sizes) {
                for (unsigned first = 0; first < depth; first++) {
                        const std::string frame = frame_of(bytes, first);

                        start_driver(FRAMES_MERGED | FRAMES_GUEST_SUM | NOVA_VIRTIO_EVENT_INDEX);
                        for (unsigned i = 0; i < depth; i++)
                                add_buffer(i, true, shown[(first + i) % depth]);
                        ASSERT_TRUE(nova_virtio_net_receive_sum(&net, frame.data(), bytes,
                                                                bytes > 60 ? place : 0));
                        const auto ends = take(FRAMES_RECEIVE);
                        ASSERT_GE(ends.size(), 1u) << bytes << ' ' << first << complaint;
                        EXPECT_EQ(last, QUEUE_EMPTY);
                        EXPECT_EQ(peek<uint16_t>(header_of(depth - 1) + 10), ends.size());
                        EXPECT_EQ(ends.back().tag, 0u) << "the frame lies in the first buffer";
                        EXPECT_EQ(ends.back().bytes, bytes);
                        EXPECT_EQ(ends.back().sum, bytes > 60 ? place : 0);
                        EXPECT_EQ(received(0, bytes), frame);
                        for (unsigned i = 0; i + 1 < ends.size(); i++) {
                                EXPECT_EQ(ends[i].tag, i + 1);
                                EXPECT_EQ(ends[i].bytes, 0u);
                                EXPECT_FALSE(ends[i].dropped);
                        }
                        EXPECT_EQ(driver.free_count[FRAMES_RECEIVE], ends.size());
                }
        }
}

TEST_F(virtio_net_driver, takes_frames_that_come_one_after_the_other)
{
        start_driver(FRAMES_MERGED | NOVA_VIRTIO_EVENT_INDEX);
        for (unsigned i = 0; i < depth; i++)
                add_buffer(i, true, 100);
        for (unsigned round = 0; round < 100; round++) {
                const uint32_t bytes = 14 + 7 * round % 600;
                const std::string frame = frame_of(bytes, round);

                ASSERT_TRUE(nova_virtio_net_receive(&net, frame.data(), bytes));
                const auto ends = take(FRAMES_RECEIVE);
                ASSERT_GE(ends.size(), 1u);
                EXPECT_EQ(received(ends.back().tag, bytes), frame) << round;
                for (const auto &end : ends)
                        add_buffer(end.tag, true, 100);
        }
}

/* A client may give a buffer twice. It gets wrong data, and nothing else is written. */
TEST_F(virtio_net_driver, buffers_of_a_client_may_overlap)
{
        const std::string frame = frame_of(300);

        start_driver(FRAMES_MERGED);
        memset(&ram[buffer_at(0, 2)], 0xee, 0x800);
        add_buffer(1, true, 100);
        add_buffer(1, true, 250);
        ASSERT_TRUE(nova_virtio_net_receive(&net, frame.data(), 300));
        const auto ends = take(FRAMES_RECEIVE);
        ASSERT_EQ(ends.size(), 2u);
        EXPECT_EQ(ends[1].bytes, 300u);
        EXPECT_EQ(received(2, 0x800), std::string(0x800, '\xee'));
}

/* Changes that a hostile card makes after a frame of 300 bytes in two buffers. */
struct virtio_net_hostile : virtio_net_driver {
        unsigned first = 0;

        void receive_two(uint64_t features = FRAMES_MERGED | FRAMES_GUEST_SUM)
        {
                const std::string frame = frame_of(300);

                start_driver(features);
                memset(&ram[data], 0xee, 0x4000);
                first = add_buffer(0, true, features & FRAMES_MERGED ? 200 : NOVA_NET_BUFFER);
                for (unsigned i = 1; i < depth; i++)
                        add_buffer(i);
                ASSERT_TRUE(nova_virtio_net_receive(&net, frame.data(), 300));
        }

        /* Expects that the frame is dropped, and that the next one comes. */
        void expect_drop(size_t buffers, const char *what)
        {
                const std::string frame = frame_of(100, 9);
                auto ends = take(FRAMES_RECEIVE);

                EXPECT_EQ(last, QUEUE_EMPTY) << what;
                ASSERT_EQ(ends.size(), buffers) << what;
                EXPECT_TRUE(ends.back().dropped) << what;
                for (const auto &end : ends)
                        EXPECT_EQ(end.bytes, 0u) << what;
                ASSERT_TRUE(nova_virtio_net_receive(&net, frame.data(), 100));
                ends = take(FRAMES_RECEIVE);
                ASSERT_EQ(ends.size(), 1u) << what;
                EXPECT_EQ(received(ends[0].tag, ends[0].bytes), frame) << what;
        }
};

TEST_F(virtio_net_hostile, numbers_of_buffers_are_refused)
{
        for (const uint16_t buffers : {0, 3, 8, 9, 0xffff}) {
                receive_two();
                poke(header_of(first) + 10, buffers);
                EXPECT_EQ(take(FRAMES_RECEIVE).size(), buffers ? 1u : 0u) << buffers;
                EXPECT_EQ(last, QUEUE_BROKEN) << buffers;
        }
        receive_two(FRAMES_GUEST_SUM); /* without the feature, the number has no meaning */
        poke<uint16_t>(header_of(first) + 10, 0xffff);
        EXPECT_EQ(take(FRAMES_RECEIVE).size(), 1u);
        EXPECT_EQ(last, QUEUE_EMPTY);
}

TEST_F(virtio_net_hostile, requests_that_it_does_not_have_are_refused)
{
        for (const uint32_t id : {1u, 16u, 0xffffffffu}) {
                receive_two();
                poke(used_entry(1), id); /* the second buffer of the frame */
                take(FRAMES_RECEIVE);
                EXPECT_EQ(last, QUEUE_BROKEN) << id;
        }
        receive_two();
        poke(used_entry(1), peek<uint32_t>(used_entry(0))); /* the first buffer twice */
        take(FRAMES_RECEIVE);
        EXPECT_EQ(last, QUEUE_BROKEN);
}

TEST_F(virtio_net_hostile, frames_of_wrong_sizes_are_dropped)
{
        for (const uint32_t bytes :
             {0u, 11u, 12u + NOVA_NET_BUFFER + 1, 12u + 1415, 0x80000000u, 0xffffffffu}) {
                receive_two();
                poke(used_entry(0) + 4, bytes);
                expect_drop(2, "first buffer");
        }
        for (const uint32_t bytes :
             {1315u, 12u + NOVA_NET_BUFFER, 12u + NOVA_NET_BUFFER + 1, 0xffffffffu}) {
                receive_two();
                poke(used_entry(1) + 4, bytes);
                expect_drop(2, "second buffer");
        }
        receive_two();
        poke(used_entry(1) + 4, 12u + NOVA_NET_BUFFER);
        take(FRAMES_RECEIVE);
        EXPECT_EQ(received(1, 88), frame_of(300).substr(212)) << "behind the first buffer";
        for (const uint32_t bytes : {0u, 12u, 25u, 12u + 1515, 12u + NOVA_NET_BUFFER + 1}) {
                receive_two(0);
                poke(used_entry(0) + 4, bytes);
                expect_drop(1, "only buffer");
        }
}

TEST_F(virtio_net_hostile, checksums_outside_of_the_frame_are_dropped)
{
        const struct {
                uint16_t from, at;
        } bad[] = {{13, 6},     {300, 0},     {299, 0},         {34, 265},       {0xffff, 0},
                   {0, 0xffff}, {34, 0xffff}, {0xffff, 0xffff}, {34, 0x800 + 6}, {0x800 + 34, 6}};

        for (const auto &row : bad) {
                receive_two();
                poke<uint8_t>(header_of(first), 1);
                poke(header_of(first) + 6, row.from);
                poke(header_of(first) + 8, row.at);
                expect_drop(2, "checksum");
        }
        receive_two();
        poke<uint8_t>(header_of(first), 1);
        poke<uint16_t>(header_of(first) + 6, 34);
        poke<uint16_t>(header_of(first) + 8, 264);
        EXPECT_EQ(take(FRAMES_RECEIVE).back().sum, nova_net_sum_open(34, 264));
        receive_two(FRAMES_MERGED); /* without the feature, nothing is filled in */
        poke<uint8_t>(header_of(first), 3);
        poke<uint16_t>(header_of(first) + 6, 0xffff);
        const auto ends = take(FRAMES_RECEIVE);
        EXPECT_EQ(ends.back().sum, 0u);
        EXPECT_EQ(received(0, ends.back().bytes), frame_of(300));
}

TEST_F(virtio_net_hostile, frames_to_be_divided_are_dropped)
{
        receive_two();
        poke<uint8_t>(header_of(first) + 1, 1);
        expect_drop(2, "segments");
}
