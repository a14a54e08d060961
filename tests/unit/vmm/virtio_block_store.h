/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio disk whose blocks are in a store of the test. */
#ifndef TESTS_UNIT_VMM_VIRTIO_BLOCK_STORE_H
#define TESTS_UNIT_VMM_VIRTIO_BLOCK_STORE_H

#include "novavmm/virtio_block.h"

#include "virtio.h"

namespace virtio
{

constexpr unsigned sectors = 1024;
constexpr unsigned header_at = data, status_at = data + 0x800, body_at = data + 0x1000;

struct virtio_block_store : test {
        std::vector<uint8_t> bytes = std::vector<uint8_t>(sectors * NOVA_SECTOR, 0x55);
        std::vector<uint8_t> buffer =
                std::vector<uint8_t>(NOVA_VIRTIO_BLOCK_REQUESTS * NOVA_VIRTIO_BLOCK_STEP);
        nova_virtio_block disk = {};
        nova_virtio_block_store store = {};
        std::vector<nova_virtio_block_step> steps;
        unsigned kicks = 0;
        bool valid = true, up = true;

        static void start_step(void *context, const nova_virtio_block_step *step)
        {
                static_cast<virtio_block_store *>(context)->steps.push_back(*step);
        }

        static void kick_store(void *context)
        {
                static_cast<virtio_block_store *>(context)->kicks++;
        }

        static bool is_up(void *context)
        {
                return static_cast<virtio_block_store *>(context)->up;
        }

        static bool check(void *context, const nova_virtio_block_step *)
        {
                return static_cast<virtio_block_store *>(context)->valid;
        }

        void SetUp() override
        {
                store.bytes = bytes.size();
                store.block_bytes = NOVA_SECTOR;
                store.step_bytes = NOVA_VIRTIO_BLOCK_STEP;
                store.buffer = buffer.data();
                store.is_up = is_up;
                store.start = start_step;
                store.kick = kick_store;
                store.check = check;
                store.context = this;
                make();
        }

        void make(uint32_t busy = 0, uint64_t features = NOVA_VIRTIO_VERSION_1 | 1u << 9)
        {
                nova_virtio_block_init_store(&disk, &memory, &store, busy);
                attach(&disk.virtio);
                begin(features);
                make_queue(0, 64);
                finish();
        }

        /* Makes a request available: descriptors @p at to @p at + 2. */
        void put(unsigned at, uint32_t type, uint64_t sector, uint32_t count, bool writes)
        {
                const unsigned header = header_at + 16 * at;

                poke(header, type);
                poke(header + 4, 0u);
                poke(header + 8, sector);
                ram[status_at + at] = 0xee;
                const auto number = static_cast<uint16_t>(at);
                describe(0, at, header, 16, chained, static_cast<uint16_t>(number + 1));
                describe(0, at + 1, body_at, count,
                         static_cast<uint16_t>(chained | (writes ? writable : 0)),
                         static_cast<uint16_t>(number + 2));
                describe(0, at + 2, status_at + at, 1, writable);
                offer(0, number, 64);
        }

        unsigned status_of(unsigned at)
        {
                return ram[status_at + at];
        }

        /* Performs the oldest step, as the store would. */
        void perform(int error = 0)
        {
                ASSERT_FALSE(steps.empty());
                const nova_virtio_block_step step = steps.front();
                uint8_t *const part = &buffer[step.request * NOVA_VIRTIO_BLOCK_STEP];

                steps.erase(steps.begin());
                ASSERT_LE(step.bytes, step.operation == NOVA_VIRTIO_BLOCK_DISCARD
                                              ? NOVA_VIRTIO_BLOCK_RANGE_MAX
                                              : store.step_bytes);
                ASSERT_LE(step.offset + step.bytes, bytes.size());
                if (step.operation == NOVA_VIRTIO_BLOCK_READ)
                        memcpy(part, &bytes[step.offset], step.bytes);
                if (step.operation == NOVA_VIRTIO_BLOCK_WRITE)
                        memcpy(&bytes[step.offset], part, step.bytes);
                if (step.operation == NOVA_VIRTIO_BLOCK_DISCARD)
                        memset(&bytes[step.offset], 0xdd, step.bytes);
                nova_virtio_block_done(&disk, step.request, error);
        }
};

} // namespace virtio

#endif
