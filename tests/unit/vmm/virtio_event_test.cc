/* SPDX-License-Identifier: BSD-2-Clause */
/* Features that save exits: event indices of queues, and interrupt messages (MSI-X) instead of a
 * wire; with faulty drivers. */
#include "virtio.h"

namespace
{

using namespace virtio;

constexpr unsigned size = 8;
constexpr uint64_t used_event = 0x1000 + available + 4 + 2 * size;
constexpr uint64_t available_event = 0x1000 + used + 4 + 8 * size;

struct probe {
        nova_virtio virtio;
        unsigned served;
        /* Called for each chain, in place of another virtual CPU that runs meanwhile. */
        void (*beside)(void *context);
        void *context;
};

bool serve(nova_virtio *virtio, uint32_t *written)
{
        auto *self = reinterpret_cast<probe *>(virtio);

        self->served++;
        *written = 0;
        if (self->beside)
                self->beside(self->context);
        return true;
}

void notified(nova_virtio *virtio, unsigned queue)
{
        nova_virtio_serve(virtio, queue, serve);
}

const nova_virtio_class kind = {NOVA_VIRTIO_RANDOM, "probe", NOVA_VIRTIO_EVENT_INDEX, 2,
                                notified,           nullptr};

struct virtio_event : test {
        probe card = {};
        std::vector<std::pair<uint64_t, uint32_t>> sent;

        static void send(void *context, uint64_t address, uint32_t value)
        {
                static_cast<virtio_event *>(context)->sent.emplace_back(address, value);
        }

        void SetUp() override
        {
                nova_virtio_init(&card.virtio, &kind, &memory);
                nova_virtio_add_messages(&card.virtio, send, this);
                attach(&card.virtio);
                make(NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX);
        }

        void make(uint64_t features)
        {
                begin(features);
                make_queue(0);
                make_queue(1);
                finish();
                describe(0, 0, data, 1, writable);
        }

        void control(uint32_t bits)
        {
                nova_vpci_device *const pci = &card.virtio.pci;

                pci->config[0x98 / 4] = (pci->config[0x98 / 4] & 0x3fffffff) | bits;
                pci->changed(pci->context, 0x98 / 4);
        }

