// SPDX-License-Identifier: BSD-2-Clause
// The kernel's command line.
#include <gtest/gtest.h>

#include "machine.h"

extern "C" {
#include "firmware/multiboot.h"
#include "lib/cmdline.h"
}

namespace
{

struct cmdline parse(const char *text, size_t room = MULTIBOOT_CMDLINE)
{
        cmdline = {};
        cmdline_parse(text, room);
        return cmdline;
}

TEST(cmdline, knows_its_options)
{
        Machine m;
        const struct cmdline found = parse("/boot/nova.elf32 serial  kmem=24M\tnoiommu ");
        EXPECT_TRUE(found.serial);
        EXPECT_TRUE(found.no_iommu);
        EXPECT_EQ(found.kmem, 24u << 20);
        EXPECT_EQ(m.console, "");
}

TEST(cmdline, knows_the_choices_of_mitigations)
{
        Machine m;
        EXPECT_EQ(parse("- serial").mitigations, MITIGATIONS_AUTO);
        EXPECT_EQ(parse("- mitigations=auto").mitigations, MITIGATIONS_AUTO);
        EXPECT_EQ(parse("- mitigations=off").mitigations, MITIGATIONS_OFF);
        EXPECT_EQ(parse("- mitigations=off mitigations=full").mitigations, MITIGATIONS_FULL);
        EXPECT_EQ(m.console, "");
        EXPECT_EQ(parse("- mitigations=none mitigations").mitigations, MITIGATIONS_AUTO);
        EXPECT_NE(m.console.find("'mitigations=none'"), std::string::npos);
}

TEST(cmdline, takes_the_first_word_for_an_option_or_a_file_name)
{
        Machine m;
        EXPECT_TRUE(parse("serial").serial);
        EXPECT_FALSE(parse("hypervisor").serial);
        EXPECT_EQ(m.console, "");
}

TEST(cmdline, wants_whole_words)
{
        Machine m;
        EXPECT_FALSE(parse("- serials seria SERIAL serial=1").serial);
}

TEST(cmdline, is_silent_about_words_of_2012)
{
        Machine m;
        parse("- iommu keyb spinner vtlb novga novpid");
        EXPECT_EQ(m.console, "");
}

TEST(cmdline, names_a_word_that_it_does_not_know)
{
        Machine m;
        EXPECT_TRUE(parse("- seriel serial").serial);
        EXPECT_NE(m.console.find("'seriel'"), std::string::npos);
}

TEST(cmdline, shows_no_control_characters)
{
        Machine m;
        parse("- a\x1b[2J\x80");
        EXPECT_NE(m.console.find("'a?[2J?'"), std::string::npos);
}

TEST(cmdline, reads_sizes)
{
        Machine m;
        EXPECT_EQ(parse("kmem=4096").kmem, 4096u);
        EXPECT_EQ(parse("kmem=512K").kmem, 512u << 10);
        EXPECT_EQ(parse("kmem=8m").kmem, 8u << 20);
        EXPECT_EQ(m.console, "");
}

TEST(cmdline, refuses_an_invalid_size)
{
        for (const char *word : {"kmem=", "kmem=0", "kmem=M", "kmem=-1", "kmem=4G", "kmem=1M1",
                                 "kmem=99999999999999", "kmem= 4"}) {
                Machine m;
                EXPECT_EQ(parse((std::string("- ") + word).c_str()).kmem, 0u) << word;
                EXPECT_NE(m.console, "") << word;
        }
}

// The text fills its room: the word may have been "kmem=16M".
TEST(cmdline, ignores_the_last_word_if_it_may_be_cut)
{
        Machine m;
        const std::string text = "- serial kmem=16";
        const struct cmdline found = parse(text.c_str(), text.size() + 1);
        EXPECT_TRUE(found.serial);
        EXPECT_EQ(found.kmem, 0u);
        EXPECT_NE(m.console.find("its words from byte 9 on are ignored"), std::string::npos);
}

TEST(cmdline, takes_the_last_word_if_a_byte_of_room_is_left)
{
        Machine m;
        const std::string text = "- serial kmem=16M";
        EXPECT_EQ(parse(text.c_str(), text.size() + 2).kmem, 16u << 20);
        EXPECT_EQ(m.console, "");
}

TEST(cmdline, reports_a_cut_after_a_space)
{
        Machine m;
        const std::string text = "- serial ";
        EXPECT_TRUE(parse(text.c_str(), text.size() + 1).serial);
        EXPECT_NE(m.console.find("from byte 9 on"), std::string::npos);
}

TEST(cmdline, may_be_one_word_that_is_cut)
{
        Machine m;
        const std::string text(MULTIBOOT_CMDLINE - 1, 'x');
        parse(text.c_str());
        EXPECT_NE(m.console.find("from byte 0 on"), std::string::npos);
        EXPECT_EQ(m.console.find("is not an option"), std::string::npos);
}

} // namespace
