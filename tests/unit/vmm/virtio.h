/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver for virtio devices for tests: it makes correct accesses and forbidden ones. */
#ifndef TESTS_UNIT_VMM_VIRTIO_H
#define TESTS_UNIT_VMM_VIRTIO_H

#include "novavmm/virtio.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace virtio
{

/* Registers, as offsets in BAR 0. */
enum : unsigned {
        offered_half = 0,
        offered = 4,
        accepted_half = 8,
        accepted = 12,
        error_vector = 16,
        queues = 18,
        status = 20,
        queue_select = 22,
        queue_size = 24,
        queue_vector = 26,
        queue_enable = 28,
        queue_notify = 30,
        queue_address = 32,
        isr = 0x1000,
        config = 0x2000,
        notify = 0x3000,
        messages = 0x4000,
        pending = 0x5000
};

enum : uint16_t { chained = 1, writable = 2, indirect = 4 };

/* Addresses of a queue's parts in the guest's memory; 0x1000 for each queue, data from 0x8000
 * on. */
enum : unsigned { descriptors = 0, available = 0x800, used = 0xc00, data = 0x8000 };

struct test : testing::Test {
        static constexpr size_t ram_bytes = 0x10000;
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes);
        nova_guest_memory memory = {};
        nova_virtio *device = nullptr;
        bool line = false;
        std::string complaint;
        unsigned complaints = 0;
        uint16_t put_index[NOVA_VIRTIO_QUEUES] = {};

        static void set_line(void *context, unsigned, bool level)
        {
                static_cast<test *>(context)->line = level;
        }

        static void complain(void *context, const char *, const char *cause)
        {
                auto *self = static_cast<test *>(context);
                self->complaint = cause;
                self->complaints++;
        }

        test()
        {
                memory.base = ram.data();
                memory.bytes = ram_bytes;
        }

        void attach(nova_virtio *to)
        {
                device = to;
                device->irq = {set_line, this, 0};
                device->complain = complain;
                device->context = this;
        }

        uint64_t in(unsigned at, unsigned bytes)
        {
                const uint64_t value = nova_virtio_get(device, at, bytes);
                return bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1);
        }

        void out(unsigned at, unsigned bytes, uint64_t value)
        {
                nova_virtio_put(device, at, bytes, value);
        }

        template <typename type> void poke(uint64_t at, type value)
        {
                ASSERT_LE(at + sizeof(value), ram_bytes);
                memcpy(&ram[at], &value, sizeof(value));
        }

        template <typename type> type peek(uint64_t at)
        {
                type value;
                memcpy(&value, &ram[at], sizeof(value));
                return value;
        }

        void accept(uint64_t features)
        {
                for (unsigned half = 0; half < 2; half++) {
                        out(accepted_half, 4, half);
                        out(accepted, 4, features >> 32 * half & UINT32_MAX);
                }
        }

        void begin(uint64_t features = NOVA_VIRTIO_VERSION_1)
        {
                out(status, 1, 0);
                out(status, 1, NOVA_VIRTIO_ACKNOWLEDGE);
                out(status, 1, in(status, 1) | NOVA_VIRTIO_DRIVER);
                accept(features);
                out(status, 1, in(status, 1) | NOVA_VIRTIO_FEATURES_OK);
                for (auto &index : put_index)
                        index = 0;
        }

        void make_queue(unsigned number, unsigned size = 8)
        {
                const uint64_t base = 0x1000ull * (number + 1);

                memset(&ram[base], 0, 0x1000);
                out(queue_select, 2, number);
                out(queue_size, 2, size);
                out(queue_address, 8, base + descriptors);
                out(queue_address + 8, 8, base + available);
                out(queue_address + 16, 4, base + used);
                out(queue_address + 20, 4, 0);
                out(queue_enable, 2, 1);
        }

        void finish()
        {
                out(status, 1, in(status, 1) | NOVA_VIRTIO_DRIVER_OK);
        }

        /* Does everything that a driver does before it uses the device. */
        void start()
        {
                begin();
                for (unsigned i = 0; i < device->kind->queues; i++)
                        make_queue(i);
                finish();
        }

        void describe(unsigned queue, unsigned number, uint64_t address, uint32_t bytes,
                      uint16_t flags, uint16_t following = 0)
        {
                const uint64_t at = 0x1000ull * (queue + 1) + 16ull * number;

                poke(at, address);
                poke(at + 8, bytes);
                poke(at + 12, flags);
                poke(at + 14, following);
        }

        /* Makes a chain available. */
        void offer(unsigned queue, uint16_t head, unsigned size = 8)
        {
                const uint64_t at = 0x1000ull * (queue + 1) + available;

                poke(at + 4 + 2ull * (put_index[queue]++ % size), head);
                poke(at + 2, put_index[queue]);
        }

        void kick(unsigned queue)
        {
                out(notify + 4 * queue, 2, queue);
        }

        uint16_t used_index(unsigned queue)
        {
                return peek<uint16_t>(0x1000ull * (queue + 1) + used + 2);
        }

        uint32_t used_bytes(unsigned queue, unsigned number)
        {
                return peek<uint32_t>(0x1000ull * (queue + 1) + used + 8 + 8ull * number);
        }

        bool broken()
        {
                return in(status, 1) & NOVA_VIRTIO_NEEDS_RESET;
        }
};

} // namespace virtio

#endif
