// SPDX-License-Identifier: BSD-2-Clause
// Conversion of a command line into arguments and environment.
#include "start/arguments.h"

#include "nova/cmdline.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace
{

struct Split {
        std::string text;
        std::vector<char *> room;
        struct arguments result = {};

        explicit Split(const std::string &line, size_t pointers = 16) : text(line), room(pointers)
        {
                novart_arguments_split(&result, text.data(), room.data(), room.size());
        }
        std::vector<std::string> argv() const
        {
                std::vector<std::string> words(result.argv, result.argv + result.argc);

                EXPECT_EQ(result.argv[result.argc], nullptr);
                return words;
        }
        std::vector<std::string> envp() const
        {
                std::vector<std::string> words;

                for (char **word = result.envp; *word; word++)
                        words.emplace_back(*word);
                return words;
        }
};

using Words = std::vector<std::string>;

} // namespace

TEST(arguments, the_first_word_is_the_name_without_its_folders)
{
        EXPECT_EQ(Split("/boot/x/hello").argv(), Words({"hello"}));
        EXPECT_EQ(Split("  hello  ").argv(), Words({"hello"}));
        EXPECT_EQ(Split("hello/").argv(), Words({"hello/"}));
}

TEST(arguments, an_empty_line_has_an_empty_name)
{
        for (const char *line : {"", "   ", "\t\n"}) {
                EXPECT_EQ(Split(line).argv(), Words({""}));
                EXPECT_EQ(Split(line).envp(), Words());
        }
}

TEST(arguments, quotes_keep_blanks_and_are_taken_away)
{
        EXPECT_EQ(Split("p a'b c'd \"it's\" ''").argv(), Words({"p", "ab cd", "it's", ""}));
        EXPECT_EQ(Split("'my prog' x").argv(), Words({"my prog", "x"}));
}

TEST(arguments, a_quote_that_is_not_closed_ends_with_the_line)
{
        EXPECT_EQ(Split("p 'a b").argv(), Words({"p", "a b"}));
        EXPECT_EQ(Split("p \"").argv(), Words({"p", ""}));
}

TEST(arguments, a_backslash_takes_the_next_character_as_it_is)
{
        EXPECT_EQ(Split("p a\\ b \\\" \"q\\\"r\" 's\\t'").argv(),
                  Words({"p", "a b", "\"", "q\"r", "s\\t"}));
}

TEST(arguments, words_are_those_of_libnova)
{
        static const char alphabet[] = "ab \t'\"\\";
        unsigned state = 1;

        for (unsigned round = 0; round < 20000; round++) {
                std::string line = "p";

                for (unsigned i = 0; i < round % 24; i++) {
                        state = state * 1664525 + 1013904223;
                        line += alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
                }

                std::string text = line;
                char *argv[32];
                const unsigned argc = nova_cmdline_split(text.data(), argv, 32);

                ASSERT_EQ(Split(line, 33).argv(), Words(argv, argv + argc)) << line;
        }
}

TEST(arguments, settings_right_after_the_name_are_the_environment)
{
        const Split split("/x/p A=1 b_2='two words' C= one D=4");

        EXPECT_EQ(split.argv(), Words({"p", "one", "D=4"}));
        EXPECT_EQ(split.envp(), Words({"A=1", "b_2=two words", "C="}));
}

TEST(arguments, a_word_that_only_looks_like_a_setting_is_an_argument)
{
        EXPECT_EQ(Split("p 1A=2").argv(), Words({"p", "1A=2"}));
        EXPECT_EQ(Split("p =2").argv(), Words({"p", "=2"}));
        EXPECT_EQ(Split("p a-b=2").argv(), Words({"p", "a-b=2"}));
}

TEST(arguments, words_without_room_are_left_out)
{
        EXPECT_EQ(Split("p a b c d", 4).argv(), Words({"p", "a"}));
        EXPECT_EQ(Split("p a b", 3).argv(), Words({"p"}));

        const Split split("p A=1 B=2 C=3 x", 5);

        EXPECT_EQ(split.argv(), Words({"p"}));
        EXPECT_EQ(split.envp(), Words({"A=1", "B=2"}));
        EXPECT_EQ(split.result.left_out, 2u);
        EXPECT_EQ(Split("p a b c", 4).result.left_out, 2u);
        EXPECT_EQ(Split("p a", 3).result.left_out, 1u);
        EXPECT_EQ(Split("p A=1 b", 6).result.left_out, 0u);
}
