/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and arguments in command lines of modules. */
#include "nova/cmdline.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

std::string as_string(nova_text text)
{
        return std::string(text.begin, text.length);
}

using strings = std::vector<std::string>;

/* Splits a line that lies at the end of its allocation, so that the sanitizer sees an access beyond
 * it. */
strings split(const std::string &line, unsigned most = 16)
{
        std::unique_ptr<char[]> copy{new char[line.size() + 1]};
        std::vector<char *> argv(most + 1, reinterpret_cast<char *>(-1));
        strings arguments;

        std::memcpy(copy.get(), line.c_str(), line.size() + 1);
        const unsigned count = nova_cmdline_split(copy.get(), argv.data(), most);

        EXPECT_EQ(argv[most], reinterpret_cast<char *>(-1));
        for (unsigned i = 0; i < most; i++) {
                EXPECT_EQ(argv[i] != nullptr, i < count);
                if (argv[i])
                        arguments.push_back(argv[i]);
        }
        if (count > most)
                arguments.push_back("and " + std::to_string(count - most));
        return arguments;
}

TEST(cmdline, a_module_has_file_name_and_arguments)
{
        const char *line = "/home/me/build/disk.img  ro size=3 ";
        const size_t max = std::strlen(line) + 1;

        EXPECT_EQ(as_string(nova_module_file(line, max)), "/home/me/build/disk.img");
        EXPECT_EQ(as_string(nova_module_name(line, max)), "disk.img");
        EXPECT_EQ(as_string(nova_module_arguments(line, max)), "ro size=3");
        EXPECT_TRUE(nova_text_is(nova_module_name(line, max), "disk.img"));
        EXPECT_FALSE(nova_text_is(nova_module_name(line, max), "disk.im"));
        EXPECT_FALSE(nova_text_is(nova_module_name(line, max), "disk.imgs"));
}

TEST(cmdline, odd_lines_have_empty_parts)
{
        for (const char *line : {"", " ", "   \t\n"}) {
                EXPECT_EQ(as_string(nova_module_file(line, 100)), "");
                EXPECT_EQ(as_string(nova_module_name(line, 100)), "");
                EXPECT_EQ(as_string(nova_module_arguments(line, 100)), "");
        }
        EXPECT_EQ(as_string(nova_module_name("folder/ x", 100)), "");
        EXPECT_EQ(as_string(nova_module_arguments("folder/ x", 100)), "x");
        EXPECT_EQ(as_string(nova_module_name("  name", 100)), "name");
        EXPECT_EQ(as_string(nova_module_arguments("name", 100)), "");
}

TEST(cmdline, nothing_is_read_beyond_the_length)
{
        const std::string text = "a/bc de fg";

        for (size_t max = 0; max <= text.size(); max++) {
                std::unique_ptr<char[]> cut{new char[max]};

                std::memcpy(cut.get(), text.data(), max);
                const std::string part = text.substr(0, max);
                EXPECT_EQ(as_string(nova_module_file(cut.get(), max)), part.substr(0, 4));
                EXPECT_EQ(as_string(nova_module_name(cut.get(), max)),
                          max < 2 ? part : part.substr(2, 2));
                nova_module_arguments(cut.get(), max);
        }
}

TEST(cmdline, arguments_are_separated_by_blanks)
{
        EXPECT_EQ(split("  one two\tthree \n"), (strings{"one", "two", "three"}));
        EXPECT_EQ(split(""), strings{});
        EXPECT_EQ(split("   "), strings{});
}

TEST(cmdline, quotation_marks_keep_blanks)
{
        EXPECT_EQ(split("a \"b c\" 'd \\e'"), (strings{"a", "b c", "d \\e"}));
        EXPECT_EQ(split("x=\"1 2\"3 '' \"\""), (strings{"x=1 23", "", ""}));
        EXPECT_EQ(split("\"it's\" '\"'"), (strings{"it's", "\""}));
        EXPECT_EQ(split("a\\ b \"c\\\"d\" \\\\"), (strings{"a b", "c\"d", "\\"}));
}

TEST(cmdline, a_line_that_ends_early_ends_the_argument)
{
        EXPECT_EQ(split("a 'b c"), (strings{"a", "b c"}));
        EXPECT_EQ(split("a \""), (strings{"a", ""}));
        EXPECT_EQ(split("a\\"), (strings{"a\\"}));
}

TEST(cmdline, too_many_arguments_are_counted_but_left_out)
{
        EXPECT_EQ(split("a b c d", 2), (strings{"a", "b", "and 2"}));
        EXPECT_EQ(split("a b", 2), (strings{"a", "b"}));
        EXPECT_EQ(split("a", 0), (strings{"and 1"}));
}

TEST(cmdline, random_lines_are_cut_within_their_bounds)
{
        std::mt19937 random{1};

        for (unsigned round = 0; round < 20000; round++) {
                std::string line;

                for (unsigned i = random() % 20; i > 0; i--)
                        line += "ab  '\"\\"[random() % 7];
                size_t length = 0;
                for (const std::string &argument : split(line, 32))
                        length += argument.size() + 1;
                ASSERT_LE(length, line.size() + 1) << line;
        }
}

} // namespace
