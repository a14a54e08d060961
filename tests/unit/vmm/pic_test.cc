/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259s: priorities, masks, ends of interrupts, both triggers. */
#include "novavmm/pic.h"

#include <gtest/gtest.h>

#include "devices.h"

namespace
{

struct pic : testing::Test {
        probe out;
        nova_pic chips;

        void out8(unsigned port, unsigned value)
        {
                nova_pic_write(&chips, port, 1, value);
        }

        unsigned in8(unsigned port)
        {
                return static_cast<unsigned>(nova_pic_read(&chips, port, 1));
        }

        void SetUp() override
        {
                const nova_line line = out.line();
                nova_pic_init(&chips, &line);
                initialise(0x20);
                initialise(0xa0);
        }

        void initialise(unsigned port)
        {
                out8(port, 0x11);
                out8(port + 1, port == 0x20 ? 0x30 : 0x38);
                out8(port + 1, port == 0x20 ? 4 : 2);
                out8(port + 1, 1);
                out8(port + 1, 0);
        }

        void pulse(unsigned pin)
        {
                nova_pic_set(&chips, pin, true);
        }
};

TEST_F(pic, an_edge_becomes_the_vector_of_its_pin)
{
        EXPECT_FALSE(nova_pic_pending(&chips));
        pulse(4);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

/* Intel's data sheet 231468: a CPU that acknowledges an ended request gets a default IR7. */
TEST_F(pic, an_edge_that_ends_before_it_is_taken_is_spurious)
{
        pulse(4);
        nova_pic_set(&chips, 4, false);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_pic_take(&chips), 0x37u);
        EXPECT_FALSE(nova_pic_pending(&chips));
        EXPECT_FALSE(out.level);
        out8(0x20, 0x0b);
        EXPECT_EQ(in8(0x20), 0u); /* no interrupt is in service: no end is due */
        pulse(4);                 /* another edge */
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
}

/* A system that does not use the controllers masks all interrupts, and has no handlers for them. */
TEST_F(pic, a_spurious_interrupt_ends_with_a_poll_and_when_all_is_masked)
{
        pulse(4);
        nova_pic_set(&chips, 4, false);
        out8(0x20, 0x0c);
        EXPECT_EQ(in8(0x20), 0u);
        EXPECT_FALSE(nova_pic_pending(&chips));
        for (unsigned irq : {4u, 12u}) {
                pulse(irq);
                nova_pic_set(&chips, irq, false);
                EXPECT_TRUE(nova_pic_pending(&chips));
                out8(0xa1, 0xff);
                out8(0x21, 0xff);
                EXPECT_FALSE(nova_pic_pending(&chips));
                out8(0xa1, 0);
                out8(0x21, 0);
                EXPECT_FALSE(nova_pic_pending(&chips));
        }
}

/* The tick of a timer lowers and raises its line while the CPU has not taken the last one. */
TEST_F(pic, an_edge_that_comes_again_is_not_spurious)
{
        for (unsigned pin : {0u, 12u}) {
                pulse(pin);
                nova_pic_set(&chips, pin, false);
                pulse(pin);
                EXPECT_TRUE(out.level);
                out8(0x21, 1);
                out8(0xa1, 0x10);
                EXPECT_FALSE(out.level) << pin;
                out8(0x21, 0);
                out8(0xa1, 0);
                EXPECT_EQ(nova_pic_take(&chips), pin == 12 ? 0x3cu : 0x30u);
                EXPECT_FALSE(out.level);
                initialise(0x20);
                initialise(0xa0);
        }
}

TEST_F(pic, a_spurious_interrupt_ends_when_its_own_pin_is_masked)
{
        pulse(4);
        nova_pic_set(&chips, 4, false);
        out8(0x21, 0xef);
        EXPECT_TRUE(out.level);
        out8(0x21, 0x10);
        EXPECT_FALSE(out.level);
        out8(0x21, 0);
        EXPECT_FALSE(out.level);
        pulse(4); /* of two edges that ended, one remains */
        nova_pic_set(&chips, 4, false);
        pulse(3);
        nova_pic_set(&chips, 3, false);
        out8(0x21, 0x10);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_pic_take(&chips), 0x37u);
        EXPECT_FALSE(out.level);
}

