// SPDX-License-Identifier: BSD-2-Clause
// The blocks of malloc(): no two overlap, none is lost, neighbours are joined.
#include "heap/heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace
{

constexpr size_t ROOM = 4 << 20;
alignas(4096) unsigned char area[ROOM];
size_t used, limit;

void *move_end(ptrdiff_t bytes)
{
        EXPECT_EQ(bytes % 4096, 0);
        if (bytes > 0 ? static_cast<size_t>(bytes) > limit - used
                      : static_cast<size_t>(-bytes) > used)
                return nullptr;

        void *const old = area + used;

        used += static_cast<size_t>(bytes);
        return old;
}

struct Heap : ::testing::Test {
        struct heap heap = {};

        void SetUp() override
        {
                used = 0;
                limit = ROOM;
                heap.move_end = move_end;
        }

        /* Expects that the sums of the heap agree with its area. Returns them. */
        heap_usage usage() const
        {
                const heap_usage sums = novart_heap_usage(&heap);

                EXPECT_EQ(sums.area, used);
                EXPECT_EQ(sums.used + sums.free, used ? used - HEAP_ALIGN : 0);
                return sums;
        }
};

struct Piece {
        unsigned char *memory;
        size_t bytes;
        unsigned char value;

        void check() const
        {
                for (size_t i = 0; i < bytes; i++)
                        ASSERT_EQ(memory[i], value);
        }
};

} // namespace

TEST_F(Heap, memory_is_aligned_and_large_enough)
{
        for (size_t bytes : {0, 1, 15, 16, 17, 24, 25, 1000, 5000, 100000}) {
                void *const memory = novart_heap_take(&heap, bytes);

                ASSERT_NE(memory, nullptr);
                EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % HEAP_ALIGN, 0u);
                EXPECT_GE(novart_heap_size(memory), bytes);
                memset(memory, 0xff, novart_heap_size(memory));
        }
}

TEST_F(Heap, an_empty_heap_has_no_blocks)
{
        EXPECT_EQ(usage().free_blocks, 0u);
}

TEST_F(Heap, its_sums_tell_used_blocks_from_free_ones)
{
        void *const first = novart_heap_take(&heap, 100), *const second =
                                                                  novart_heap_take(&heap, 50);
        const size_t head = sizeof(size_t);
        const size_t sizes[] = {novart_heap_size(first) + head, novart_heap_size(second) + head};

        EXPECT_EQ(usage().used, sizes[0] + sizes[1]);
        EXPECT_EQ(usage().free_blocks, 1u);
        EXPECT_EQ(usage().free_at_end, usage().free);
        novart_heap_give(&heap, first);
        EXPECT_EQ(usage().used, sizes[1]);
        EXPECT_EQ(usage().free_blocks, 2u);
        EXPECT_EQ(usage().free_at_end, usage().free - sizes[0]);
        novart_heap_give(&heap, second);
        EXPECT_EQ(usage().used, 0u);
        EXPECT_EQ(usage().free_blocks, 1u);

        void *const all = novart_heap_take(&heap, usage().free - head);

        ASSERT_NE(all, nullptr);
        EXPECT_EQ(usage().free_at_end, 0u);
}

TEST_F(Heap, all_that_is_given_back_is_one_block_again)
{
        std::vector<void *> memory;

        for (unsigned i = 0; i < 100; i++)
                memory.push_back(novart_heap_take(&heap, 1000));

        const size_t before = used;

        for (unsigned i = 0; i < 100; i += 2)
                EXPECT_TRUE(novart_heap_give(&heap, memory[i]));
        for (unsigned i = 1; i < 100; i += 2)
                EXPECT_TRUE(novart_heap_give(&heap, memory[i]));
        EXPECT_NE(novart_heap_take(&heap, 90000), nullptr);
        EXPECT_LE(used, before);
}

TEST_F(Heap, much_free_memory_at_the_end_goes_back)
{
        void *const small = novart_heap_take(&heap, 100);
        void *const large = novart_heap_take(&heap, 2 << 20);

        EXPECT_GT(used, 2u << 20);
        EXPECT_TRUE(novart_heap_give(&heap, large));
        EXPECT_LT(used, 100000u);
        EXPECT_TRUE(novart_heap_give(&heap, small));
        EXPECT_NE(novart_heap_take(&heap, 3 << 20), nullptr);
}

