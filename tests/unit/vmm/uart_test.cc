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
        fake_clock time;
        std::string sent;
        nova_uart port;

        static void send(void *context, uint8_t byte)
        {
                *static_cast<std::string *>(context) += static_cast<char>(byte);
        }

        void SetUp() override
        {
                const nova_line line = irq.line();
                const nova_clock clock = time.clock();
                nova_uart_init(&port, &line, send, &sent);
                nova_uart_set_clock(&port, &clock);
                out(4, 8);
        }

        /* Does the machine's work at an alarm.
         * @return false if there is none */
        bool wait()
        {
                if (port.alarm.deadline == NOVA_NEVER)
                        return false;
                time.ns = port.alarm.deadline;
                port.alarm.deadline = NOVA_NEVER;
                port.alarm.expire(port.alarm.device, time.ns);
                return true;
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
        out(2, 1);
        EXPECT_FALSE(irq.level);
        nova_uart_receive(&port, 'a');
        nova_uart_receive(&port, 'b');
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(2) & 0xf, 4u);
        EXPECT_EQ(in(5), 0x61u);
        EXPECT_EQ(in(0), 'a');
        EXPECT_EQ(in(5), 0x61u);
        EXPECT_EQ(in(0), 'b');
        EXPECT_FALSE(irq.level);
        EXPECT_FALSE(wait()) << "nothing is left to report";
        EXPECT_EQ(in(0), 0u);
}

/* National Semiconductor's data sheet PC16550D: a read of the input ends the interrupt of a
 * time-out, and bytes that are left raise another one after the time of four characters. So a
 * driver that reads one byte for each edge of the line gets all of them. */
TEST_F(uart, input_that_is_left_raises_another_edge)
{
        for (unsigned fifo : {0x01u, 0x41u, 0x81u, 0xc1u}) {
                out(1, 1);
                out(2, fifo);
                irq.rises = 0;
                for (char c : std::string("abc"))
                        nova_uart_receive(&port, static_cast<uint8_t>(c));
                for (unsigned i = 1; i <= 3; i++) {
                        const uint64_t before = time.ns;

                        EXPECT_TRUE(irq.level);
                        EXPECT_EQ(irq.rises, i);
                        EXPECT_EQ(in(0), 'a' + i - 1);
                        EXPECT_FALSE(irq.level);
                        EXPECT_EQ(in(2) & 0xf, 1u);
                        EXPECT_EQ(wait(), i < 3);
                        EXPECT_EQ(time.ns - before, i < 3 ? 4166664u : 0u);
                }
                nova_uart_receive(&port, 'a');
                nova_uart_receive(&port, 'b');
                in(0);
                nova_uart_receive(&port, 'c');
                EXPECT_FALSE(irq.level) << "the time has not passed";
                out(2, fifo | 2);
                EXPECT_FALSE(wait());
                nova_uart_receive(&port, 'd');
                EXPECT_TRUE(irq.level);
                in(0);
        }
}

TEST_F(uart, the_time_of_a_character_follows_the_divisor_up_to_9600_baud)
{
        const struct {
                unsigned divisor, ns;
        } rows[] = {{1, 347222}, {3, 1041666}, {12, 4166664}, {0x180, 4166664}, {0, 4166664}};

        out(2, 1);
        for (const auto &row : rows) {
                out(3, 0x83);
                out(0, row.divisor & 0xff);
                out(1, row.divisor >> 8);
                out(3, 3);
                nova_uart_receive(&port, 'a');
                nova_uart_receive(&port, 'b');
                const uint64_t before = time.ns;
                in(0);
                EXPECT_TRUE(wait());
                EXPECT_EQ(time.ns - before, row.ns) << row.divisor;
                in(0);
        }
}

TEST_F(uart, other_interrupts_stay_while_input_is_left)
{
        out(1, 3);
        out(2, 1);
        nova_uart_receive(&port, 'a');
        nova_uart_receive(&port, 'b');
        in(0);
        EXPECT_TRUE(irq.level);
        EXPECT_EQ(in(2) & 0xf, 2u);
        EXPECT_FALSE(irq.level);
        EXPECT_TRUE(wait());
        EXPECT_EQ(in(2) & 0xf, 4u);
}

TEST_F(uart, without_its_fifo_holds_one_byte)
{
        out(1, 1);
        EXPECT_EQ(nova_uart_room(&port), 1u);
        nova_uart_receive(&port, 'a');
        EXPECT_EQ(nova_uart_room(&port), 0u);
        nova_uart_receive(&port, 'b');
        EXPECT_EQ(in(5) & 2, 2u);
        EXPECT_EQ(in(0), 'a');
        EXPECT_EQ(in(5), 0x60u);
        EXPECT_EQ(nova_uart_room(&port), 1u);
        out(2, 1);
        EXPECT_EQ(nova_uart_room(&port), unsigned{NOVA_UART_INPUT});
        nova_uart_receive(&port, 'a');
        nova_uart_receive(&port, 'b');
        out(2, 0); /* the change empties the FIFO */
        EXPECT_EQ(in(5), 0x60u);
        EXPECT_EQ(nova_uart_room(&port), 1u);
}

TEST_F(uart, takes_no_input_in_loop_mode)
{
        out(2, 1);
        out(4, 0x18);
        EXPECT_EQ(nova_uart_room(&port), 0u);
        out(4, 8);
        EXPECT_EQ(nova_uart_room(&port), unsigned{NOVA_UART_INPUT});
}

TEST_F(uart, without_a_clock_the_interrupt_stays_until_all_was_read)
{
        port.clock = {};
        out(1, 1);
        out(2, 1);
        nova_uart_receive(&port, 'a');
        nova_uart_receive(&port, 'b');
        in(0);
        EXPECT_TRUE(irq.level);
        in(0);
        EXPECT_FALSE(irq.level);
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
        out(2, 1);
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
