/* SPDX-License-Identifier: BSD-2-Clause */
/* The log service's lines: whole, prefixed, and never in the name of another client. */
extern "C" {
#include "lines.h"
}

#include <gtest/gtest.h>
#include <string>

namespace
{

struct lines : testing::Test {
        log_line line = {};
        log_input input = {};
        std::string out;
        unsigned calls = 0;

        static void sink(void *argument, const char *text, size_t bytes)
        {
                lines *self = static_cast<lines *>(argument);
                self->out.append(text, bytes);
                self->calls++;
        }

        std::string write(const std::string &text)
        {
                out.clear();
                calls = 0;
                log_line_write(&line, "anna", text.data(), text.size(), sink, this);
                return out;
        }

        std::string type(const std::string &keys)
        {
                std::string echo;
                for (const char key : keys) {
                        char room[4];
                        const char *text = log_input_key(&input, key, room);
                        echo += text ? text : "!";
                }
                return echo;
        }

        std::string take(size_t max)
        {
                char to[LOG_LINE_MAX];
                return std::string(to, log_input_take(&input, to, max));
        }
};

TEST_F(lines, go_out_when_they_are_finished)
{
        EXPECT_EQ(write("one"), "");
        EXPECT_EQ(write(" and\ntwo"), "[anna] one and\n");
        EXPECT_EQ(write("\n"), "[anna] two\n");
        EXPECT_EQ(write("\n"), "[anna]\n");
}

TEST_F(lines, go_out_in_one_call_each)
{
        write("a\nb\nc\n");
        EXPECT_EQ(calls, 3u);
}

TEST_F(lines, that_are_too_long_are_cut)
{
        const std::string part(LOG_LINE_MAX, 'x');
        EXPECT_EQ(write(part + "rest\n"), "[anna] " + part + "\n[anna] rest\n");
}

TEST_F(lines, have_no_control_characters)
{
        EXPECT_EQ(write("a\rb\033[2Jc\td\n"), "[anna] ab?[2Jc\td\n");
        EXPECT_EQ(write(std::string("\0\n", 2)), "[anna] ?\n");
}

/* CSI in one byte works like ESC [. */
TEST_F(lines, have_no_control_characters_of_8_bits)
{
        EXPECT_EQ(write("a\2332J \xc2\x85 \x80\x9f \x7f \xc3\xa4\xa0\n"),
                  "[anna] a?2J ?? ?? ? \xc3\xa4?\n");
}

TEST_F(lines, have_characters_that_come_in_two_pieces)
{
        EXPECT_EQ(write("\xe2\x82"), "");
        EXPECT_EQ(write("\xac\xc3"), "");
        EXPECT_EQ(write("\x84!\n"), "[anna] \xe2\x82\xac\xc3\x84!\n");
}

TEST_F(lines, that_end_within_a_character_say_so)
{
        EXPECT_EQ(write("a\xe2\x82\n\xac\n"), "[anna] a??\n[anna] ?\n");
        EXPECT_EQ(write("\xc3\r\xa4\n"), "[anna] ??\n");
        write("\xe2\x82");
        log_line_flush(&line, "anna", sink, this);
        EXPECT_EQ(out, "[anna] ??\n");
}

TEST_F(lines, are_not_cut_within_a_character)
{
        const std::string part(LOG_LINE_MAX - 1, 'x');
        EXPECT_EQ(write(part + "\xc3\xa4\n"), "[anna] " + part + "\n[anna] \xc3\xa4\n");
}

TEST_F(lines, have_a_name_that_cannot_end_them)
{
        log_line_write(&line, "x]\n[bank", "y\n", 2, sink, this);
        log_line_write(&line, "\33c\233z", "y\n", 2, sink, this);
        log_line_write(&line, "1234567\xc3\xa4", "y\n", 2, sink, this);
        log_line_write(&line, "\xc3\xa4", "y\n", 2, sink, this);
        EXPECT_EQ(out, "[x???bank] y\n[?c?z] y\n[1234567?] y\n[\xc3\xa4] y\n");
}

TEST_F(lines, are_flushed_without_a_line_feed)
{
        write("half");
        log_line_flush(&line, "anna", sink, this);
        EXPECT_EQ(out, "[anna] half\n");
        out.clear();
        log_line_flush(&line, "anna", sink, this);
        EXPECT_EQ(out, "");
}

TEST_F(lines, use_eight_characters_of_a_name)
{
        log_line_write(&line, "abcdefghij", "x\n", 2, sink, this);
        EXPECT_EQ(out, "[abcdefgh] x\n");
}

TEST_F(lines, that_are_typed_can_be_mended_until_they_are_finished)
{
        EXPECT_EQ(type("ab\bc\r"), "ab\b \bc\n");
        EXPECT_EQ(type("\b"), "") << "a finished line stays";
        EXPECT_EQ(take(100), "ac\n");
        EXPECT_EQ(take(100), "");
}

TEST_F(lines, that_are_typed_come_one_by_one_and_in_pieces)
{
        type("one\ntwo\nhalf");
        EXPECT_EQ(take(2), "on");
        EXPECT_EQ(take(100), "e\n");
        EXPECT_EQ(take(100), "two\n");
        EXPECT_EQ(take(100), "");
        type("\n");
        EXPECT_EQ(take(100), "half\n");
}

TEST_F(lines, that_are_typed_and_too_long_can_still_be_finished)
{
        const std::string echo = type(std::string(2 * LOG_LINE_MAX, 'x'));
        EXPECT_EQ(echo.find('!'), (size_t)LOG_LINE_MAX - 1);
        EXPECT_EQ(type("\n"), "\n");
        EXPECT_EQ(take(1000).size(), (size_t)LOG_LINE_MAX);
}

} // namespace
