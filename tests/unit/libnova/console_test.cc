/* SPDX-License-Identifier: BSD-2-Clause */
/* The console on ports without a 16550, and on a 16550 that accepts no character. */
#include <gtest/gtest.h>
#include <string>

#include "nova/console.h"

namespace
{

constexpr uint16_t COM1 = 0x3f8;
constexpr uint8_t READY = 0x01, EMPTY = 0x20;

uint8_t status;
uint64_t reads; /* of the line status */
uint64_t blocked_until;
std::string written;

struct console_uart : testing::Test {
        nova_console console = {};

        void SetUp() override
        {
                status = EMPTY;
                nova_console_use_port(&console, COM1);
                reads = blocked_until = 0;
                written = "";
        }

        void put(const char *text)
        {
                while (*text)
                        nova_console_put(&console, *text++);
        }
};

} // namespace

extern "C" {

void nova_out8(uint16_t port, uint8_t value)
{
        if (port == COM1)
                written += (char)value;
}

uint8_t nova_in8(uint16_t port)
{
        if (port == COM1)
                return 'k';
        if (port != COM1 + 5)
                return 0;
        return ++reads <= blocked_until ? 0 : status;
}
}

TEST_F(console_uart, writes_and_reads)
{
        put("a\n");
        EXPECT_EQ(written, "a\r\n");
        EXPECT_EQ(nova_console_get(&console), -1);
        status = EMPTY | READY;
        EXPECT_EQ(nova_console_get(&console), 'k');
}

TEST_F(console_uart, that_is_absent_has_no_character)
{
        status = 0xff;
        EXPECT_EQ(nova_console_get(&console), -1);
        put("text");
        EXPECT_EQ(reads, 5U);
}

TEST_F(console_uart, that_never_accepts_a_character_is_waited_for_once)
{
        status = 0;
        put("x");
        EXPECT_EQ(written, "");
        EXPECT_GT(reads, 100000U);
        reads = 0;
        put("text");
        EXPECT_EQ(written, "");
        EXPECT_LE(reads, 10U);
        status = EMPTY;
        put("text");
        EXPECT_EQ(written, "text");
}

TEST_F(console_uart, that_is_slow_loses_no_character)
{
        blocked_until = 100000;
        put("x");
        EXPECT_EQ(written, "x");
        EXPECT_FALSE(console.stuck);
}
