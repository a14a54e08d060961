/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to reset a PC. */
#include "novavmm/reset.h"

#include <gtest/gtest.h>

#include "devices.h"

namespace
{

struct reset : testing::Test {
        probe line;
        nova_reset logic;

        void SetUp() override
        {
                const nova_line wire = line.line();
                nova_reset_init(&logic, &wire);
        }

        void out8(unsigned port, unsigned value)
        {
                nova_reset_write(&logic, port, 1, value);
        }
};

TEST_F(reset, the_keyboard_controller_pulses_the_line)
{
        out8(0x64, 0xfe);
        EXPECT_TRUE(line.level);
        EXPECT_STREQ(logic.means, "the keyboard controller");
}

TEST_F(reset, the_keyboard_controllers_output_port_has_the_line)
{
        out8(0x60, 0xfe);
        EXPECT_FALSE(line.level);
        out8(0x64, 0xd1);
        out8(0x60, 0xdf);
        EXPECT_FALSE(line.level);
        out8(0x64, 0xd1);
        out8(0x60, 0xde);
        EXPECT_TRUE(line.level);
        EXPECT_STREQ(logic.means, "the keyboard controller");
}

TEST_F(reset, fast_reset_and_the_chipset_work)
{
        out8(0x92, 2);
        EXPECT_FALSE(line.level);
        out8(0x92, 3);
        EXPECT_TRUE(line.level);
        EXPECT_STREQ(logic.means, "port 0x92");
        line.level = false;
        out8(0xcf9, 2);
        EXPECT_FALSE(line.level);
        EXPECT_EQ(nova_reset_read(&logic, 0xcf9, 1), 2u);
        out8(0xcf9, 6);
        EXPECT_TRUE(line.level);
        EXPECT_STREQ(logic.means, "port 0xcf9");
}

TEST_F(reset, other_commands_do_nothing_and_nothing_is_ever_busy)
{
        for (unsigned command = 0; command < 0xf0; command++)
                if (command != 0xd1)
                        out8(0x64, command);
        EXPECT_FALSE(line.level);
        EXPECT_EQ(nova_reset_read(&logic, 0x64, 1), 0u);
}

} // namespace
