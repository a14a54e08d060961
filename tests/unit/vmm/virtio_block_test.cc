/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk: requests, their completion, and faulty drivers. */
#include "novavmm/virtio_block.h"

#include "virtio.h"

namespace
{

using namespace virtio;

constexpr unsigned sectors = 16;
constexpr unsigned header_at = data, status_at = data + 0x20, body_at = data + 0x1000;

struct virtio_block : test {
        std::vector<uint8_t> bytes = std::vector<uint8_t>(sectors * NOVA_SECTOR + 100, 0x55);
        nova_virtio_block disk = {};

        void SetUp() override
        {
                make(false);
        }

        void make(bool read_only)
        {
                nova_virtio_block_init(&disk, &memory, bytes.data(), bytes.size(), read_only);
                attach(&disk.virtio);
                start();
        }

        /* @return the status that the device wrote; 0xee if it wrote none */
        unsigned request(uint32_t type, uint64_t sector, uint32_t count, bool writes)
        {
                poke(header_at, type);
                poke(header_at + 4, 0u);
                poke(header_at + 8, sector);
                ram[status_at] = 0xee;
                describe(0, 0, header_at, 16, chained, 1);
                describe(0, 1, body_at, count,
                         static_cast<uint16_t>(chained | (writes ? writable : 0)), 2);
                describe(0, 2, status_at, 1, writable);
                offer(0, 0);
                kick(0);
                return ram[status_at];
        }
};

TEST_F(virtio_block, reports_its_size_in_whole_sectors)
{
        EXPECT_EQ(in(config, 8), sectors);
        EXPECT_EQ(in(config + 12, 4), NOVA_VIRTIO_QUEUE_SIZE - 2);
        EXPECT_EQ(in(config + 20, 4), NOVA_SECTOR);
        EXPECT_EQ(disk.virtio.pci.config[0], 0x10421af4u);
}

TEST_F(virtio_block, reads_and_writes_sectors)
{
        memset(&bytes[3 * NOVA_SECTOR], 'x', 2 * NOVA_SECTOR);
        EXPECT_EQ(request(0, 3, 2 * NOVA_SECTOR, true), 0u);
        EXPECT_EQ(used_bytes(0, 0), 2 * NOVA_SECTOR + 1);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[3 * NOVA_SECTOR], 2 * NOVA_SECTOR), 0);
        ram[body_at] = 'y';
        EXPECT_EQ(request(1, 15, NOVA_SECTOR, false), 0u);
        EXPECT_EQ(used_bytes(0, 1), 1u);
        EXPECT_EQ(bytes[15 * NOVA_SECTOR], 'y');
        EXPECT_EQ(bytes[15 * NOVA_SECTOR + 511], 'x');
        EXPECT_EQ(bytes[16 * NOVA_SECTOR], 0x55);
}

TEST_F(virtio_block, the_header_may_come_in_pieces_and_the_status_with_the_data)
{
        poke(header_at, 0u);
        poke(header_at + 4, 0u);
        poke<uint64_t>(header_at + 8, 1);
        bytes[NOVA_SECTOR] = 'z';
        describe(0, 0, header_at, 5, chained, 1);
        describe(0, 1, header_at + 5, 11, chained, 2);
        describe(0, 2, body_at, NOVA_SECTOR + 1, writable);
        offer(0, 0);
        ram[body_at + NOVA_SECTOR] = 0xee;
        kick(0);
        EXPECT_EQ(ram[body_at], 'z');
        EXPECT_EQ(ram[body_at + NOVA_SECTOR], 0);
}

TEST_F(virtio_block, returns_its_identity_and_flushes)
{
        EXPECT_EQ(request(8, 0, 20, true), 0u);
        EXPECT_STREQ(reinterpret_cast<char *>(&ram[body_at]), "novavmm");
        EXPECT_EQ(request(8, 0, 4, true), 0u);
        EXPECT_EQ(request(4, 0, 0, false), 0u);
        EXPECT_EQ(request(11, 0, NOVA_SECTOR, false), 2u);
        EXPECT_EQ(request(0xffffffff, 0, NOVA_SECTOR, true), 2u);
}