        /* Enables messages: queue 0 uses number 1. */
        void use_messages()
        {
                for (unsigned i = 0; i < 3; i++) {
                        out(messages + 16 * i, 4, 0xfee01000);
                        out(messages + 16 * i + 8, 4, 0x40 + i);
                        out(messages + 16 * i + 12, 4, 0);
                }
                out(queue_select, 2, 0);
                out(queue_vector, 2, 1);
                out(error_vector, 2, 0);
                control(0x80000000);
        }
};

TEST_F(virtio_event, the_driver_gets_an_interrupt_at_its_index_only)
{
        poke<uint16_t>(used_event, 1);
        offer(0, 0);
        kick(0);
        EXPECT_FALSE(line);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(line);
        in(isr, 1);
        offer(0, 0);
        kick(0);
        EXPECT_FALSE(line);
        EXPECT_EQ(used_index(0), 3);
}

TEST_F(virtio_event, the_flag_of_the_ring_has_no_meaning_with_event_indices)
{
        poke<uint16_t>(0x1000 + available, 1);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(line);
}

TEST_F(virtio_event, an_idle_device_requests_a_notification_for_the_next_chain)
{
        for (unsigned i = 1; i < 70000; i++) {
                offer(0, 0);
                kick(0);
                ASSERT_EQ(peek<uint16_t>(available_event), static_cast<uint16_t>(i));
        }
}

TEST_F(virtio_event, drivers_without_event_indices_find_the_rings_of_old)
{
        make(NOVA_VIRTIO_VERSION_1);
        poke<uint16_t>(used_event, 0x1234);
        poke<uint16_t>(available_event, 0x5678);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(line);
        EXPECT_EQ(peek<uint16_t>(available_event), 0x5678);
        EXPECT_EQ(peek<uint16_t>(0x1000 + used), 0);
}

TEST_F(virtio_event, a_feature_accepted_after_a_queue_was_enabled_does_not_lengthen_its_rings)
{
        begin(NOVA_VIRTIO_VERSION_1);
        out(status, 1, 0);
        out(status, 1, 3);
        out(queue_select, 2, 0);
        out(queue_size, 2, size);
        out(queue_address, 8, 0x1000);
        out(queue_address + 8, 8, 0x1800);
        out(queue_address + 16, 8, ram_bytes - 4 - 8 * size); /* no room for the index */
        out(queue_enable, 2, 1);
        accept(NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX);
        out(status, 1, 0xb);
        finish();
        EXPECT_FALSE(card.virtio.queue[0].events);
        offer(0, 0);
        kick(0);
        EXPECT_FALSE(nova_virtio_listen(&card.virtio, 0));
        EXPECT_FALSE(broken());
}

TEST_F(virtio_event, a_queue_enabled_before_the_features_are_agreed_upon_has_no_indices)
{
        out(status, 1, 0);
        out(status, 1, 3);
        accept(NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX);
        make_queue(0);
        EXPECT_TRUE(card.virtio.queue[0].enabled);
        EXPECT_FALSE(card.virtio.queue[0].events);
}

TEST_F(virtio_event, rings_without_room_for_the_indices_are_refused)
{
        for (const unsigned part : {1u, 2u}) {
                begin(NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX);
                out(queue_select, 2, 0);
                out(queue_size, 2, size);
                out(queue_address, 8, 0x1000);
                out(queue_address + 8, 8, part == 1 ? ram_bytes - 4 - 2 * size : 0x1800);
                out(queue_address + 16, 8, part == 2 ? ram_bytes - 4 - 8 * size : 0x1c00);
                out(queue_enable, 2, 1);
                EXPECT_TRUE(broken());
                EXPECT_EQ(complaint, "a queue outside its memory");
        }
}

TEST_F(virtio_event, a_driver_that_never_stops_does_not_keep_the_device)
{
        card.beside = [](void *context) { static_cast<virtio_event *>(context)->offer(0, 0); };
        card.context = this;
        offer(0, 0);
        kick(0);
        EXPECT_EQ(card.served, 4u * NOVA_VIRTIO_QUEUE_SIZE);
        EXPECT_TRUE(card.virtio.again);
        card.beside = nullptr;
        nova_virtio_look(&card.virtio);
        EXPECT_EQ(card.served, 4u * NOVA_VIRTIO_QUEUE_SIZE + 1);
        EXPECT_FALSE(card.virtio.again);
}

/* Large chains are more work: here 16 pages of data and one chain count as 17 chains. */
TEST_F(virtio_event, a_turn_ends_after_a_megabyte_of_data)
{
        for (const uint64_t features :
             {NOVA_VIRTIO_VERSION_1 | NOVA_VIRTIO_EVENT_INDEX, NOVA_VIRTIO_VERSION_1}) {
                make(features);
                card.served = 0;
                describe(0, 0, 0, ram_bytes, 0);
                card.beside = [](void *context) {
                        static_cast<virtio_event *>(context)->offer(0, 0);
                };
                card.context = this;
                offer(0, 0);
                kick(0);
                EXPECT_EQ(card.served, (4u * NOVA_VIRTIO_QUEUE_SIZE + 16) / 17);
                EXPECT_TRUE(card.virtio.unfinished);
                card.beside = nullptr;
                nova_virtio_look(&card.virtio);
                EXPECT_EQ(card.served, (4u * NOVA_VIRTIO_QUEUE_SIZE + 16) / 17 + 1);
                EXPECT_FALSE(card.virtio.unfinished);
        }
}

TEST_F(virtio_event, messages_replace_the_wire)
{
        use_messages();
        offer(0, 0);
        kick(0);
        EXPECT_FALSE(line);
        EXPECT_EQ(in(isr, 1), 0u);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].first, 0xfee01000u);
        EXPECT_EQ(sent[0].second, 0x41u);
}

TEST_F(virtio_event, an_error_has_a_message_of_its_own)
{
        use_messages();
        offer(0, 8);
        kick(0);
        EXPECT_TRUE(broken());
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].second, 0x40u);
}

