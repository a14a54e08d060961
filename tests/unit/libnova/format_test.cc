/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the small printf with the C library's. */
#include "nova/format.h"

#include <climits>
#include <cstdint>
#include <cstdio>
#include <gtest/gtest.h>
#include <string>

namespace
{

void append(void *context, char c)
{
        *static_cast<std::string *>(context) += c;
}

std::string ours(const char *format, ...)
{
        std::string text;
        va_list arguments;

        va_start(arguments, format);
        nova_vformat(append, &text, format, arguments);
        va_end(arguments);
        return text;
}

template <typename... T> std::string theirs(const char *format, T... values)
{
        char text[400];

        std::snprintf(text, sizeof(text), format, values...);
        return text;
}

#define SAME(...) EXPECT_EQ(ours(__VA_ARGS__), theirs(__VA_ARGS__))

TEST(format, numbers_look_like_the_c_librarys)
{
        for (long long value : {0LL, 1LL, -1LL, 9LL, 10LL, 65535LL, 65536LL, -123456789LL,
                                LLONG_MAX, LLONG_MIN, 1000000000000LL}) {
                SAME("%lld|%llu|%llx|%llX", value, value, value, value);
                SAME("%20lld|%-24lld|%024lld", value, value, value);
                SAME("%d %u %x %i", static_cast<int>(value), static_cast<unsigned>(value),
                     static_cast<unsigned>(value), static_cast<int>(value));
                SAME("%hhd %hhu %hd %hu", static_cast<int>(value), static_cast<int>(value),
                     static_cast<int>(value), static_cast<int>(value));
        }
        SAME("%lx %zu %jd %td", 0x12345678ul, sizeof(int), static_cast<intmax_t>(-5),
             static_cast<ptrdiff_t>(-6));
}

TEST(format, texts_are_padded_and_cut)
{
        SAME("[%s] [%8s] [%-8s] [%.2s] [%8.2s] [%2s]", "abc", "abc", "abc", "abc", "abc", "abc");
        SAME("[%.*s] [%#x] [%#X] [%#10x] [%#010x] [%-#10x] [%#x]", 2, "abc", 0xabu, 0xabu, 0xabu,
             0xabu, 0xabu, 0u);
        SAME("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
        SAME("[%*d] [%-*d] [%*d]", 5, 1, 5, 2, -5, 3);
        SAME("[%-05d] [%0*d]", 7, -5, 7); // no zeros after a number
        EXPECT_EQ(ours("%s", static_cast<char *>(nullptr)), "(null)");
}

TEST(format, percent_and_pointer)
{
        EXPECT_EQ(ours("100%%"), "100%");
        EXPECT_EQ(ours("%p", reinterpret_cast<void *>(0xabc)), "0xabc");
}

TEST(format, an_unknown_conversion_is_written_unchanged)
{
        EXPECT_EQ(ours("%y %"), "%y %");
        EXPECT_EQ(ours("%5"), "%5");
        EXPECT_EQ(ours("%-08lf|"), "%-08lf|");
}

TEST(format, a_huge_width_does_not_overflow)
{
        EXPECT_EQ(ours("%99999999999d", 1).back(), '1');
        EXPECT_EQ(ours("%*d", INT_MIN, 1).front(), '1');
}

} // namespace
