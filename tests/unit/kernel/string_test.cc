// SPDX-License-Identifier: BSD-2-Clause
// Compares the kernel's memory and string functions with those of the C library.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

extern "C" {
void *kernel_memcpy(void *to, const void *from, size_t bytes);
void *kernel_memmove(void *to, const void *from, size_t bytes);
void *kernel_memset(void *to, int value, size_t bytes);
int kernel_memcmp(const void *left, const void *right, size_t bytes);
size_t kernel_strlen(const char *string);
int kernel_strncmp(const char *left, const char *right, size_t bytes);
}

namespace
{

using Bytes = std::vector<uint8_t>;

Bytes pattern()
{
        Bytes bytes(200);
        for (size_t i = 0; i < bytes.size(); i++)
                bytes[i] = static_cast<uint8_t>(i * 7 + 1);
        return bytes;
}

int sign(int value)
{
        return (value > 0) - (value < 0);
}

TEST(string, copies_and_fills_any_number_of_bytes_and_no_more)
{
        const Bytes source = pattern();
        for (size_t size = 0; size < 70; size++)
                for (size_t offset = 0; offset < 9; offset++) {
                        Bytes a(100, 0xee), b = a;
                        EXPECT_EQ(kernel_memcpy(&a[offset], &source[offset / 2], size), &a[offset]);
                        std::memcpy(&b[offset], &source[offset / 2], size);
                        ASSERT_EQ(a, b);
                        EXPECT_EQ(kernel_memset(&a[offset], 0x1ff, size), &a[offset]);
                        std::memset(&b[offset], 0x1ff, size);
                        ASSERT_EQ(a, b);
                }
}

TEST(string, moves_ranges_that_overlap)
{
        for (size_t size = 0; size < 40; size++)
                for (size_t from = 0; from < 20; from++)
                        for (size_t to = 0; to < 20; to++) {
                                Bytes a = pattern(), b = a;
                                kernel_memmove(&a[to], &a[from], size);
                                std::memmove(&b[to], &b[from], size);
                                ASSERT_EQ(a, b);
                        }
}

TEST(string, compares_like_the_c_library)
{
        const char *words[] = {"", "a", "ab", "abc", "abd", "\xff", "b"};
        for (const char *left : words) {
                EXPECT_EQ(kernel_strlen(left), std::strlen(left));
                for (const char *right : words) {
                        for (size_t n = 0; n < 5; n++)
                                EXPECT_EQ(sign(kernel_strncmp(left, right, n)),
                                          sign(std::strncmp(left, right, n)));
                }
        }
        EXPECT_EQ(kernel_memcmp("abc", "abd", 2), 0);
        EXPECT_LT(kernel_memcmp("abc", "abd", 3), 0);
        EXPECT_GT(kernel_memcmp("\xff", "a", 1), 0);
}

} // namespace
