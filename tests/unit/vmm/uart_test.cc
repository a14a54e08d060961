/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550: data, interrupts by priority, and input that the guest does not read. */
#include "novavmm/uart.h"

#include <gtest/gtest.h>
#include <string>

#include "devices.h"

namespace
{

struct uart : testing::Test {
        probe irq;
        std::string sent;
        nova_uart port;

        static void send(void *context, uint8_t byte)
        {
                *static_cast<std::string *>(context) += static_cast<char>(byte);
        }

        void SetUp() override
        {
                const nova_line line = irq.line();
                nova_uart_init(&port, &line, send, &sent);
                out(4, 8);
        }

        void out(unsigned number, unsigned value)
        {
                nova_uart_write(&port, 0x3f8 + number, 1, value);
        }

        unsigned in(unsigned number)
        {
                return static_cast<unsigned>(nova_uart_read(&port, 0x3f8 + number, 1));
        }
};

TEST_F(uart, sends)
{
        for (char c : std::string("hello"))
                out(0, static_cast<uint8_t>(c));
        EXPECT_EQ(sent, "hello");
        EXPECT_EQ(in(5), 0x60u);
}

TEST_F(uart, receives_in_order_with_an_interrupt)
{
        out(1, 1);
        EXPECT_FALSE(irq.level);
        nova_uart_receive(&port, 'a');
        nova_uart_receive(&port, 'b');
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(2) & 0xf, 4u);
        EXPECT_EQ(in(5), 0x61u);
        EXPECT_EQ(in(0), 'a');
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(0), 'b');
        EXPECT_FALSE(irq.level);
        EXPECT_EQ(in(0), 0u);
}

TEST_F(uart, reports_that_all_was_sent_once)
{
        out(1, 2);
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(2), 2u);
        EXPECT_FALSE(irq.level);
        EXPECT_EQ(in(2), 1u);
        out(0, 'x');
        EXPECT_TRUE(irq.level);
}

TEST_F(uart, raises_no_interrupt_without_the_pcs_gate)
{
        out(4, 0);
        out(1, 3);
        nova_uart_receive(&port, 'a');
        EXPECT_FALSE(irq.level);
}

TEST_F(uart, loses_input_that_is_not_read_and_reports_the_loss)
{
        out(1, 4);
        for (unsigned i = 0; i < NOVA_UART_INPUT; i++)
                nova_uart_receive(&port, static_cast<uint8_t>(i));
        EXPECT_EQ(nova_uart_room(&port), 0u);
        EXPECT_FALSE(irq.level);
        nova_uart_receive(&port, 0xff);
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(2) & 0xf, 6u);
        EXPECT_EQ(in(5) & 2, 2u);
        EXPECT_EQ(in(5) & 2, 0u);
        EXPECT_EQ(in(0), 0u);
        EXPECT_EQ(nova_uart_room(&port), 1u);
}

TEST_F(uart, replaces_its_first_registers_by_the_divisor_on_request)
{
        out(3, 0x83);
        out(0, 12);
        out(1, 1);
        EXPECT_EQ(in(0), 12u);
        EXPECT_EQ(in(1), 1u);
        out(3, 3);
        EXPECT_EQ(in(1), 0u);
        EXPECT_EQ(sent, "");
}

TEST_F(uart, shows_a_fifo_that_is_switched_on_and_empties_it)
{
        EXPECT_EQ(in(2), 1u);
        out(2, 1);
        EXPECT_EQ(in(2), 0xc1u);
        nova_uart_receive(&port, 'a');
        out(2, 3);
        EXPECT_EQ(in(5), 0x60u);
}

TEST_F(uart, receives_its_own_bytes_in_loop_mode)
{
        out(4, 0x1e);
        EXPECT_EQ(in(6), 0xd0u);
        out(0, 'z');
        EXPECT_EQ(in(0), 'z');
        EXPECT_EQ(sent, "");
}

TEST_F(uart, keeps_its_scratch_byte)
{
        out(7, 0x5a);
        EXPECT_EQ(in(7), 0x5au);
}

} // namespace
