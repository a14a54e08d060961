/* SPDX-License-Identifier: BSD-2-Clause */
/* Filtering of untrusted text before it reaches a terminal. */
#include "nova/utf8.h"

#include <gtest/gtest.h>
#include <string>

namespace
{

void take(nova_utf8 *utf8, const std::string &text, std::string *shown)
{
        char room[NOVA_UTF8_MAX];

        for (const char c : text)
                shown->append(room, nova_utf8_take(utf8, c, room));
}

/* Filters the text in two pieces; the first one has @p first bytes. */
std::string in_two(const std::string &text, size_t first)
{
        nova_utf8 utf8 = {};
        char room[NOVA_UTF8_MAX];
        std::string shown;

        take(&utf8, text.substr(0, first), &shown);
        take(&utf8, text.substr(first), &shown);
        shown.append(room, nova_utf8_end(&utf8, room));
        return shown;
}

/* Checks that the result does not depend on the place of the cut. */
void expect(const std::string &text, const std::string &shown)
{
        for (size_t first = 0; first <= text.size(); first++)
                EXPECT_EQ(in_two(text, first), shown) << "after " << first << " bytes";
}

std::string marks(size_t count)
{
        return std::string(count, '?');
}

/* Encodes any number, even one that is not a character, in as many bytes as requested. */
std::string encode(unsigned code, unsigned bytes)
{
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        std::string text;

        for (unsigned i = 1; i < bytes; i++, code >>= 6)
                text.insert(text.begin(), static_cast<char>(0x80 | (code & 0x3f)));
        text.insert(text.begin(), static_cast<char>(bytes == 1 ? code : lead[bytes] | code));
        return text;
}

unsigned length(unsigned code)
{
        return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

bool is_character(unsigned code)
{
        return (code >= 0x20 || code == '\t') && !(code >= 0x7f && code < 0xa0) &&
               !(code >= 0xd800 && code < 0xe000) && code < 0x110000;
}

TEST(utf8, passes_if_it_is_well_formed)
{
        expect("plain\ttext", "plain\ttext");
        expect("\xc3\x84\xc3\x9b \xe2\x82\xac \xf0\x9f\x98\x80",
               "\xc3\x84\xc3\x9b \xe2\x82\xac \xf0\x9f\x98\x80");
}

/* All values that four bytes can encode, in the shortest form. */
TEST(utf8, passes_for_characters_and_for_nothing_else)
{
        for (unsigned code = 0; code < 0x140000; code++) {
                const std::string text = encode(code, length(code));

                ASSERT_EQ(in_two(text, 1), is_character(code) ? text : marks(text.size())) << code;
        }
}

TEST(utf8, has_no_second_form)
{
        for (unsigned bytes = 2; bytes <= 4; bytes++)
                for (unsigned code = 0; code < 0x10000 && length(code) < bytes; code++)
                        ASSERT_EQ(in_two(encode(code, bytes), 1), marks(bytes)) << code;
}

TEST(utf8, has_no_single_bytes_of_longer_characters)
{
        for (unsigned byte = 0x80; byte < 0x100; byte++) {
                const std::string alone(1, static_cast<char>(byte));

                expect(alone, "?");
                expect("a" + alone + "b", "a?b");
                expect(alone + "\xc3\xa4", "?\xc3\xa4");
        }
}

TEST(utf8, that_is_cut_off_swallows_nothing)
{
        expect("\xf0\x9f\x98", "???");
        expect("\xf0\x9f\x98"
               "a",
               "???a");
        expect("\xf0\x9f\x98\xc3\xa4", "???\xc3\xa4");
        expect("\xf0\x9f\x98\x1b[2J", "????[2J");
        expect("\xc2\x9b"
               "2J",
               "??2J");
}

} // namespace
