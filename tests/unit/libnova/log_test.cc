/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the kernel's messages from a ring. */
#include "nova/log.h"

#include <gtest/gtest.h>
#include <string>

namespace
{

struct ring {
        nova_log head = {0, 16, sizeof(nova_log), 0};
        char bytes[16] = {};

        void write(const std::string &text)
        {
                for (const char c : text)
                        bytes[head.written++ % sizeof(bytes)] = c;
        }

        std::string read(uint32_t &position, size_t size = 64)
        {
                char to[64];
                return std::string(to, nova_log_read(&head, &position, to, size));
        }
};

TEST(log, returns_the_text_written_since_the_last_read)
{
        ring r;
        uint32_t at = 0;
        EXPECT_EQ(r.read(at), "");
        r.write("one");
        EXPECT_EQ(r.read(at), "one");
        EXPECT_EQ(r.read(at), "");
        r.write("two");
        EXPECT_EQ(r.read(at, 2), "tw");
        EXPECT_EQ(r.read(at, 2), "o");
}

TEST(log, skips_text_that_was_overwritten)
{
        ring r;
        uint32_t at = 0;
        r.write("abcdefghijklmnopqrst");
        EXPECT_EQ(r.read(at), "fghijklmnopqrst");
        EXPECT_EQ(at, 20u);
}

TEST(log, counts_modulo_2_to_the_32)
{
        ring r;
        uint32_t at = r.head.written = 0xfffffffc;
        r.write("around the");
        EXPECT_EQ(r.read(at), "around the");
        EXPECT_EQ(at, 6u);
        at = 0x80000000;
        EXPECT_EQ(r.read(at).size(), 15u);
}

} // namespace
