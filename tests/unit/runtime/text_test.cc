/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that children write on their parent's console. */
extern "C" {
#include "child/text.h"
}

#include <gtest/gtest.h>
#include <string>

namespace
{

struct text : testing::Test {
        child_line line = {};

        std::string write(const std::string &bytes)
        {
                child_text out;
                std::string lines;

                for (size_t taken = 0; taken < bytes.size();) {
                        taken += novart_child_line_write(&line, "anna", bytes.data() + taken,
                                                         bytes.size() - taken, &out);
                        lines.append(out.text, out.bytes);
                }
                return lines;
        }

        std::string end()
        {
                child_text out;

                novart_child_line_end(&line, "anna", &out);
                return std::string(out.text, out.bytes);
        }
};

TEST_F(text, comes_as_whole_lines)
{
        EXPECT_EQ(write("one"), "");
        EXPECT_EQ(write(" and\ntwo\n\nthree"), "anna: one and\nanna: two\nanna:  \n");
        EXPECT_EQ(end(), "anna: three\n");
        EXPECT_EQ(end(), "");
}

TEST_F(text, has_no_control_characters)
{
        EXPECT_EQ(write("a\rb\033[2J\2332J\xc2\x9b"
                        "2J\n"),
                  "anna: ab?[2J?2J??2J\n");
}

TEST_F(text, has_characters_that_come_in_two_pieces)
{
        EXPECT_EQ(write("\xe2\x82"), "");
        EXPECT_EQ(write("\xac\xc3\x84\n"), "anna: \xe2\x82\xac\xc3\x84\n");
}

TEST_F(text, that_ends_within_a_character_says_so)
{
        EXPECT_EQ(write("\xe2\x82\n\xac\n"), "anna: ??\nanna: ?\n");
        write("a\xe2\x82");
        EXPECT_EQ(end(), "anna: a??\n");
}

TEST_F(text, that_is_too_long_is_cut_between_characters)
{
        const std::string part(CHILD_LINE - 1, 'x');

        EXPECT_EQ(write(part + "\xf0\x9f\x98\x80"
                               "y\n"),
                  "anna: " + part + "\xf0\x9f\x98\x80\nanna: y\n");
        EXPECT_EQ(write(part + "\xf0\x9f\x98\n"), "anna: " + part + "???\n");
}

TEST_F(text, that_is_too_long_is_cut_after_a_blank)
{
        const std::string part(CHILD_LINE - 3, 'x');

        EXPECT_EQ(write(part + " machine\n"), "anna: " + part + " \nanna: machine\n");
        EXPECT_EQ(write(part.substr(2) + " one"), "");
        EXPECT_EQ(end(), "anna: " + part.substr(2) + " one\n") << "it is not too long";
}

TEST_F(text, of_one_long_word_is_cut_within_it)
{
        const std::string word(CHILD_LINE - 4, 'x');

        EXPECT_EQ(write("a b " + word + "y\n"), "anna: a b " + word + "\nanna: y\n");
}

} // namespace
