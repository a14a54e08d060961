/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a TLS connection whose socket has no room, and reads of some sizes. */
extern "C" {
#include "tls_fake.h"
}

#include <array>
#include <cerrno>
#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace
{

struct tls_close : testing::Test {
        std::array<int, 2> ends = {};
        size_t filled = 0;

        void SetUp() override
        {
                const std::array<char, 100> data = {};
                ssize_t sent;

                ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
                while ((sent = send(ends[0], data.data(), data.size(), MSG_DONTWAIT)) > 0)
                        filled += (size_t)sent;
        }

        void TearDown() override
        {
                close(ends[0]);
                close(ends[1]);
        }

        std::string read_all()
        {
                std::array<char, 4096> part;
                std::string text;
                ssize_t got;

                while ((got = recv(ends[1], part.data(), part.size(), 0)) > 0)
                        text.append(part.data(), (size_t)got);
                return text;
        }
};

TEST_F(tls_close, reports_the_end_to_a_server_that_reads_a_moment_later)
{
        std::string text;
        std::thread reader([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
                text = read_all();
        });

        fake_close(ends[0], 0);
        shutdown(ends[0], SHUT_WR);
        reader.join();
        ASSERT_GT(text.size(), filled);
        EXPECT_EQ(text.substr(filled), FAKE_NOTIFICATION);
}

TEST_F(tls_close, does_not_wait_long_for_a_server_that_does_not_read)
{
        EXPECT_LT(fake_close(ends[0], 0), 5000U);
        EXPECT_LT(fake_close(ends[0], 1000000), 900U) << "the connection's own limit";
        EXPECT_LT(fake_close(ends[0], UINT64_MAX), 5000U);
}

TEST(tls_read, of_no_bytes_is_not_the_end_of_the_stream)
{
        std::array<char, 4> data = {};

        errno = 0;
        EXPECT_EQ(fake_read(-1, data.data(), 0), 0);
        EXPECT_EQ(errno, 0);
        EXPECT_EQ(fake_read(-1, nullptr, 0), 0);
        EXPECT_EQ(fake_read(-1, data.data(), data.size()), 4);
}

} // namespace
