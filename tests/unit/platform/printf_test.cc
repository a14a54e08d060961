// SPDX-License-Identifier: BSD-2-Clause
// The kernel's formatted output, compared with the C library's.
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>

extern "C" {
#include "lib/printf.h"
}

namespace
{

std::string out;

void sink(char character)
{
        out += character;
}

__attribute__((format(printf, 1, 2))) void expect_same(const char *format, ...)
{
        char expected[256];
        va_list arguments, again;

        va_start(arguments, format);
        va_copy(again, arguments);
        vsnprintf(expected, sizeof(expected), format, arguments);
        out.clear();
        print_format(sink, format, again);
        va_end(again);
        va_end(arguments);
        EXPECT_EQ(out, expected) << format;
}

std::string format(const char *text, ...)
{
        va_list arguments;

        va_start(arguments, text);
        out.clear();
        print_format(sink, text, arguments);
        va_end(arguments);
        return out;
}

TEST(printf, prints_numbers)
{
        expect_same("%d %d %d %i", 0, -1, 2147483647, -2147483647 - 1);
        expect_same("%u %x %x", 4294967295u, 0u, 0xdeadbeefu);
        expect_same("%ld %lu %lx", -1L, ~0UL, ~0UL);
        expect_same("%lld %llu %llx", -9223372036854775807LL - 1, ~0ULL, 0x123456789abcdefULL);
        expect_same("%zu %zx", sizeof(int), ~size_t{0});
}

TEST(printf, pads)
{
        expect_same("[%5d] [%-5d] [%05d] [%05d] [%2d]", 42, 42, 42, -42, 12345);
        expect_same("[%8x] [%08x] [%-8x] [%016llx]", 0xabcu, 0xabcu, 0xabcu, 0xabcULL);
        expect_same("[%6s] [%-6s] [%2s] [%3c]", "abc", "abc", "abc", 'x');
}

TEST(printf, prints_text_and_pointers)
{
        int here;
        expect_same("%s%c%% %p", "text", '!', static_cast<void *>(&here));
        EXPECT_EQ(format("%s", static_cast<const char *>(nullptr)), "(null)");
}

TEST(printf, keeps_widths_that_no_number_fills)
{
        expect_same("%040d", 7);
        expect_same("%40llx", 7ULL);
}

TEST(printf, ends_with_a_format_that_breaks_off)
{
        EXPECT_EQ(format("a%"), "a");
        EXPECT_EQ(format("a%08l"), "a");
}

} // namespace