TEST_F(virtio_event, a_masked_message_waits)
{
        use_messages();
        out(messages + 16 + 12, 4, 1);
        offer(0, 0);
        kick(0);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(sent.empty());
        EXPECT_EQ(in(pending, 8), 2u);
        control(0xc0000000);
        out(messages + 16 + 12, 4, 0);
        EXPECT_TRUE(sent.empty());
        control(0x80000000);
        EXPECT_EQ(sent.size(), 1u);
        EXPECT_EQ(in(pending, 8), 0u);
}

TEST_F(virtio_event, a_queue_without_a_message_is_silent)
{
        use_messages();
        out(queue_vector, 2, 0xffff);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(sent.empty());
        EXPECT_FALSE(line);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(virtio_event, messages_that_do_not_exist_cannot_be_chosen)
{
        for (const unsigned vector : {3u, 0x7fffu, 0xfffeu}) {
                out(queue_vector, 2, vector);
                EXPECT_EQ(in(queue_vector, 2), 0xffffu);
                out(error_vector, 2, vector);
                EXPECT_EQ(in(error_vector, 2), 0xffffu);
        }
        out(queue_select, 2, 2);
        out(queue_vector, 2, 1);
        EXPECT_EQ(in(queue_vector, 2), 0xffffu);
}

TEST_F(virtio_event, a_reset_forgets_the_choice_and_keeps_the_table)
{
        use_messages();
        out(messages + 16 + 12, 4, 1);
        offer(0, 0);
        kick(0);
        out(status, 1, 0);
        EXPECT_EQ(in(queue_vector, 2), 0xffffu);
        EXPECT_EQ(in(error_vector, 2), 0xffffu);
        EXPECT_EQ(in(pending, 8), 0u);
        EXPECT_EQ(in(messages + 16 + 8, 4), 0x41u);
}

TEST_F(virtio_event, the_table_keeps_its_defined_bits_and_nothing_beyond_its_end)
{
        for (unsigned at = messages; at < messages + 0x1000; at++)
                for (const unsigned bytes : {1u, 2u, 4u, 8u})
                        out(at, bytes, UINT64_MAX);
        for (unsigned i = 0; i < 3; i++) {
                EXPECT_EQ(in(messages + 16 * i, 8), 0xfffffffffffffffcu);
                EXPECT_EQ(in(messages + 16 * i + 8, 8), 0x1ffffffffu);
        }
        for (unsigned at = messages + 48; at < pending + 0x1000; at++)
                for (const unsigned bytes : {1u, 2u, 4u, 8u})
                        EXPECT_EQ(in(at, bytes), 0u);
        out(pending, 8, UINT64_MAX);
        EXPECT_EQ(in(pending, 8), 0u);
        EXPECT_TRUE(sent.empty());
}

TEST_F(virtio_event, the_capability_says_where_the_table_is)
{
        const uint32_t *const config = card.virtio.pci.config;
        unsigned at = config[NOVA_VPCI_CAPABILITIES] & 0xff, last = 0;

        for (unsigned count = 0; at && count < 8; count++) {
                last = at;
                at = config[at / 4] >> 8 & 0xff;
        }
        EXPECT_EQ(config[last / 4] & 0xffff, 0x11u);
        EXPECT_EQ(config[last / 4] >> 16 & 0x7ff, NOVA_VIRTIO_MESSAGES - 1u);
        EXPECT_EQ(config[last / 4 + 1], 0x4000u);
        EXPECT_EQ(config[last / 4 + 2], 0x5000u);
}

TEST_F(virtio_event, without_a_destination_for_messages_it_has_no_table)
{
        nova_virtio_init(&card.virtio, &kind, &memory);
        attach(&card.virtio);
        use_messages();
        make(NOVA_VIRTIO_VERSION_1);
        EXPECT_EQ(in(messages + 8, 4), 0u);
        out(queue_vector, 2, 1);
        EXPECT_EQ(in(queue_vector, 2), 0xffffu);
        offer(0, 0);
        kick(0);
        EXPECT_TRUE(line);
}

} // namespace
