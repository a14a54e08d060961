/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory functions that compilers call, renamed so that they do not replace the host's. */
#include <cstring>
#include <gtest/gtest.h>
#include <string>

extern "C" {
void *builtin_memcpy(void *to, const void *from, size_t size);
void *builtin_memmove(void *to, const void *from, size_t size);
void *builtin_memset(void *to, int value, size_t size);
int builtin_memcmp(const void *a, const void *b, size_t size);
}

namespace
{

TEST(builtin, memcpy_copies_and_returns_its_target)
{
        char to[6] = "-----";

        EXPECT_EQ(builtin_memcpy(to, "abc", 3), to);
        EXPECT_STREQ(to, "abc--");
        builtin_memcpy(to, "xyz", 0);
        EXPECT_STREQ(to, "abc--");
}

TEST(builtin, memmove_serves_overlaps_in_both_directions)
{
        for (size_t from = 0; from < 8; from++)
                for (size_t to = 0; to < 8; to++)
                        for (size_t size = 0; size <= 8; size++) {
                                char ours[] = "0123456789abcdef", theirs[] = "0123456789abcdef";

                                EXPECT_EQ(builtin_memmove(ours + to, ours + from, size), ours + to);
                                std::memmove(theirs + to, theirs + from, size);
                                ASSERT_STREQ(ours, theirs);
                        }
}

TEST(builtin, memset_writes_the_low_byte)
{
        char to[5] = "abcd";

        EXPECT_EQ(builtin_memset(to, 0x100 + 'x', 3), to);
        EXPECT_STREQ(to, "xxxd");
}

TEST(builtin, memcmp_compares_unsigned_bytes)
{
        EXPECT_EQ(builtin_memcmp("abc", "abd", 2), 0);
        EXPECT_LT(builtin_memcmp("abc", "abd", 3), 0);
        EXPECT_GT(builtin_memcmp("\xff", "\x01", 1), 0);
}

} // namespace