TEST_F(Heap, an_allocation_that_does_not_fit_fails_and_changes_nothing)
{
        void *const memory = novart_heap_take(&heap, 1000);

        for (size_t bytes : {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX / 2, SIZE_MAX / 2 + 1, ROOM}) {
                EXPECT_EQ(novart_heap_take(&heap, bytes), nullptr);
                EXPECT_EQ(novart_heap_take_aligned(&heap, 4096, bytes), nullptr);
                EXPECT_FALSE(novart_heap_resize(&heap, memory, bytes));
        }
        EXPECT_EQ(novart_heap_take_aligned(&heap, SIZE_MAX / 2 + 1, 8), nullptr);
        limit = used;
        EXPECT_EQ(novart_heap_take(&heap, 50000), nullptr);
        EXPECT_TRUE(novart_heap_give(&heap, memory));
        EXPECT_NE(novart_heap_take(&heap, 1000), nullptr);
}

TEST_F(Heap, the_last_pages_are_used_up_to_the_end)
{
        size_t sum = 0;

        limit = 16 * 4096;
        for (void *memory; (memory = novart_heap_take(&heap, 1000));
             sum += novart_heap_size(memory))
                continue;
        EXPECT_GT(sum, 15u * 4096);
}

TEST_F(Heap, what_was_not_taken_is_not_given_back)
{
        unsigned char *const memory = static_cast<unsigned char *>(novart_heap_take(&heap, 100));
        unsigned char *const other = static_cast<unsigned char *>(novart_heap_take(&heap, 100));

        memset(memory, 0, 100);
        EXPECT_FALSE(novart_heap_give(&heap, memory + 16));
        EXPECT_FALSE(novart_heap_give(&heap, memory + 1));
        EXPECT_TRUE(novart_heap_give(&heap, memory));
        EXPECT_FALSE(novart_heap_give(&heap, memory));
        EXPECT_TRUE(novart_heap_give(&heap, other));
        EXPECT_FALSE(novart_heap_give(&heap, other));
}

TEST_F(Heap, a_block_grows_into_free_memory_after_it_only)
{
        void *const first = novart_heap_take(&heap, 100), *const second =
                                                                  novart_heap_take(&heap, 1000);
        void *const third = novart_heap_take(&heap, 100);

        EXPECT_FALSE(novart_heap_resize(&heap, first, 500));
        EXPECT_TRUE(novart_heap_give(&heap, second));
        EXPECT_TRUE(novart_heap_resize(&heap, first, 500) && novart_heap_size(first) >= 500);
        EXPECT_FALSE(novart_heap_resize(&heap, first, 5000));
        EXPECT_TRUE(novart_heap_resize(&heap, first, 10) && novart_heap_size(first) < 100);
        EXPECT_TRUE(novart_heap_give(&heap, third) && novart_heap_give(&heap, first));
}

TEST_F(Heap, a_block_in_another_block_is_not_given_back)
{
        void *const first = novart_heap_take(&heap, 100), *const second =
                                                                  novart_heap_take(&heap, 100);
        void *const third = novart_heap_take(&heap, 100);

        EXPECT_TRUE(novart_heap_give(&heap, second));
        EXPECT_TRUE(novart_heap_resize(&heap, first, 200));
        EXPECT_FALSE(novart_heap_give(&heap, second)) << "a second time";
        EXPECT_TRUE(novart_heap_give(&heap, first) && novart_heap_give(&heap, third));
}

TEST_F(Heap, a_storm_keeps_every_byte)
{
        std::mt19937 random(1);
        std::vector<Piece> pieces;

        for (unsigned round = 0; round < 60000; round++) {
                const size_t bytes = random() % (round % 50 ? 600 : 30000);
                const unsigned char value = static_cast<unsigned char>(random());
                const unsigned act = random() % 8;

                if (pieces.empty() || (act < 4 && pieces.size() < 300)) {
                        const size_t align = size_t(1) << random() % 12;
                        void *const memory = act ? novart_heap_take(&heap, bytes)
                                                 : novart_heap_take_aligned(&heap, align, bytes);

                        if (!memory)
                                continue;
                        ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % (act ? 1 : align), 0u);
                        pieces.push_back({static_cast<unsigned char *>(memory), bytes, value});
                        memset(memory, value, bytes);
                        continue;
                }

                Piece &piece = pieces[random() % pieces.size()];

                piece.check();
                if (act == 4) {
                        if (novart_heap_resize(&heap, piece.memory, bytes)) {
                                piece.bytes = bytes;
                                memset(piece.memory, piece.value, bytes);
                        }
                        continue;
                }
                ASSERT_TRUE(novart_heap_give(&heap, piece.memory));
                piece = pieces.back();
                pieces.pop_back();
        }
        for (const Piece &piece : pieces) {
                piece.check();
                ASSERT_TRUE(novart_heap_give(&heap, piece.memory));
        }
        EXPECT_LT(used, 300000u);
        EXPECT_EQ(heap.filled & (heap.filled - 1), 0u);
        EXPECT_EQ(usage().used, 0u);
}