TEST_F(virtio_block, requests_beyond_its_end_fail)
{
        for (const uint64_t sector : {uint64_t{16}, uint64_t{15}, UINT64_MAX, UINT64_MAX / 512}) {
                EXPECT_EQ(request(0, sector, 2 * NOVA_SECTOR, true), 1u);
                EXPECT_EQ(request(1, sector, 2 * NOVA_SECTOR, false), 1u);
        }
        EXPECT_EQ(request(0, 0, 0x3000, true), 1u);
        EXPECT_EQ(request(0, 0, 100, true), 1u);
        EXPECT_EQ(request(1, 0, 511, false), 1u);
        EXPECT_EQ(request(0, 16, 0, true), 0u);
        for (const uint8_t byte : bytes)
                ASSERT_EQ(byte, 0x55);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_block, a_read_only_disk_reports_that_and_is_not_written)
{
        make(true);
        EXPECT_TRUE(disk.virtio.offered & 1u << 5);
        EXPECT_EQ(request(1, 0, NOVA_SECTOR, false), 1u);
        EXPECT_EQ(bytes[0], 0x55);
        EXPECT_EQ(request(0, 0, NOVA_SECTOR, true), 0u);
}

TEST_F(virtio_block, a_request_without_header_or_status_breaks_the_device)
{
        describe(0, 0, header_at, 15, chained, 1);
        describe(0, 1, status_at, 1, writable);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(broken());
        EXPECT_EQ(complaint, "a request without a header or a status byte");
        start();
        describe(0, 0, header_at, 16, 0);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(broken());
        EXPECT_EQ(complaints, 1u);
}

/* Requests with more data than a driver usually asks for. */
struct virtio_block_large : virtio_block {
        static constexpr uint32_t size = 2 * NOVA_VIRTIO_BLOCK_TURN + NOVA_SECTOR;

        void SetUp() override
        {
                ram.resize(body_at + size);
                memory.base = ram.data();
                memory.bytes = ram.size();
                bytes.resize(size);
                for (size_t i = 0; i < size; i++)
                        bytes[i] = static_cast<uint8_t>(i * 7 + i / NOVA_VIRTIO_BLOCK_TURN);
                make(false);
        }

        /* Begins a request whose data is all of the disk. After such a request the device pauses.
         */
        void begin_request(uint32_t type)
        {
                nova_virtio_look(&disk.virtio);
                EXPECT_EQ(request(type, 0, size, type == 0), 0xeeu);
                EXPECT_TRUE(disk.virtio.unfinished);
        }
};

TEST_F(virtio_block_large, take_turns)
{
        const auto content = bytes;

        begin_request(0);
        EXPECT_EQ(ram[body_at + NOVA_VIRTIO_BLOCK_TURN], 0);
        nova_virtio_look(&disk.virtio);
        EXPECT_EQ(ram[status_at], 0xee);
        EXPECT_FALSE(line);
        nova_virtio_look(&disk.virtio);
        EXPECT_EQ(ram[status_at], 0);
        EXPECT_EQ(used_bytes(0, 0), size + 1);
        EXPECT_EQ(memcmp(&ram[body_at], bytes.data(), size), 0);
        memset(bytes.data(), 0, size);
        begin_request(1);
        for (unsigned i = 0; i < 2; i++)
                nova_virtio_look(&disk.virtio);
        EXPECT_EQ(ram[status_at], 0);
        EXPECT_EQ(bytes, content);
        EXPECT_EQ(disk.requests, 2u);
}

TEST_F(virtio_block_large, end_with_a_reset)
{
        begin_request(0);
        start();
        EXPECT_EQ(request(0, 1, NOVA_SECTOR, true), 0u);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[NOVA_SECTOR], NOVA_SECTOR), 0);
}

/* The driver changes the chain between two turns. */
TEST_F(virtio_block_large, are_checked_at_each_turn)
{
        begin_request(0);
        poke<uint64_t>(header_at + 8, 1);
        nova_virtio_look(&disk.virtio);
        EXPECT_EQ(ram[status_at], 1);
        begin_request(0);
        describe(0, 1, body_at, NOVA_SECTOR, chained | writable, 2);
        nova_virtio_look(&disk.virtio);
        EXPECT_EQ(ram[status_at], 0);
        EXPECT_EQ(used_bytes(0, 1), NOVA_SECTOR + 1);
        begin_request(0);
        describe(0, 0, header_at, 16, 0);
        nova_virtio_look(&disk.virtio);
        EXPECT_TRUE(broken());
        start();
        EXPECT_EQ(request(0, 0, NOVA_SECTOR, true), 0u);
        EXPECT_EQ(memcmp(&ram[body_at], &bytes[0], NOVA_SECTOR), 0);
}

} // namespace
