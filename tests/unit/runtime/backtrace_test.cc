/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks along frames: well-formed frames, and frames of a broken program. */
#include "fault/backtrace.h"

#include <gtest/gtest.h>
#include <map>
#include <vector>

namespace
{

constexpr nova_word_t code = 0x400000;

class backtrace : public testing::Test
{
      protected:
        std::map<nova_word_t, nova_word_t> memory{{code, 1}};
        unsigned reads = 0;

        static bool read(void *context, nova_word_t addr, nova_word_t *word)
        {
                auto *self = static_cast<backtrace *>(context);
                const auto found = self->memory.find(addr);

                self->reads++;
                if (found == self->memory.end())
                        return false;
                *word = found->second;
                return true;
        }

        std::vector<nova_word_t> walk(nova_word_t ip, nova_word_t sp, nova_word_t bp,
                                      unsigned max = 8, bool jumped = false)
        {
                std::vector<nova_word_t> frame(max);

                frame.resize(
                        novart_backtrace_walk(ip, sp, bp, jumped, read, this, frame.data(), max));
                return frame;
        }

        void frame(nova_word_t at, nova_word_t next, nova_word_t back)
        {
                memory[at] = next;
                memory[at + sizeof(nova_word_t)] = back;
        }
};

using addresses = std::vector<nova_word_t>;

TEST_F(backtrace, follows_the_chain_to_its_end)
{
        frame(0x1000, 0x1100, 11);
        frame(0x1100, 0x1200, 22);
        frame(0x1200, 0, 33);
        EXPECT_EQ(walk(code, 0xf00, 0x1000), (addresses{code, 11, 22, 33}));
}

TEST_F(backtrace, a_jump_to_nowhere_shows_its_caller)
{
        memory[0xf00] = 99;
        frame(0x1000, 0, 11);
        EXPECT_EQ(walk(0, 0xf00, 0x1000), (addresses{0, 99, 11}));
        EXPECT_EQ(walk(0, 0xf01, 0x2000), (addresses{0}));
}

TEST_F(backtrace, a_jump_into_data_shows_its_caller)
{
        memory[0xf00] = 99;
        frame(0x1000, 0, 11);
        EXPECT_EQ(walk(code, 0xf00, 0x1000, 8, true), (addresses{code, 99, 11}));
        EXPECT_EQ(walk(code, 0xf01, 0x2000, 8, true), (addresses{code}));
}

/* Sets up a call at code + 0x100 of the function at code + 0x80, which begins with the given
 * byte. */
TEST_F(backtrace, a_function_without_a_frame_shows_its_caller)
{
        const auto put = [this](nova_word_t addr, std::vector<unsigned char> bytes) {
                for (const unsigned char byte : bytes) {
                        const nova_word_t word = addr & ~(sizeof(addr) - 1);
                        const unsigned shift = (addr++ - word) * 8;

                        memory[word] = (memory[word] & ~(nova_word_t{0xff} << shift)) |
                                       nova_word_t{byte} << shift;
                }
        };
        const nova_word_t function = code + 0x80, back = code + 0x105;

        memory[0xf00] = back;
        frame(0x1000, 0, 11);
        memory[code + 0x88] = 0;
        put(code + 0x100, {0xe8, 0x7b, 0xff, 0xff, 0xff, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90});
        put(function, {0x48});
        EXPECT_EQ(walk(function + 7, 0xf00, 0x1000), (addresses{function + 7, back, 11}));
        EXPECT_EQ(walk(function + 9, 0xf00, 0x1000), (addresses{function + 9, back, 11}));
        EXPECT_EQ(walk(code, 0xf00, 0x1000), (addresses{code, 11}));
        put(function, {0x55}); /* push %bp: the function will make a frame, but has none yet */
        EXPECT_EQ(walk(function + 7, 0xf00, 0x1000), (addresses{function + 7, 11}));
        EXPECT_EQ(walk(function, 0xf00, 0x1000), (addresses{function, back, 11}));
        put(code + 0x100, {0x90});
        EXPECT_EQ(walk(function, 0xf00, 0x1000), (addresses{function, 11}));
        memory[0xf00] = 3; /* a frame in memory that cannot be read */
        EXPECT_EQ(walk(function, 0xf00, 0x1000), (addresses{function, 11}));
}

TEST_F(backtrace, a_return_address_of_0_ends_it)
{
        frame(0x1000, 0x1100, 0);
        frame(0x1100, 0, 22);
        EXPECT_EQ(walk(code, 0xf00, 0x1000), (addresses{code}));
}

TEST_F(backtrace, a_cycle_ends_it)
{
        frame(0x1000, 0x1100, 11);
        frame(0x1100, 0x1000, 22);
        EXPECT_EQ(walk(code, 0xf00, 0x1000), (addresses{code, 11, 22}));
        frame(0x1000, 0x1000, 11);
        EXPECT_EQ(walk(code, 0xf00, 0x1000), (addresses{code, 11}));
}

TEST_F(backtrace, a_frame_below_the_stack_pointer_ends_the_walk)
{
        frame(0x1000, 0, 11);
        EXPECT_EQ(walk(code, 0x1008, 0x1000), (addresses{code}));
}

TEST_F(backtrace, odd_frame_pointers_end_the_walk)
{
        frame(0x1001, 0, 11);
        EXPECT_EQ(walk(code, 0xf00, 0x1001), (addresses{code}));
        EXPECT_EQ(walk(code, 0xf00, ~nova_word_t{0} - 7), (addresses{code}));
}

TEST_F(backtrace, never_writes_more_than_there_is_room_for)
{
        for (nova_word_t i = 0; i < 100; i++)
                frame(0x1000 + i * 32, 0x1000 + (i + 1) * 32, i + 1);
        EXPECT_EQ(walk(code, 0xf00, 0x1000, 5).size(), 5u);
        EXPECT_EQ(walk(code, 0xf00, 0x1000, 1), (addresses{code}));
        EXPECT_EQ(walk(0, 0xf00, 0x1000, 1), (addresses{0}));
}

} // namespace
