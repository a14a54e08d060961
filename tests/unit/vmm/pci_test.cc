/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI host bridge: the device that an access reaches, and its writable registers. */
#include "novavmm/pci.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace
{

struct pci : testing::Test {
        nova_vpci bus;
        nova_vpci_device card = {};
        unsigned last = ~0u;

        static void changed(void *context, unsigned reg)
        {
                static_cast<pci *>(context)->last = reg;
        }

        void SetUp() override
        {
                nova_vpci_init(&bus);
                nova_vpci_identify(&card, 0x1af4, 0x1041, 0x020000);
                card.writable[4] = 0xffff0000;
                card.changed = changed;
                card.context = this;
                ASSERT_EQ(nova_vpci_add(&bus, 3, &card), 0);
        }

        void select(unsigned device, unsigned reg, unsigned more = 0)
        {
                nova_vpci_write(&bus, 0xcf8, 4, 0x80000000u | device << 11 | reg << 2 | more);
        }

        uint32_t in(unsigned port, unsigned bytes)
        {
                const uint64_t value = nova_vpci_read(&bus, port, bytes);
                return static_cast<uint32_t>(bytes == 4 ? value : value & ((1u << 8 * bytes) - 1));
        }
};

TEST_F(pci, the_bridge_is_device_0)
{
        select(0, 2);
        EXPECT_EQ(in(0xcfc, 4) >> 16, 0x0600u);
}

TEST_F(pci, parts_of_a_register_can_be_read)
{
        select(3, 0);
        EXPECT_EQ(in(0xcfc, 4), 0x10411af4u);
        EXPECT_EQ(in(0xcfe, 2), 0x1041u);
        EXPECT_EQ(in(0xcfd, 1), 0x1au);
        EXPECT_EQ(in(0xcfe, 4), UINT32_MAX);
}

TEST_F(pci, where_no_device_is_all_bits_are_one)
{
        select(4, 0);
        EXPECT_EQ(in(0xcfc, 4), UINT32_MAX);
        select(3, 0, 1 << 8); /* another function */
        EXPECT_EQ(in(0xcfc, 4), UINT32_MAX);
        select(3, 0, 1 << 16); /* another bus */
        EXPECT_EQ(in(0xcfc, 4), UINT32_MAX);
        nova_vpci_write(&bus, 0xcf8, 4, 3 << 11);
        EXPECT_EQ(in(0xcfc, 4), UINT32_MAX);
}

TEST_F(pci, only_writable_bits_change_and_the_device_is_notified)
{
        select(3, 4);
        nova_vpci_write(&bus, 0xcfc, 4, 0xffffffff);
        EXPECT_EQ(card.config[4], 0xffff0000);
        EXPECT_EQ(last, 4u);
        nova_vpci_write(&bus, 0xcfe, 1, 0x12);
        EXPECT_EQ(card.config[4], 0xff120000);
        select(3, 0);
        nova_vpci_write(&bus, 0xcfc, 4, 0);
        EXPECT_EQ(card.config[0], 0x10411af4u);
}

TEST_F(pci, the_address_is_written_in_one_piece)
{
        select(3, 1);
        nova_vpci_write(&bus, 0xcf8, 1, 0xff);
        EXPECT_EQ(in(0xcf8, 4), 0x80001804u);
        EXPECT_EQ(in(0xcf8, 1), 0xffu);
        EXPECT_EQ(in(0xcf8, 2), 0xffffu);
        EXPECT_EQ(in(0xcfb, 1), 0xffu);
}

TEST_F(pci, memory_is_where_the_guest_puts_it)
{
        nova_vpci_set_memory(&card, 0xe0010000, 0x1000);
        card.memory_read = [](void *, uint64_t at, unsigned bytes) { return at << 8 | bytes; };
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0010ffe, 2), 0xffe02u);
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0010ffe, 4), UINT64_MAX);
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0011000, 1), UINT64_MAX);
        select(3, NOVA_VPCI_BAR);
        nova_vpci_write(&bus, 0xcfc, 4, 0xffffffff);
        EXPECT_EQ(in(0xcfc, 4), 0xfffff000u); /* the BAR's size */
        EXPECT_EQ(nova_vpci_memory_read(&bus, UINT32_MAX, 2), UINT64_MAX);
        nova_vpci_write(&bus, 0xcfc, 4, 0xe0023000);
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0010000, 1), UINT64_MAX);
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0023004, 1), 0x401u);
        select(3, NOVA_VPCI_COMMAND);
        nova_vpci_write(&bus, 0xcfc, 2, 0);
        EXPECT_EQ(nova_vpci_memory_read(&bus, 0xe0023004, 1), UINT64_MAX);
}

TEST_F(pci, ports_are_where_the_guest_puts_them)
{
        uint64_t written = 0;

        nova_vpci_set_ports(&card, 0xc020, 16);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xc020, 2), UINT64_MAX);
        nova_vpci_port_write(&bus, 0xc020, 2, 1); /* the card has no function for writes */
        card.port_read = [](void *, uint64_t at, unsigned bytes) { return at << 8 | bytes; };
        card.port_write = [](void *context, uint64_t at, unsigned, uint64_t value) {
                *static_cast<uint64_t *>(context) = at << 32 | value;
        };
        card.context = &written;
        card.changed = nullptr;
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xc02e, 2), 0xe02u);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xc02e, 4), UINT64_MAX);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xc01f, 1), UINT64_MAX);
        nova_vpci_port_write(&bus, 0xc024, 2, 0x1234);
        EXPECT_EQ(written, uint64_t{4} << 32 | 0x1234);
        select(3, NOVA_VPCI_PORT_BAR);
        nova_vpci_write(&bus, 0xcfc, 4, 0xffffffff);
        EXPECT_EQ(in(0xcfc, 4), 0xfffffff1u); /* the BAR's size, and the bit for ports */
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xffff, 2), UINT64_MAX);
        nova_vpci_write(&bus, 0xcfc, 4, 0x2341);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0xc020, 1), UINT64_MAX);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0x2344, 1), 0x401u);
        select(3, NOVA_VPCI_COMMAND);
        nova_vpci_write(&bus, 0xcfc, 2, 0);
        EXPECT_EQ(nova_vpci_port_read(&bus, 0x2344, 1), UINT64_MAX);
}

TEST_F(pci, a_register_is_brought_up_to_date_before_it_is_read)
{
        card.refresh = [](void *context, unsigned reg) {
                static_cast<pci *>(context)->card.config[reg] = 0x1234;
        };
        select(3, 20);
        EXPECT_EQ(in(0xcfc, 4), 0x1234u);
}

TEST_F(pci, a_place_is_taken_once)
{
        EXPECT_EQ(nova_vpci_add(&bus, 3, &card), EBUSY);
        EXPECT_EQ(nova_vpci_add(&bus, 0, &card), EBUSY);
        EXPECT_EQ(nova_vpci_add(&bus, 32, &card), EINVAL);
}

} // namespace
