/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that all virtio devices share: capabilities, negotiation, queues, and faulty
 * drivers. */
#include "virtio.h"

namespace
{

using namespace virtio;

struct probe {
        nova_virtio virtio;
        unsigned notified, taken;
};

/* Takes all available chains. */
void take_all(nova_virtio *virtio, unsigned queue)
{
        auto *self = reinterpret_cast<probe *>(virtio);

        self->notified++;
        for (unsigned waiting = nova_virtio_waiting(virtio, queue);
             waiting && nova_virtio_take(virtio, queue); waiting--) {
                self->taken++;
                nova_virtio_give(virtio, queue, 0);
        }
}

const nova_virtio_class probe_class = {NOVA_VIRTIO_RANDOM, "probe", 0x5, 2, take_all, nullptr};

struct virtio_common : test {
        probe card = {};

        void SetUp() override
        {
                nova_virtio_init(&card.virtio, &probe_class, &memory);
                attach(&card.virtio);
        }

        void expect_broken(const char *cause)
        {
                EXPECT_TRUE(broken());
                EXPECT_EQ(complaint, cause);
                EXPECT_TRUE(line);
                EXPECT_EQ(in(isr, 1), 2u);
                EXPECT_FALSE(line);
                EXPECT_EQ(used_index(0), 0);

                const unsigned before = card.notified;
                kick(0);
                EXPECT_EQ(card.notified, before);
        }
};

TEST_F(virtio_common, capabilities_say_where_the_structures_are)
{
        unsigned at = card.virtio.pci.config[NOVA_VPCI_CAPABILITIES] & 0xff, kinds = 0;
        std::string bars; /* BARs of the notification registers */

        EXPECT_TRUE(card.virtio.pci.config[NOVA_VPCI_COMMAND] & 0x00100000);
        for (unsigned count = 0; at && count < 8; count++) {
                const uint32_t *const capability = &card.virtio.pci.config[at / 4];
                const unsigned kind = capability[0] >> 24;

                EXPECT_EQ(capability[0] & 0xff, 9u);
                EXPECT_LE(capability[2] + capability[3],
                          capability[1] ? card.virtio.pci.ports : NOVA_VIRTIO_BAR_BYTES);
                kinds |= 1u << kind;
                if (kind == 2) {
                        EXPECT_EQ(capability[4], 4u);
                        bars += std::to_string(capability[1]);
                } else {
                        EXPECT_EQ(capability[1], 0u);
                }
                at = capability[0] >> 8 & 0xff;
        }
        EXPECT_EQ(kinds, 0x3eu);
        EXPECT_EQ(bars, "10"); /* the ports come first */
}

TEST_F(virtio_common, ports_notify_as_memory_does)
{
        nova_vpci_device *const pci = &card.virtio.pci;

        start();
        pci->port_write(pci->context, 0, 2, 0);
        EXPECT_EQ(card.notified, 1u);
        for (unsigned at = 8; at < pci->ports; at++)
                pci->port_write(pci->context, at, 2, 0);
        EXPECT_EQ(card.notified, 1u);
        /* Through the configuration space. */
        pci->config[0x88 / 4] = 1;
        pci->config[0x8c / 4] = 0;
        pci->config[0x90 / 4] = 2;
        pci->changed(pci->context, 0x94 / 4);
        EXPECT_EQ(card.notified, 2u);
        pci->refresh(pci->context, 0x94 / 4);
        EXPECT_EQ(pci->config[0x94 / 4], UINT32_MAX);
        pci->config[0x8c / 4] = 16;
        pci->changed(pci->context, 0x94 / 4);
        EXPECT_EQ(card.notified, 2u);
}

TEST_F(virtio_common, features_that_were_not_offered_are_not_accepted)
{
        for (const uint64_t features :
             {0ull, NOVA_VIRTIO_VERSION_1 | 2, 5ull, NOVA_VIRTIO_VERSION_1 | 1ull << 63}) {
                begin(features);
                EXPECT_FALSE(in(status, 1) & NOVA_VIRTIO_FEATURES_OK);
                finish();
                EXPECT_FALSE(in(status, 1) & NOVA_VIRTIO_DRIVER_OK);
        }
        begin(NOVA_VIRTIO_VERSION_1 | 4);
        EXPECT_TRUE(in(status, 1) & NOVA_VIRTIO_FEATURES_OK);
        EXPECT_EQ(complaints, 0u);
}

TEST_F(virtio_common, features_above_the_64th_are_refused)
{
        out(accepted_half, 4, 2);
        out(accepted, 4, 1);
        accept(NOVA_VIRTIO_VERSION_1);
        out(status, 1, 0xb);
        EXPECT_FALSE(in(status, 1) & NOVA_VIRTIO_FEATURES_OK);
}

TEST_F(virtio_common, features_stay_once_they_are_agreed_upon)
{
        begin(NOVA_VIRTIO_VERSION_1);
        accept(NOVA_VIRTIO_VERSION_1 | 4);
        EXPECT_EQ(card.virtio.accepted, NOVA_VIRTIO_VERSION_1);
}

TEST_F(virtio_common, offered_features_are_read_in_halves)
{
        out(offered_half, 4, 0);
        EXPECT_EQ(in(offered, 4), 5u);
        out(offered_half, 4, 1);
        EXPECT_EQ(in(offered, 4), 1u);
        out(offered_half, 4, 0x80000000);
        EXPECT_EQ(in(offered, 4), 0u);
}

TEST_F(virtio_common, status_bits_are_only_added_until_0_resets)
{
        start();
        out(status, 1, NOVA_VIRTIO_ACKNOWLEDGE);
        EXPECT_EQ(in(status, 1), 0xfu);
        out(status, 1, 0x30); /* reserved */
        EXPECT_EQ(in(status, 1), 0xfu);
        out(status, 1, 0);
        EXPECT_EQ(in(status, 1), 0u);
        EXPECT_FALSE(card.virtio.queue[0].enabled);
        out(queue_select, 2, 0);
        EXPECT_EQ(in(queue_size, 2), NOVA_VIRTIO_QUEUE_SIZE);
}

TEST_F(virtio_common, a_queue_that_does_not_exist_has_size_0)
{
        out(queue_select, 2, 2);
        EXPECT_EQ(in(queue_size, 2), 0u);
        out(queue_size, 2, 8);
        out(queue_enable, 2, 1);
        out(queue_address, 8, UINT64_MAX);
        out(queue_select, 2, 0xffff);
        out(queue_enable, 2, 1);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_common, chains_are_taken_and_given_back)
{
        start();
        describe(0, 3, data, 4, chained, 5);
        describe(0, 5, data + 8, 4, chained | writable, 0);
        describe(0, 0, data + 16, 1, writable);
        offer(0, 3);
        kick(0);
        EXPECT_EQ(card.taken, 1u);
        EXPECT_EQ(used_index(0), 1);
        EXPECT_EQ(peek<uint32_t>(0x1000 + used + 4), 3u);
        EXPECT_TRUE(line);
        EXPECT_EQ(card.virtio.pci.config[NOVA_VPCI_COMMAND] & 0x80000u, 0x80000u);
        EXPECT_EQ(in(isr, 1), 1u);
        EXPECT_EQ(card.virtio.pci.config[NOVA_VPCI_COMMAND] & 0x80000u, 0u);
        EXPECT_FALSE(line);
        EXPECT_EQ(card.virtio.chain.read_bytes, 4u);
        EXPECT_EQ(card.virtio.chain.write_bytes, 5u);
}

TEST_F(virtio_common, copies_cross_pieces_and_stay_inside)
{
        uint8_t buffer[6] = {};

        start();
        describe(0, 0, data, 2, chained, 1);
        describe(0, 1, data + 0x10, 0, chained, 2);
        describe(0, 2, data + 0x20, 4, chained, 3);
        describe(0, 3, data + 0x30, 1, chained | writable, 4);
        describe(0, 4, data + 0x40, 2, writable);
        memcpy(&ram[data], "ab", 2);
        memcpy(&ram[data + 0x20], "cdef", 4);
        offer(0, 0);
        ASSERT_TRUE(nova_virtio_take(&card.virtio, 0));
        EXPECT_TRUE(nova_virtio_read(&card.virtio.chain, 1, buffer, 4));
        EXPECT_EQ(memcmp(buffer, "bcde", 4), 0);
        EXPECT_FALSE(nova_virtio_read(&card.virtio.chain, 1, buffer, 6));
        EXPECT_FALSE(nova_virtio_read(&card.virtio.chain, UINT64_MAX, buffer, 2));
        EXPECT_TRUE(nova_virtio_write(&card.virtio.chain, 0, "xyz", 3));
        EXPECT_EQ(ram[data + 0x30], 'x');
        EXPECT_EQ(memcmp(&ram[data + 0x40], "yz", 3), 0);
        EXPECT_FALSE(nova_virtio_write(&card.virtio.chain, 1, "xyz", 3));
        EXPECT_EQ(memcmp(&ram[data + 0x40], "yz", 3), 0); /* nothing was copied */
}

TEST_F(virtio_common, the_ring_goes_round)
{
        start();
        describe(0, 0, data, 1, writable);
        for (unsigned i = 0; i < 70000; i++) {
                offer(0, 0);
                kick(0);
        }
        EXPECT_EQ(card.taken, 70000u);
        EXPECT_EQ(used_index(0), static_cast<uint16_t>(70000));
        EXPECT_FALSE(broken());
}

TEST_F(virtio_common, a_driver_can_forbid_interrupts)
{
        start();
        poke<uint16_t>(0x1000 + available, 1);
        describe(0, 0, data, 1, writable);
        offer(0, 0);
        kick(0);
        EXPECT_EQ(used_index(0), 1);
        EXPECT_FALSE(line);
}

TEST_F(virtio_common, the_command_register_can_forbid_interrupts)
{
        start();
        describe(0, 0, data, 1, writable);
        offer(0, 0);
        card.virtio.pci.config[NOVA_VPCI_COMMAND] |= 0x400;
        kick(0);
        EXPECT_FALSE(line);
        card.virtio.pci.config[NOVA_VPCI_COMMAND] &= ~0x400u;
        card.virtio.pci.changed(card.virtio.pci.context, NOVA_VPCI_COMMAND);
        EXPECT_TRUE(line);
}

TEST_F(virtio_common, nothing_is_taken_before_the_driver_is_ready)
{
        begin();
        make_queue(0);
        describe(0, 0, data, 1, writable);
        offer(0, 0);
        kick(0);
        EXPECT_EQ(card.notified, 0u);
        finish();
        EXPECT_EQ(card.taken, 1u);
}

TEST_F(virtio_common, an_enabled_queue_stays_as_it_is)
{
        start();
        out(queue_select, 2, 0);
        out(queue_size, 2, 0xffff);
        out(queue_address, 8, UINT64_MAX);
        out(queue_enable, 2, 0);
        EXPECT_EQ(in(queue_size, 2), 8u);
        EXPECT_EQ(in(queue_enable, 2), 1u);
        EXPECT_EQ(in(queue_address, 8), 0x1000u);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_common, registers_are_reached_through_the_configuration_space)
{
        nova_vpci_device *const pci = &card.virtio.pci;

        start();
        pci->config[0x8c / 4] = status;
        pci->config[0x90 / 4] = 1;
        pci->refresh(pci->context, 0x94 / 4);
        EXPECT_EQ(pci->config[0x94 / 4], 0xfu);
        pci->config[0x94 / 4] = 0;
        pci->changed(pci->context, 0x94 / 4);
        EXPECT_EQ(in(status, 1), 0u);
        /* Accesses that are unaligned, too long, outside, or in another BAR have no effect. */
        out(status, 1, 1);
        for (const auto &[bar, offset, bytes] : {std::array<uint32_t, 3>{1, status, 1},
                                                 {0, status, 3},
                                                 {0, status, 0xffffffff},
                                                 {0, status + 1, 2},
                                                 {0, 0xffffffff, 1},
                                                 {0, NOVA_VIRTIO_BAR_BYTES, 1}}) {
                pci->config[0x88 / 4] = bar;
                pci->config[0x8c / 4] = offset;
                pci->config[0x90 / 4] = bytes;
                pci->config[0x94 / 4] = 0;
                pci->changed(pci->context, 0x94 / 4);
                pci->refresh(pci->context, 0x94 / 4);
                EXPECT_EQ(pci->config[0x94 / 4], 0u);
        }
        EXPECT_EQ(in(status, 1), 1u);
}

TEST_F(virtio_common, addresses_without_registers_do_nothing)
{
        start();
        for (unsigned at = 0; at < NOVA_VIRTIO_BAR_BYTES + 64; at++)
                for (const unsigned bytes : {1u, 2u, 4u, 8u}) {
                        in(at, bytes);
                        if (at >= 56 && (at < notify || at >= notify + 8))
                                out(at, bytes, UINT64_MAX);
                }
        kick(2);
        kick(0x3ff);
        EXPECT_EQ(in(status, 1), 0xfu);
        EXPECT_EQ(card.notified, 0u);
}

/* Faulty drivers. The device reports each error once, then waits for its reset. */

TEST_F(virtio_common, a_descriptor_outside_of_memory_is_refused)
{
        for (const auto &[address, bytes] : {std::array<uint64_t, 2>{ram_bytes - 1, 2},
                                             {ram_bytes, 1},
                                             {UINT64_MAX, 2},
                                             {UINT64_MAX - 0xfff, 0xffffffff},
                                             {0, ram_bytes + 1},
                                             {1ull << 32, 4}}) {
                start();
                describe(0, 0, address, static_cast<uint32_t>(bytes), writable);
                offer(0, 0);
                kick(0);
                expect_broken("a descriptor outside its memory");
        }
        EXPECT_EQ(complaints, 1u);
}

TEST_F(virtio_common, a_chain_that_bites_its_tail_is_refused)
{
        start();
        describe(0, 0, data, 1, chained, 1);
        describe(0, 1, data, 1, chained, 0);
        offer(0, 0);
        kick(0);
        expect_broken("a chain that is longer than its queue");
}

TEST_F(virtio_common, a_descriptor_that_follows_itself_is_refused)
{
        start();
        describe(0, 7, data, 1, chained | writable, 7);
        offer(0, 7);
        kick(0);
        expect_broken("a chain that is longer than its queue");
}

TEST_F(virtio_common, a_chain_is_never_longer_than_the_largest_queue)
{
        begin();
        make_queue(0, NOVA_VIRTIO_QUEUE_SIZE);
        finish();
        describe(0, 7, data, 1, chained | writable, 7);
        offer(0, 7);
        kick(0);
        expect_broken("a chain that is longer than its queue");
        EXPECT_LE(card.virtio.chain.pieces, unsigned{NOVA_VIRTIO_QUEUE_SIZE});
}

TEST_F(virtio_common, a_head_beyond_the_queue_is_refused)
{
        start();
        offer(0, 8);
        kick(0);
        expect_broken("a descriptor number beyond the queue");
}

TEST_F(virtio_common, a_next_descriptor_beyond_the_queue_is_refused)
{
        start();
        describe(0, 0, data, 1, chained, 0xffff);
        offer(0, 0);
        kick(0);
        expect_broken("a descriptor number beyond the queue");
}

TEST_F(virtio_common, reserved_flags_are_refused)
{
        for (const unsigned flags : {+indirect, 8, 0x8000, 0xfffc}) {
                start();
                describe(0, 0, data, 16, static_cast<uint16_t>(flags));
                offer(0, 0);
                kick(0);
                expect_broken("a descriptor with flags that were not negotiated");
        }
}

TEST_F(virtio_common, a_piece_to_read_after_one_to_write_is_refused)
{
        start();
        describe(0, 0, data, 1, chained | writable, 1);
        describe(0, 1, data, 1, 0);
        offer(0, 0);
        kick(0);
        expect_broken("a readable piece after a writable one");
}

TEST_F(virtio_common, an_index_that_runs_wild_is_refused)
{
        for (const uint16_t index : {9, 0x8000, 0xffff}) {
                start();
                poke<uint16_t>(0x1000 + available + 2, index);
                kick(0);
                expect_broken("a queue with more chains than descriptors");
        }
}

TEST_F(virtio_common, an_index_that_runs_wild_before_the_driver_is_ready_is_refused)
{
        begin();
        make_queue(0);
        poke<uint16_t>(0x1000 + available + 2, 77);
        finish();
        expect_broken("a queue with more chains than descriptors");
}

TEST_F(virtio_common, sizes_that_queues_cannot_have_are_refused)
{
        for (const unsigned size : {0u, 3u, 65u, 128u, 0xffffu}) {
                begin();
                make_queue(0, size);
                EXPECT_TRUE(broken());
                EXPECT_FALSE(card.virtio.queue[0].enabled);
                EXPECT_FALSE(line); /* the driver is not ready for it */
        }
        EXPECT_EQ(complaint, "a queue whose size is not a power of two up to its limit");
}

TEST_F(virtio_common, a_queue_outside_of_memory_is_refused)
{
        for (unsigned part = 0; part < 3; part++)
                for (const uint64_t at : {uint64_t{ram_bytes - 16}, uint64_t{ram_bytes - 128},
                                          uint64_t{ram_bytes}, UINT64_MAX - 15}) {
                        begin();
                        out(queue_select, 2, 1);
                        for (unsigned i = 0; i < 3; i++)
                                out(queue_address + 8 * i, 8, i == part ? at : 0x1000u * i);
                        out(queue_enable, 2, 1);
                        EXPECT_TRUE(broken());
                        EXPECT_FALSE(card.virtio.queue[1].enabled);
                }
        EXPECT_EQ(complaint, "a queue outside its memory");
}

TEST_F(virtio_common, a_queue_that_is_not_aligned_is_refused)
{
        for (unsigned part = 0; part < 3; part++) {
                begin();
                out(queue_select, 2, 0);
                for (unsigned i = 0; i < 3; i++)
                        out(queue_address + 8 * i, 8, 0x1000 + 0x100 * i + (i == part));
                out(queue_enable, 2, 1);
                EXPECT_TRUE(broken());
        }
        EXPECT_EQ(complaint, "a queue that is not aligned");
}

TEST_F(virtio_common, after_a_reset_the_device_works_again)
{
        start();
        offer(0, 9);
        kick(0);
        ASSERT_TRUE(broken());
        start();
        describe(0, 0, data, 1, writable);
        offer(0, 0);
        kick(0);
        EXPECT_FALSE(broken());
        EXPECT_EQ(used_index(0), 1);
}

} // namespace
