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

        unsigned in8(unsigned port)
        {
                return static_cast<unsigned>(nova_reset_read(&logic, port, 1));
        }

        /* Returns the answer to a command of the keyboard controller, or -1. */
        int answer(unsigned command)
        {
                out8(0x64, command);
                return in8(0x64) & 1 ? static_cast<int>(in8(0x60)) : -1;
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

/* The usual code that switches on the gate of address line 20 waits for the answer without a limit,
 * and writes it back with bit 1 set. */
TEST_F(reset, the_keyboard_controller_answers_what_software_waits_for)
{
        EXPECT_EQ(in8(0x64), 0u);
        EXPECT_EQ(answer(0xaa), 0x55);
        EXPECT_EQ(answer(0xab), 1); /* there is no keyboard */
        EXPECT_EQ(answer(0xa9), 1); /* Linux then waits for no mouse */
        EXPECT_EQ(answer(0xd0), 3); /* address line 20 is on, the reset line is not */
        EXPECT_EQ(in8(0x64), 0u);
        EXPECT_EQ(in8(0x60), 0u);
        out8(0x64, 0xd1);
        out8(0x60, 1);
        EXPECT_EQ(answer(0xd0), 3); /* the gate is not present */
        EXPECT_EQ(answer(0x20), 0x14);
        out8(0x64, 0x60);
        out8(0x60, 0x65);
        EXPECT_EQ(answer(0x20), 0x65);
        EXPECT_EQ(answer(0xaa), 0x55);
        EXPECT_EQ(answer(0x20), 0x14) << "the test restores the settings";
        out8(0x60, 0xf4); /* a command for the keyboard */
        EXPECT_EQ(answer(0x20), 0x14);
        out8(0x64, 0xaa);
        out8(0x64, 0xd0); /* an answer that is not read is lost */
        EXPECT_EQ(in8(0x60), 3u);
        EXPECT_EQ(in8(0x64), 0u);
        EXPECT_FALSE(line.level);
}

TEST_F(reset, other_commands_do_nothing_and_nothing_is_ever_busy)
{
        for (unsigned command = 0; command < 0xf0; command++) {
                if (command == 0xd1)
                        continue;
                const bool answers = command == 0x20 || command == 0xa9 || command == 0xaa ||
                                     command == 0xab || command == 0xd0;

                EXPECT_EQ(answer(command) >= 0, answers) << command;
                EXPECT_EQ(in8(0x64), 0u);
        }
        EXPECT_FALSE(line.level);
}

} // namespace
