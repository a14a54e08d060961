/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC: entries, edges and levels, ends. */
#include "novavmm/ioapic.h"

#include <gtest/gtest.h>
#include <vector>

namespace
{

struct ioapic : testing::Test {
        nova_ioapic apic;
        std::vector<nova_apic_message> sent;
        bool accepted = true;

        static bool send(void *context, const nova_apic_message *message)
        {
                static_cast<ioapic *>(context)->sent.push_back(*message);
                return static_cast<ioapic *>(context)->accepted;
        }

        void SetUp() override
        {
                nova_ioapic_init(&apic, send, this);
        }

        void put(unsigned index, uint32_t value)
        {
                nova_ioapic_write(&apic, NOVA_IOAPIC_AT, 4, index);
                nova_ioapic_write(&apic, NOVA_IOAPIC_AT + 0x10, 4, value);
        }

        uint32_t get(unsigned index)
        {
                nova_ioapic_write(&apic, NOVA_IOAPIC_AT, 4, index);
                return static_cast<uint32_t>(nova_ioapic_read(&apic, NOVA_IOAPIC_AT + 0x10, 4));
        }
};

TEST_F(ioapic, has_24_masked_pins)
{
        EXPECT_EQ(get(1), 0x170011u);
        for (unsigned pin = 0; pin < 24; pin++)
                EXPECT_EQ(get(0x10 + 2 * pin), 0x10000u);
        nova_ioapic_set(&apic, 4, true);
        EXPECT_TRUE(sent.empty());
}

TEST_F(ioapic, an_edge_is_sent_once)
{
        put(0x18, 0x0934);
        put(0x19, 0x03000000);
        nova_ioapic_set(&apic, 4, true);
        nova_ioapic_set(&apic, 4, true);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].vector, 0x34);
        EXPECT_EQ(sent[0].delivery, NOVA_DELIVER_LOWEST);
        EXPECT_TRUE(sent[0].logical);
        EXPECT_EQ(sent[0].destination, 3);
        nova_ioapic_set(&apic, 4, false);
        nova_ioapic_set(&apic, 4, true);
        EXPECT_EQ(sent.size(), 2u);
}

TEST_F(ioapic, a_level_is_sent_again_after_its_end)
{
        put(0x1a, 0x8035);
        nova_ioapic_set(&apic, 5, true);
        EXPECT_EQ(sent.size(), 1u);
        EXPECT_EQ(get(0x1a) & 0x4000, 0x4000u);
        nova_ioapic_end(&apic, 0x36);
        EXPECT_EQ(sent.size(), 1u);
        nova_ioapic_end(&apic, 0x35);
        EXPECT_EQ(sent.size(), 2u);
        nova_ioapic_set(&apic, 5, false);
        nova_ioapic_end(&apic, 0x35);
        EXPECT_EQ(sent.size(), 2u);
        EXPECT_EQ(get(0x1a) & 0x4000, 0u);
}

TEST_F(ioapic, a_level_is_not_sent_again_before_its_end)
{
        put(0x1a, 0x8035);
        nova_ioapic_set(&apic, 5, true);
        nova_ioapic_set(&apic, 5, false);
        nova_ioapic_set(&apic, 5, true);
        EXPECT_EQ(sent.size(), 1u);
}

TEST_F(ioapic, a_level_that_no_local_apic_accepts_is_not_served)
{
        accepted = false;
        put(0x1a, 0x8035);
        nova_ioapic_set(&apic, 5, true);
        EXPECT_EQ(sent.size(), 1u);
        EXPECT_EQ(get(0x1a) & 0x4000, 0u);
        accepted = true;
        nova_ioapic_retry(&apic);
        EXPECT_EQ(sent.size(), 2u);
        EXPECT_EQ(get(0x1a) & 0x4000, 0x4000u);
        nova_ioapic_retry(&apic);
        EXPECT_EQ(sent.size(), 2u);
}

/* An NMI, an INIT and an interrupt of the 8259s need no end of interrupt. */
TEST_F(ioapic, nmi_init_and_external_interrupts_are_edges)
{
        for (uint32_t delivery : {NOVA_DELIVER_NMI, NOVA_DELIVER_INIT, NOVA_DELIVER_EXTERNAL}) {
                sent.clear();
                put(0x1a, 0x8000 | delivery << 8);
                for (unsigned i = 1; i <= 2; i++) {
                        nova_ioapic_set(&apic, 5, true);
                        nova_ioapic_set(&apic, 5, true);
                        ASSERT_EQ(sent.size(), i);
                        EXPECT_FALSE(sent[0].level);
                        EXPECT_EQ(get(0x1a) & 0x4000, 0u);
                        nova_ioapic_set(&apic, 5, false);
                }
        }
}

TEST_F(ioapic, a_level_waits_while_the_pin_is_masked)
{
        put(0x1a, 0x18035);
        nova_ioapic_set(&apic, 5, true);
        EXPECT_TRUE(sent.empty());
        put(0x1a, 0x8035);
        EXPECT_EQ(sent.size(), 1u);
}

/* When the local APIC took a level interrupt for an edge, systems end it by a change of the entry
 * to edges and back. */
TEST_F(ioapic, an_entry_for_edges_forgets_that_a_level_is_served)
{
        put(0x1a, 0x8035);
        nova_ioapic_set(&apic, 5, true);
        put(0x1a, 0x10035);
        EXPECT_EQ(get(0x1a), 0x10035u);
        put(0x1a, 0x8035);
        EXPECT_EQ(sent.size(), 2u);
}

TEST_F(ioapic, places_that_do_not_exist_do_nothing)
{
        nova_ioapic_set(&apic, 24, true);
        nova_ioapic_set(&apic, ~0u, true);
        for (unsigned index = 0; index < 256; index++) {
                if (index < 0x10 || index >= 0x40)
                        put(index, UINT32_MAX);
                get(index);
        }
        EXPECT_EQ(nova_ioapic_read(&apic, NOVA_IOAPIC_AT + 0x20, 4), 0u);
        EXPECT_TRUE(sent.empty());
}

} // namespace
