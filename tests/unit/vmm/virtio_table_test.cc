/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains that end in a table of descriptors elsewhere in the guest's memory, and faulty tables. */
#include "virtio.h"

#include <array>

namespace
{

using namespace virtio;

struct probe {
        nova_virtio virtio;
        unsigned taken;
};

void take_all(nova_virtio *virtio, unsigned queue)
{
        while (nova_virtio_take(virtio, queue)) {
                reinterpret_cast<probe *>(virtio)->taken++;
                nova_virtio_give(virtio, queue, 0);
        }
}

const nova_virtio_class probe_class = {NOVA_VIRTIO_RANDOM, "probe", NOVA_VIRTIO_INDIRECT, 1,
                                       take_all,           nullptr};

constexpr uint64_t table = 0xa000;

struct virtio_table : test {
        probe card = {};

        void SetUp() override
        {
                nova_virtio_init(&card.virtio, &probe_class, &memory);
                attach(&card.virtio);
                make();
        }

        void make(uint64_t features = NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_INDIRECT)
        {
                begin(features);
                make_queue(0);
                finish();
        }

        /* Writes descriptor @p number of the table at @p at. */
        void list(uint64_t at, unsigned number, uint64_t address, uint32_t bytes, uint16_t flags,
                  uint16_t following = 0)
        {
                poke(at + 16 * number, address);
                poke(at + 16 * number + 8, bytes);
                poke(at + 16 * number + 12, flags);
                poke(at + 16 * number + 14, following);
        }

        void go(uint16_t head = 0)
        {
                offer(0, head);
                kick(0);
        }

