/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio entropy device, and faulty drivers. */
#include "novavmm/virtio_random.h"

#include "novavmm/entropy.h"
#include "virtio.h"

namespace
{

using namespace virtio;

struct virtio_random : test {
        nova_virtio_random random = {};
        size_t most = SIZE_MAX;

        static size_t source(void *context, void *to, size_t bytes)
        {
                const size_t most = static_cast<virtio_random *>(context)->most;
                const size_t count = bytes < most ? bytes : most;

                memset(to, 0x77, count);
                return count;
        }

        void SetUp() override
        {
                nova_virtio_random_init(&random, &memory, source, this);
                attach(&random.virtio);
                start();
        }

        void ask(uint32_t bytes, uint16_t flags)
        {
                describe(0, 0, data, bytes, flags);
                offer(0, 0);
                kick(0);
        }
};

TEST_F(virtio_random, fills_the_guests_buffer)
{
        ask(16, writable);
        EXPECT_EQ(used_bytes(0, 0), 16u);
        EXPECT_EQ(ram[data + 15], 0x77);
        EXPECT_EQ(ram[data + 16], 0);
}

TEST_F(virtio_random, reports_a_shorter_length_when_fewer_bytes_are_available)
{
        most = 3;
        ask(16, writable);
        EXPECT_EQ(used_bytes(0, 0), 3u);
        EXPECT_EQ(ram[data + 3], 0);
}

TEST_F(virtio_random, limits_the_bytes_of_one_request)
{
        ask(0x4000, writable);
        EXPECT_EQ(used_bytes(0, 0), NOVA_VIRTIO_RANDOM_MOST);
}

TEST_F(virtio_random, a_request_without_a_writable_buffer_breaks_the_device)
{
        ask(16, 0);
        EXPECT_TRUE(broken());
        start();
        ask(0, writable);
        EXPECT_TRUE(broken());
        EXPECT_EQ(complaints, 1u);
}

TEST(entropy, comes_from_the_cpu_if_it_has_some)
{
        uint8_t bytes[64] = {}, zero[64] = {};

        if (!nova_entropy_available())
                GTEST_SKIP() << "this CPU has no RDRAND";
        EXPECT_EQ(nova_entropy(nullptr, bytes, 61), 61u);
        EXPECT_NE(memcmp(bytes, zero, 61), 0);
        EXPECT_EQ(memcmp(bytes + 61, zero, 3), 0);
}

} // namespace