TEST_F(pic, a_spurious_interrupt_of_the_second_one_is_served_by_the_first)
{
        pulse(12);
        nova_pic_set(&chips, 12, false);
        EXPECT_EQ(nova_pic_take(&chips), 0x3fu);
        out8(0x20, 0x0b);
        EXPECT_EQ(in8(0x20), 4u);
        out8(0xa0, 0x0b);
        EXPECT_EQ(in8(0xa0), 0u);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

TEST_F(pic, an_edge_that_was_not_reported_ends_without_a_trace)
{
        out8(0x21, 0x10); /* masked */
        pulse(4);
        nova_pic_set(&chips, 4, false);
        EXPECT_FALSE(nova_pic_pending(&chips));
        out8(0x21, 0);
        EXPECT_FALSE(nova_pic_pending(&chips));
        pulse(3); /* another interrupt replaces the one that ended */
        pulse(5);
        nova_pic_set(&chips, 3, false);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

TEST_F(pic, the_second_one_comes_through_the_first)
{
        pulse(14);
        EXPECT_EQ(nova_pic_take(&chips), 0x3eu);
        out8(0x20, 0x0b);
        EXPECT_EQ(in8(0x20), 4u);
        out8(0xa0, 0x0b);
        EXPECT_EQ(in8(0xa0), 0x40u);
}

TEST_F(pic, an_interrupt_in_service_holds_back_lower_priorities_until_its_end)
{
        pulse(3);
        EXPECT_EQ(nova_pic_take(&chips), 0x33u);
        pulse(5);
        EXPECT_FALSE(nova_pic_pending(&chips));
        pulse(1);
        EXPECT_EQ(nova_pic_take(&chips), 0x31u);
        out8(0x20, 0x20);
        EXPECT_FALSE(nova_pic_pending(&chips));
        out8(0x20, 0x20);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
}

TEST_F(pic, a_specific_end_names_the_pin)
{
        pulse(3);
        nova_pic_take(&chips);
        out8(0x20, 0x60 | 4);
        pulse(5);
        EXPECT_FALSE(nova_pic_pending(&chips));
        out8(0x20, 0x60 | 3);
        EXPECT_TRUE(nova_pic_pending(&chips));
}

/* Intel's data sheet 231468: in special mask mode, a non-specific end does not clear a bit in
 * service whose pin is masked. */
TEST_F(pic, in_special_mask_mode_an_end_leaves_a_masked_pin_in_service)
{
        pulse(3);
        EXPECT_EQ(nova_pic_take(&chips), 0x33u);
        out8(0x21, 8); /* its handler allows all other interrupts */
        out8(0x20, 0x68);
        pulse(4);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
        out8(0x20, 0x20);
        out8(0x20, 0x0b);
        EXPECT_EQ(in8(0x20), 8u);
        out8(0x20, 0x20); /* no other interrupt is in service */
        EXPECT_EQ(in8(0x20), 8u);
        out8(0x20, 0x63);
        EXPECT_EQ(in8(0x20), 0u);
        out8(0x20, 0x48);
        out8(0x21, 0);
        nova_pic_set(&chips, 4, false);
        pulse(4);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
        out8(0x20, 0x20); /* outside of the mode, an end clears a masked pin, too */
        pulse(5);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
        out8(0x21, 0x20);
        out8(0x20, 0x20);
        EXPECT_EQ(in8(0x20), 0u);
}

TEST_F(pic, in_special_mask_mode_rotation_follows_the_pin_that_ends)
{
        pulse(3);
        nova_pic_take(&chips);
        out8(0x21, 8);
        out8(0x20, 0x68);
        pulse(4);
        nova_pic_take(&chips);
        out8(0x20, 0xa0); /* ends pin 4 */
        pulse(1);
        pulse(5);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
}

TEST_F(pic, a_masked_pin_waits)
{
        out8(0x21, 0x10);
        pulse(4);
        EXPECT_FALSE(nova_pic_pending(&chips));
        EXPECT_EQ(in8(0x21), 0x10u);
        out8(0x21, 0);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
}

TEST_F(pic, an_edge_counts_once_and_a_level_again_and_again)
{
        pulse(5);
        nova_pic_take(&chips);
        out8(0x20, 0x20);
        EXPECT_FALSE(nova_pic_pending(&chips));

        out8(0x4d0, 0x20);
        nova_pic_set(&chips, 5, false);
        nova_pic_set(&chips, 5, true);
        nova_pic_take(&chips);
        out8(0x20, 0x20);
        EXPECT_TRUE(nova_pic_pending(&chips));
        nova_pic_set(&chips, 5, false);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

/* Intel's data sheet 231468: ICW1 resets the edge sense circuit, so only a transition from low to
 * high generates an interrupt after it. A level needs no transition. */
TEST_F(pic, an_initialisation_forgets_an_edge_but_not_a_level)
{
        out8(0x4d0, 0x20);
        pulse(4);
        pulse(5);
        initialise(0x20);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
        EXPECT_FALSE(nova_pic_pending(&chips));
        initialise(0x20); /* nothing is in service any more */
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
        nova_pic_set(&chips, 5, false);
        nova_pic_set(&chips, 4, false);
        out8(0x20, 0x20);
        EXPECT_FALSE(nova_pic_pending(&chips));
        pulse(4);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
}

TEST_F(pic, a_level_of_the_second_one_outlasts_the_initialisation_of_either_and_of_both)
{
        out8(0x4d1, 8);
        pulse(11);
        for (unsigned ports : {1u, 2u, 3u}) {
                if (ports & 1)
                        initialise(0x20);
                if (ports & 2)
                        initialise(0xa0);
                EXPECT_TRUE(out.level);
                EXPECT_EQ(nova_pic_take(&chips), 0x3bu);
                out8(0xa0, 0x20);
                out8(0x20, 0x20);
        }
        nova_pic_set(&chips, 11, false);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

/* The vector is unknown until the initialisation is complete. */
TEST_F(pic, no_interrupt_comes_before_the_initialisation_is_complete)
{
        out8(0x4d0, 0x20);
        pulse(5);
        out8(0x20, 0x11);
        EXPECT_FALSE(out.level);
        pulse(1);
        for (unsigned word : {0x40u, 4u}) {
                out8(0x21, word);
                EXPECT_FALSE(out.level);
        }
        out8(0x21, 1);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_pic_take(&chips), 0x41u);
}

TEST_F(pic, the_initialisation_of_a_single_controller_has_no_third_word)
{
        out8(0x20, 0x13);
        out8(0x21, 0x40);
        out8(0x21, 3); /* automatic end */
        out8(0x21, 0x10);
        EXPECT_EQ(in8(0x21), 0x10u);
        out8(0x20, 0x12);
        out8(0x21, 0x40);
        out8(0x21, 0x20);
        EXPECT_EQ(in8(0x21), 0x20u);
}

TEST_F(pic, a_pin_that_becomes_level_triggered_requests_while_its_line_is_high)
{
        pulse(4);
        pulse(5);
        for (unsigned vector : {0x34u, 0x35u}) {
                EXPECT_EQ(nova_pic_take(&chips), vector);
                out8(0x20, 0x20);
        }
        EXPECT_FALSE(nova_pic_pending(&chips));
        out8(0x4d0, 0x20);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_pic_take(&chips), 0x35u);
        nova_pic_set(&chips, 5, false);
        out8(0x20, 0x20);
        out8(0x4d0, 0x60); /* another line, which is low */
        EXPECT_FALSE(nova_pic_pending(&chips));
        out8(0x4d1, 2);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

TEST_F(pic, taking_an_interrupt_that_went_away_returns_the_spurious_vector)
{
        EXPECT_EQ(nova_pic_take(&chips), 0x37u);
        out8(0x20, 0x0b);
        EXPECT_EQ(in8(0x20), 0u);
}

TEST_F(pic, with_automatic_end_nothing_is_held_back)
{
        out8(0x20, 0x11);
        out8(0x21, 0x30);
        out8(0x21, 4);
        out8(0x21, 3);
        pulse(1);
        nova_pic_take(&chips);
        pulse(6);
        EXPECT_EQ(nova_pic_take(&chips), 0x36u);
}

TEST_F(pic, rotation_gives_the_served_pin_the_lowest_priority)
{
        pulse(2 + 1);
        nova_pic_take(&chips);
        out8(0x20, 0xa0);
        pulse(1);
        pulse(4);
        EXPECT_EQ(nova_pic_take(&chips), 0x34u);
}

TEST_F(pic, a_poll_takes_the_interrupt)
{
        pulse(6);
        out8(0x20, 0x0c);
        EXPECT_EQ(in8(0x20), 0x86u);
        out8(0x20, 0x0c);
        EXPECT_EQ(in8(0x20), 0u);
}

TEST_F(pic, pins_that_do_not_exist_do_nothing)
{
        nova_pic_set(&chips, 2, true);
        nova_pic_set(&chips, 16, true);
        nova_pic_set(&chips, ~0u, true);
        EXPECT_FALSE(nova_pic_pending(&chips));
}

} // namespace