        void expect_broken(const char *cause)
        {
                EXPECT_TRUE(broken());
                EXPECT_EQ(complaint, cause);
                EXPECT_EQ(card.taken, 0u);
                EXPECT_EQ(used_index(0), 0);
        }
};

TEST_F(virtio_table, a_chain_may_be_in_a_table)
{
        list(table, 0, data, 4, chained, 2);
        list(table, 2, data + 8, 8, chained | writable, 1);
        list(table, 1, data + 16, 1, writable);
        describe(0, 5, table, 48, indirect);
        go(5);
        EXPECT_EQ(card.taken, 1u);
        EXPECT_EQ(card.virtio.chain.pieces, 3u);
        EXPECT_EQ(card.virtio.chain.readable, 1u);
        EXPECT_EQ(card.virtio.chain.read_bytes, 4u);
        EXPECT_EQ(card.virtio.chain.write_bytes, 9u);
        EXPECT_EQ(card.virtio.chain.piece[2].data, &ram[data + 16]);
        EXPECT_EQ(peek<uint32_t>(0x1000 + used + 4), 5u);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_table, a_table_may_follow_descriptors_of_the_queue)
{
        list(table, 0, data + 8, 8, writable);
        describe(0, 1, data, 4, chained, 4);
        describe(0, 4, table, 16, indirect | writable); /* the flag has no meaning here */
        go(1);
        EXPECT_EQ(card.taken, 1u);
        EXPECT_EQ(card.virtio.chain.pieces, 2u);
        EXPECT_EQ(card.virtio.chain.write_bytes, 8u);
}

TEST_F(virtio_table, a_chain_in_a_table_may_be_longer_than_the_queue)
{
        for (unsigned i = 0; i < NOVA_VIRTIO_QUEUE_SIZE; i++)
                list(table, i, data + i, 1, i + 1 < NOVA_VIRTIO_QUEUE_SIZE ? chained : 0,
                     static_cast<uint16_t>(i + 1));
        describe(0, 0, table, 16 * NOVA_VIRTIO_QUEUE_SIZE, indirect);
        go();
        EXPECT_EQ(card.taken, 1u);
        EXPECT_EQ(card.virtio.chain.pieces, unsigned{NOVA_VIRTIO_QUEUE_SIZE});
        EXPECT_FALSE(broken());
}

TEST_F(virtio_table, the_next_chain_begins_in_the_queue_again)
{
        list(table, 0, data, 4, 0);
        describe(0, 0, table, 16, indirect);
        describe(0, 1, data, 2, 0);
        offer(0, 0);
        go(1);
        EXPECT_EQ(card.taken, 2u);
        EXPECT_EQ(card.virtio.chain.read_bytes, 2u);
}

/* Faulty drivers. */

TEST_F(virtio_table, without_the_feature_there_are_no_tables)
{
        make(NOVA_VIRTIO_VERSION_1);
        list(table, 0, data, 4, 0);
        describe(0, 0, table, 16, indirect);
        go();
        expect_broken("a descriptor with flags that were not negotiated");
}

TEST_F(virtio_table, a_feature_that_is_accepted_after_the_queue_has_no_effect)
{
        out(status, 1, 0);
        out(status, 1, NOVA_VIRTIO_ACKNOWLEDGE | NOVA_VIRTIO_DRIVER);
        put_index[0] = 0;
        accept(NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_INDIRECT);
        make_queue(0);
        out(status, 1, NOVA_VIRTIO_FEATURES_OK);
        finish();
        list(table, 0, data, 4, 0);
        describe(0, 0, table, 16, indirect);
        go();
        expect_broken("a descriptor with flags that were not negotiated");
}

TEST_F(virtio_table, a_chain_in_a_table_has_an_end)
{
        list(table, 0, data, 1, chained, 1);
        list(table, 1, data, 1, chained, 0);
        describe(0, 0, table, 32, indirect);
        go();
        expect_broken("a chain that is longer than its queue");
}

TEST_F(virtio_table, a_descriptor_of_a_table_that_follows_itself_is_refused)
{
        list(table, 0, data, 1, chained | writable, 0);
        describe(0, 0, table, 16, indirect);
        go();
        expect_broken("a chain that is longer than its queue");
}

TEST_F(virtio_table, a_table_in_a_table_is_refused)
{
        for (const uint64_t inner : {table, table + 0x100}) { /* the same table, another table */
                make();
                list(table + 0x100, 0, data, 4, 0);
                list(table, 0, data, 4, chained, 1);
                list(table, 1, inner, 16, indirect);
                describe(0, 0, table, 32, indirect);
                go();
                expect_broken("a table of descriptors in a table");
        }
}

TEST_F(virtio_table, the_queue_itself_as_a_table_is_followed_once)
{
        describe(0, 0, 0x1000, 16 * 8, indirect);
        go();
        expect_broken("a table of descriptors in a table");
}

TEST_F(virtio_table, a_table_before_the_end_of_its_chain_is_refused)
{
        list(table, 0, data, 4, 0);
        describe(0, 0, table, 16, indirect | chained, 1);
        describe(0, 1, data, 4, 0);
        go();
        expect_broken("a table of descriptors before the end of its chain");
}

TEST_F(virtio_table, a_table_of_parts_of_descriptors_is_refused)
{
        for (const uint32_t bytes : {0u, 1u, 15u, 17u, 40u, 0xffffffffu}) {
                make();
                list(table, 0, data, 4, 0);
                describe(0, 0, table, bytes, indirect);
                go();
                expect_broken("a table that is not a number of whole descriptors");
        }
}

TEST_F(virtio_table, a_table_outside_of_memory_is_refused)
{
        for (const auto &[address, bytes] : {std::array<uint64_t, 2>{ram_bytes, 16},
                                             {ram_bytes - 16, 32},
                                             {ram_bytes - 8, 16},
                                             {0, 0xfffffff0},
                                             {UINT64_MAX - 15, 16},
                                             {1ull << 32, 16}}) {
                make();
                describe(0, 0, address, static_cast<uint32_t>(bytes), indirect);
                go();
                expect_broken("a table of descriptors outside its memory");
        }
}

TEST_F(virtio_table, the_last_table_in_memory_is_whole)
{
        list(ram_bytes - 16, 0, data, 4, 0);
        describe(0, 0, ram_bytes - 16, 16, indirect);
        go();
        EXPECT_EQ(card.taken, 1u);
}

TEST_F(virtio_table, a_descriptor_number_beyond_its_table_is_refused)
{
        for (const uint16_t next : {uint16_t{1}, uint16_t{7}, uint16_t{0xffff}}) {
                make();
                list(table, 0, data, 4, chained, next);
                list(table, 1, data, 4, 0);
                describe(0, 0, table, 16, indirect);
                go();
                expect_broken("a descriptor number beyond its table");
        }
}

TEST_F(virtio_table, a_descriptor_of_a_table_outside_of_memory_is_refused)
{
        list(table, 0, ram_bytes, 1, 0);
        describe(0, 0, table, 16, indirect);
        go();
        expect_broken("a descriptor outside its memory");
}

TEST_F(virtio_table, a_readable_piece_after_a_writable_one_is_refused_in_a_table_too)
{
        describe(0, 0, data, 1, chained | writable, 2);
        describe(0, 2, table, 32, indirect);
        list(table, 0, data, 1, chained | writable, 1);
        list(table, 1, data, 1, 0);
        go();
        expect_broken("a readable piece after a writable one");
}

} // namespace
