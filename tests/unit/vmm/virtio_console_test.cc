/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console: bytes in both directions, and faulty drivers. */
#include "novavmm/virtio_console.h"

#include "virtio.h"

namespace
{

using namespace virtio;

struct virtio_console : test {
        nova_virtio_console console = {};
        std::string sent;

        static void send(void *context, uint8_t byte)
        {
                static_cast<virtio_console *>(context)->sent += static_cast<char>(byte);
        }

        void SetUp() override
        {
                nova_virtio_console_init(&console, &memory, send, this);
                attach(&console.virtio);
        }
};

TEST_F(virtio_console, sends_text_that_the_guest_writes)
{
        start();
        memcpy(&ram[data], "hello, world", 12);
        describe(1, 0, data, 5, chained, 1);
        describe(1, 1, data + 5, 7, 0);
        describe(1, 2, data, 1, 0);
        offer(1, 0);
        offer(1, 2);
        kick(1);
        EXPECT_EQ(sent, "hello, worldh");
        EXPECT_EQ(used_index(1), 2);
}

TEST_F(virtio_console, input_waits_for_room)
{
        EXPECT_EQ(nova_virtio_console_receive(&console, "abc", 3), 0u);
        start();
        EXPECT_FALSE(nova_virtio_console_listens(&console));
        EXPECT_EQ(nova_virtio_console_receive(&console, "abc", 3), 0u);
        describe(0, 0, data, 2, writable);
        offer(0, 0);
        kick(0);
        EXPECT_EQ(used_index(0), 0);
        EXPECT_TRUE(nova_virtio_console_listens(&console));
        EXPECT_EQ(nova_virtio_console_receive(&console, "abc", 3), 2u);
        EXPECT_EQ(memcmp(&ram[data], "ab", 3), 0);
        EXPECT_EQ(used_bytes(0, 0), 2u);
        EXPECT_TRUE(line);
}

TEST_F(virtio_console, a_chain_of_any_size_ends)
{
        start();
        for (unsigned i = 0; i < 8; i++)
                describe(1, i, 0, ram_bytes, static_cast<uint16_t>(i < 7 ? chained : 0),
                         static_cast<uint16_t>(i + 1));
        offer(1, 0);
        kick(1);
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_MOST);
        EXPECT_FALSE(broken());
}

TEST_F(virtio_console, a_place_for_input_without_room_breaks_the_device)
{
        start();
        describe(0, 0, data, 8, 0);
        offer(0, 0);
        EXPECT_EQ(nova_virtio_console_receive(&console, "a", 1), 0u);
        EXPECT_TRUE(broken());
        EXPECT_EQ(ram[data], 0);
        EXPECT_FALSE(nova_virtio_console_listens(&console));
}

} // namespace
