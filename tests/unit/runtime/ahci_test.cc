/* SPDX-License-Identifier: BSD-2-Clause */
/* ATA commands, and descriptions of disks, correct or not. */
extern "C" {
#include "command.h"
}

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <utility>
#include <vector>

namespace
{

struct ahci_identity : testing::Test {
        std::vector<uint16_t> word = std::vector<uint16_t>(AHCI_WORDS, 0);
        ahci_disk disk = {};

        void SetUp() override
        {
                word[49] = 0x0300;
                word[83] = 0x4400;
                word[87] = 0x4000;
                word[100] = 0x5678;
                word[101] = 0x1234;
        }

        const char *read()
        {
                return ahci_read_identity(word.data(), &disk);
        }
};

using ahci_command = testing::Test;

/* Returns the number of a block in a command. */
uint64_t block_of(const ahci_table &table)
{
        uint64_t block = 0;

        for (const unsigned at : {10U, 9U, 8U, 6U, 5U, 4U})
                block = block << 8 | table.fis[at];
        return block;
}

} // namespace

TEST_F(ahci_identity, a_plain_disk_has_its_size_only)
{
        EXPECT_EQ(read(), nullptr);
        EXPECT_EQ(disk.blocks, 0x12345678U);
        EXPECT_EQ(disk.block_bytes, 512U);
        EXPECT_EQ(disk.depth, 0U);
        EXPECT_FALSE(disk.cache);
        EXPECT_FALSE(disk.discard);
}

TEST_F(ahci_identity, disks_with_other_serial_numbers_or_models_differ)
{
        EXPECT_EQ(read(), nullptr);
        const uint64_t plain = disk.identity;
        for (const unsigned at : {10U, 19U, 27U, 46U}) {
                word[at] = 0x3130;
                EXPECT_EQ(read(), nullptr);
                EXPECT_NE(disk.identity, plain) << "word " << at;
                word[at] = 0;
        }
        word[169] = 1; /* an option */
        EXPECT_EQ(read(), nullptr);
        EXPECT_EQ(disk.identity, plain);
}

TEST_F(ahci_identity, queue_cache_and_discard_are_found)
{
        word[75] = 31;
        word[76] = 0x0100;
        word[85] = 0x0020;
        word[169] = 1;
        EXPECT_EQ(read(), nullptr);
        EXPECT_EQ(disk.depth, 32U);
        EXPECT_TRUE(disk.cache);
        EXPECT_TRUE(disk.discard);
        word[76] = word[169] = 0xffff;
        word[85] = word[87] = 0;
        EXPECT_EQ(read(), nullptr);
        EXPECT_EQ(disk.depth, 0U);
        EXPECT_TRUE(disk.cache) << "it may have one";
        EXPECT_FALSE(disk.discard);
}

TEST_F(ahci_identity, blocks_have_512_to_4096_bytes)
{
        word[106] = 0x5000;
        for (const unsigned bytes : {512U, 1024U, 2048U, 4096U}) {
                word[117] = (uint16_t)(bytes / 2);
                EXPECT_EQ(read(), nullptr);
                EXPECT_EQ(disk.block_bytes, bytes);
        }
        for (const unsigned bytes : {0U, 256U, 520U, 8192U}) {
                word[117] = (uint16_t)(bytes / 2);
                EXPECT_NE(read(), nullptr) << bytes;
        }
        word[117] = 256;
        word[118] = 0x8000;
        EXPECT_NE(read(), nullptr) << "4 GiB and 512 bytes";
        word[106] = 0x9000;
        EXPECT_EQ(read(), nullptr) << "the word is not valid";
        EXPECT_EQ(disk.block_bytes, 512U);
}

TEST_F(ahci_identity, a_disk_that_the_driver_cannot_use_is_refused)
{
        const auto good = word;

        for (const auto &[at, value] : std::vector<std::pair<unsigned, uint16_t>>{
                     {0, 0x8000}, {49, 0x0100}, {49, 0x0200}, {83, 0x4000}, {83, 0xc400}}) {
                word = good;
                word[at] = value;
                EXPECT_NE(read(), nullptr) << at;
        }
        word = good;
        word[100] = word[101] = 0;
        EXPECT_NE(read(), nullptr) << "no blocks";
        word[103] = 1;
        EXPECT_EQ(read(), nullptr) << "2^48 blocks";
        EXPECT_EQ(disk.blocks, 1ULL << 48);
        word[100] = 1;
        EXPECT_NE(read(), nullptr) << "one more";
}

