/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card with a cable that records what it sends, and its driver. */
#ifndef TESTS_UNIT_VMM_VIRTIO_NET_H
#define TESTS_UNIT_VMM_VIRTIO_NET_H

#include "novavmm/virtio_net.h"

#include "virtio.h"

namespace virtio
{

constexpr uint64_t check_sum = 1, guest_sum = 2, large = 1 << 7, cut = 1 << 11, merged = 1 << 15;
constexpr unsigned header_bytes = 12;
constexpr unsigned to_guest = 0, from_guest = 1;
constexpr uint8_t address[NOVA_VIRTIO_NET_ADDRESS] = {2, 1, 2, 3, 4, 5};

struct virtio_net : test {
        nova_virtio_net net = {};
        std::vector<std::string> sent;
        std::vector<uint32_t> sums; /* sums of the frames that were sent with open checksums */
        bool takes_sums = false;
        unsigned room = 1000, kicks = 0, rooms = 0;
        bool is_endless = false; /* the driver adds a frame for each one that is sent */
        uint8_t buffer[NOVA_VIRTIO_NET_FRAME_MAX];
        nova_virtio_net_cable cable = {prepare, send, kick_cable, tell_room, this, send_open};

        static virtio_net *self(void *context)
        {
                return static_cast<virtio_net *>(context);
        }

        static void *prepare(void *context)
        {
                return self(context)->room ? self(context)->buffer : nullptr;
        }

        static void send(void *context, size_t bytes)
        {
                self(context)->room--;
                if (self(context)->is_endless)
                        self(context)->offer(from_guest, 0);
                self(context)->sent.emplace_back(
                        reinterpret_cast<const char *>(self(context)->buffer), bytes);
        }

        static bool send_open(void *context, size_t bytes, uint32_t sum)
        {
                if (!self(context)->takes_sums)
                        return false;
                self(context)->sums.push_back(sum);
                send(context, bytes);
                return true;
        }

        static void kick_cable(void *context)
        {
                self(context)->kicks++;
        }

        static void tell_room(void *context)
        {
                self(context)->rooms++;
        }

        void SetUp() override
        {
                nova_virtio_net_init(&net, &memory, address, &cable);
                attach(&net.virtio);
        }

        void start_with(uint64_t features)
        {
                begin(NOVA_VIRTIO_VERSION_1 | features);
                make_queue(to_guest);
                make_queue(from_guest);
                finish();
        }

        /* Puts a frame into the queue: its header and @p bytes of data, each with the low byte of
         * its number. */
        void queue_frame(uint16_t head, unsigned bytes, uint8_t flags = 0, uint16_t sum_from = 0,
                         uint16_t sum_at = 0)
        {
                const unsigned at = data + 0x800u * head;

                memset(&ram[at], 0, header_bytes);
                poke(at, flags);
                poke(at + 6, sum_from);
                poke(at + 8, sum_at);
                for (unsigned i = 0; i < bytes; i++)
                        ram[at + header_bytes + i] = static_cast<uint8_t>(i);
                describe(from_guest, head, at, header_bytes + bytes, 0);
                offer(from_guest, head);
        }

        void queue_buffer(uint16_t head, unsigned bytes = header_bytes + 1514)
        {
                describe(to_guest, head, data + 0x800u * head, bytes, writable);
                offer(to_guest, head);
        }
};

} // namespace virtio

#endif
