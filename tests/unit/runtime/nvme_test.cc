/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's end of NVMe queues, with correct and faulty controllers, and lists of pages. */
extern "C" {
#include "queue.h"
}

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace
{

struct nvme_test : testing::Test {
        std::vector<nvme_command> commands;
        std::vector<uint32_t> completions;
        nvme_queue q = {};
        unsigned done = 0; /* completions of the controller */

        void make(unsigned size)
        {
                commands.assign(size, {});
                completions.assign(4 * size, 0);
                q = {};
                q.commands = commands.data();
                q.completions = completions.data();
                q.size = size;
                q.phase = true;
                done = 0;
        }

        int add(uint8_t opcode)
        {
                nvme_command command = {};

                command.opcode = opcode;
                return nvme_queue_add(&q, &command);
        }

        void complete(unsigned id, unsigned status)
        {
                const uint32_t phase = ~(done / q.size) & 1;

                completions[done++ % q.size * 4 + 3] = id | phase << 16 | status << 17;
        }
};

using nvme_queue_test = nvme_test;

/* Returns the bytes that a command accesses. */
std::vector<std::pair<uint64_t, uint64_t>>
reached(const nvme_command &command, const uint64_t *list, unsigned count, uint64_t end)
{
        std::vector<std::pair<uint64_t, uint64_t>> result;

        for (unsigned i = 0; i < count; i++) {
                const uint64_t entry = i == 0                 ? command.page[0]
                                       : i == 1 && count == 2 ? command.page[1]
                                                              : list[i - 1];
                const uint64_t stop = i + 1 == count ? end : (entry & ~4095ull) + 4096;

                EXPECT_TRUE(i == 0 || entry % 4096 == 0);
                result.emplace_back(entry, stop);
        }
        return result;
}

} // namespace

TEST_F(nvme_queue_test, commands_complete_in_any_order)
{
        make(16);
        unsigned id, status;

        for (unsigned round = 0; round < 5000; round++) {
                const int a = add(1), b = add(2), c = add(3);

                ASSERT_GE(a, 0);
                ASSERT_NE(a, b);
                ASSERT_EQ(commands[(q.tail + 15) % 16].opcode, 3);
                ASSERT_EQ(commands[(q.tail + 15) % 16].id, c);
                ASSERT_EQ(nvme_queue_take(&q, &id, &status), NVME_EMPTY);
                for (const int which : {c, a, b}) {
                        complete((unsigned)which, round % 3);
                        ASSERT_EQ(nvme_queue_take(&q, &id, &status), NVME_TAKEN);
                        ASSERT_EQ(id, (unsigned)which);
                        ASSERT_EQ(status, round % 3);
                }
                ASSERT_EQ(nvme_queue_take(&q, &id, &status), NVME_EMPTY);
        }
}

TEST_F(nvme_queue_test, one_place_stays_free)
{
        make(4);
        std::set<int> ids;
        unsigned id, status;

        for (unsigned i = 0; i < 3; i++)
                ids.insert(add(1));
        EXPECT_EQ(ids.size(), 3U);
        EXPECT_EQ(add(1), -1);
        complete((unsigned)*ids.begin(), 0);
        EXPECT_EQ(nvme_queue_take(&q, &id, &status), NVME_TAKEN);
        EXPECT_GE(add(1), 0);
        EXPECT_EQ(add(1), -1);
}

TEST_F(nvme_queue_test, completions_of_commands_that_are_not_pending_are_refused)
{
        unsigned id, status;

        for (const unsigned wrong : {1U, 3U, 15U, 16U, 127U, 128U, 0xffffU}) {
                make(16);
                EXPECT_EQ(add(1), 0);
                complete(wrong, 0);
                EXPECT_EQ(nvme_queue_take(&q, &id, &status), NVME_BROKEN) << wrong;
        }
        make(16);
        add(1);
        complete(0, 0);
        complete(0, 0);
        EXPECT_EQ(nvme_queue_take(&q, &id, &status), NVME_TAKEN);
        EXPECT_EQ(nvme_queue_take(&q, &id, &status), NVME_BROKEN) << "twice";
}

TEST_F(nvme_queue_test, random_memory_ends_no_command_twice)
{
        std::mt19937 random(1);
        unsigned id, status;

        for (unsigned round = 0; round < 5000; round++) {
                std::set<unsigned> busy;

                make(2 + random() % 126);
                for (int added = add(1); added >= 0; added = add(1))
                        busy.insert((unsigned)added);
                for (uint32_t &word : completions)
                        word = random() % 2 ? random() : random() % q.size | 1 << 16;
                while (nvme_queue_take(&q, &id, &status) == NVME_TAKEN)
                        ASSERT_EQ(busy.erase(id), 1U);
                ASSERT_EQ(busy.size(), q.busy_count);
        }
}

TEST(nvme_pages, pieces_that_meet_at_pages_are_one_command)
{
        nvme_command command = {};
        uint64_t list[128] = {};
        nvme_pages pages = {&command, list, 0x9000, 0, 128, 0};

        EXPECT_TRUE(nvme_pages_add(&pages, 0x10200, 0xe00)) << "the first may begin anywhere";
        EXPECT_EQ(command.page[0], 0x10200U);
        EXPECT_EQ(command.page[1], 0U);
        EXPECT_FALSE(nvme_pages_add(&pages, 0x20200, 0x200)) << "the second may not";
        EXPECT_TRUE(nvme_pages_add(&pages, 0x30000, 0x1000));
        EXPECT_EQ(command.page[1], 0x30000U);
        EXPECT_TRUE(nvme_pages_add(&pages, 0x20000, 0x2200));
        EXPECT_EQ(command.page[1], 0x9000U) << "three are a list";
        EXPECT_FALSE(nvme_pages_add(&pages, 0x40000, 0x1000)) << "the last does not end at a page";
        EXPECT_EQ(pages.count, 5U);
}

/* The accepted memory is exactly the memory that the command accesses, and nothing is written
 * beyond the list. */
TEST(nvme_pages, a_list_contains_each_page_that_was_added)
{
        std::mt19937 random(1);

        for (unsigned round = 0; round < 20000; round++) {
                const unsigned most = 1 + random() % 40;
                nvme_command command = {};
                std::vector<uint64_t> list(most + 1, 0x55);
                std::vector<std::pair<uint64_t, uint64_t>> wanted;
                nvme_pages pages = {&command, list.data(), 0x9000, 0, most, 0};

                for (unsigned i = 0; i < 13; i++) {
                        const uint64_t address =
                                random() % 2 ? random() % 256 * 4096ull : random() % 2048 * 512ull;
                        const uint32_t bytes = random() % 2 ? (1 + random() % 8) * 4096
                                                            : (1 + random() % 64) * 512;

                        if (!nvme_pages_add(&pages, address, bytes))
                                break;
                        for (uint64_t at = address; at < address + bytes; at = (at | 4095) + 1)
                                wanted.emplace_back(at, std::min((at | 4095) + 1, address + bytes));
                }
                ASSERT_EQ(list[most], 0x55U);
                ASSERT_LE(pages.count, most + 1);
                if (pages.count) {
                        ASSERT_EQ(reached(command, list.data(), pages.count, pages.end), wanted);
                }
        }
}