TEST_F(ahci_identity, random_words_give_possible_properties)
{
        std::mt19937 random(1);
        unsigned accepted = 0;

        for (unsigned round = 0; round < 200000; round++) {
                for (const unsigned at :
                     {0U, 49U, 75U, 76U, 83U, 85U, 87U, 100U, 106U, 117U, 118U, 169U})
                        word[at] = (uint16_t)(random() & (random() % 2 ? 0xffff : random()));
                word[103] = random() % 3;
                if (read())
                        continue;
                accepted++;
                ASSERT_TRUE(disk.blocks && disk.blocks <= 1ULL << 48);
                ASSERT_TRUE(disk.block_bytes == 512 || disk.block_bytes == 1024 ||
                            disk.block_bytes == 2048 || disk.block_bytes == 4096);
                ASSERT_LE(disk.depth, 32U);
        }
        EXPECT_GT(accepted, 100U);
}

TEST_F(ahci_command, transfers_have_block_count_and_tag)
{
        ahci_table table;

        memset(&table, 0xff, sizeof(table));
        ahci_set_transfer(&table, false, false, 5, 0x123456789abc, 0x102);
        EXPECT_EQ(table.fis[0], 0x27);
        EXPECT_EQ(table.fis[1], 0x80);
        EXPECT_EQ(table.fis[2], AHCI_READ);
        EXPECT_EQ(table.fis[7], 0x40);
        EXPECT_EQ(block_of(table), 0x123456789abcU);
        EXPECT_EQ(table.fis[12] | table.fis[13] << 8, 0x102);
        EXPECT_EQ(table.fis[3] | table.fis[11] << 8, 0);
        for (unsigned i = 14; i < 64; i++)
                EXPECT_EQ(table.fis[i], 0) << i;

        ahci_set_transfer(&table, true, true, 31, 7, 0x102);
        EXPECT_EQ(table.fis[2], AHCI_WRITE_QUEUED);
        EXPECT_EQ(block_of(table), 7U);
        EXPECT_EQ(table.fis[3] | table.fis[11] << 8, 0x102);
        EXPECT_EQ(table.fis[12] | table.fis[13] << 8, 31 << 3);

        ahci_set_transfer(&table, true, false, 0, 7, AHCI_BLOCKS_MAX);
        EXPECT_EQ(table.fis[2], AHCI_WRITE);
        EXPECT_EQ(table.fis[12] | table.fis[13] << 8, 0) << "65,536 blocks";
}

TEST_F(ahci_command, discards_cover_exactly_the_blocks)
{
        ahci_table table;

        for (const uint32_t blocks : {1U, 0xffffU, 0x10000U, 64U * 0xffff, 64U * 0xffff + 1, ~0U}) {
                const uint64_t first = (1ULL << 48) - blocks;
                uint64_t next = first;
                const uint32_t covered = ahci_set_discard(&table, first, blocks);

                EXPECT_EQ(covered, std::min(blocks, 64U * 0xffff));
                for (const uint64_t range : table.range)
                        if (range >> 48) {
                                EXPECT_EQ(range & ((1ULL << 48) - 1), next);
                                next += range >> 48;
                        } else {
                                EXPECT_EQ(range, 0U);
                        }
                EXPECT_EQ(next - first, covered);
                EXPECT_EQ(table.fis[2], AHCI_DISCARD);
                EXPECT_EQ(table.fis[3], 1);
                EXPECT_EQ(table.fis[12], 1);
        }
}

TEST_F(ahci_command, pieces_that_do_not_fit_are_refused)
{
        ahci_table table;

        memset(&table, 0x55, sizeof(table));
        EXPECT_FALSE(ahci_add_piece(&table, 0, 0x1000, 0));
        EXPECT_FALSE(ahci_add_piece(&table, 0, 0x1001, 512)) << "unaligned address";
        EXPECT_FALSE(ahci_add_piece(&table, 0, 0x1000, 511)) << "odd size";
        EXPECT_FALSE(ahci_add_piece(&table, 0, 0x1000, AHCI_PIECE_MAX + 2));
        EXPECT_EQ(table.piece[0].address, 0x5555555555555555U);
        for (unsigned i = 0; i < AHCI_PIECES; i++) {
                EXPECT_TRUE(ahci_add_piece(&table, i, 0x100001000, AHCI_PIECE_MAX));
                EXPECT_EQ(table.piece[i].address, 0x100001000U);
                EXPECT_EQ(table.piece[i].last, 0x3fffffU);
        }
        EXPECT_FALSE(ahci_add_piece(&table, AHCI_PIECES, 0x1000, 512));
        EXPECT_EQ(table.unused[0], 0x55);
}
