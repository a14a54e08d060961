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

        /* Does the machine's work after exits. @return number of turns */
        size_t finish_turns()
        {
                size_t turns = 0;

                for (; console.virtio.unfinished && turns < 1000; turns++)
                        nova_virtio_look(&console.virtio);
                return turns;
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
        finish_turns();
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_MOST);
        EXPECT_EQ(used_index(1), 1);
        EXPECT_FALSE(broken());
}

/* The lock of the machine is free between two turns. */
TEST_F(virtio_console, a_long_chain_takes_several_turns)
{
        start();
        std::string text(5000, 'x');
        for (size_t i = 0; i < text.size(); i++)
                text[i] = static_cast<char>('a' + i % 23);
        memcpy(&ram[data], text.data(), text.size());
        describe(1, 0, data, 100, chained, 1);
        describe(1, 1, data + 100, 4900, 0);
        offer(1, 0);
        offer(1, 0);
        kick(1);
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_TURN);
        EXPECT_EQ(used_index(1), 0);
        EXPECT_TRUE(console.virtio.unfinished);
        EXPECT_EQ(finish_turns(), 2 * text.size() / NOVA_VIRTIO_CONSOLE_TURN);
        EXPECT_EQ(sent, text + text);
        EXPECT_EQ(used_index(1), 2);
}

/* A string of OUTS may notify the device hundreds of times in one exit. */
TEST_F(virtio_console, a_notification_during_a_pause_begins_no_turn)
{
        start();
        describe(1, 0, data, 5000, 0);
        offer(1, 0);
        for (unsigned i = 0; i < 3; i++)
                kick(1);
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_TURN);
        finish_turns();
        EXPECT_EQ(sent.size(), 5000u);
        EXPECT_EQ(used_index(1), 1);
}

TEST_F(virtio_console, a_chain_may_become_shorter_between_turns)
{
        start();
        describe(1, 0, data, 5000, 0);
        offer(1, 0);
        kick(1);
        describe(1, 0, data, 10, 0);
        nova_virtio_look(&console.virtio);
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_TURN);
        EXPECT_EQ(used_index(1), 1);
        EXPECT_FALSE(console.virtio.unfinished);
        offer(1, 0);
        kick(1);
        EXPECT_EQ(sent.size(), NOVA_VIRTIO_CONSOLE_TURN + 10u);
}

TEST_F(virtio_console, a_reset_forgets_how_much_of_a_chain_was_sent)
{
        start();
        describe(1, 0, data, 5000, 0);
        offer(1, 0);
        kick(1);
        start();
        sent.clear();
        describe(1, 0, data, 10, 0);
        offer(1, 0);
        kick(1);
        EXPECT_EQ(sent.size(), 10u);
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
