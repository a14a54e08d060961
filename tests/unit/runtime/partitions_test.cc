/* SPDX-License-Identifier: BSD-2-Clause */
/* Partition tables, intact and damaged. */
extern "C" {
#include "mbr.h"
#include "table.h"
}

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace
{

std::vector<uint8_t> image;
uint64_t reads;

bool read_block(uint64_t block, void *to)
{
        reads++;
        EXPECT_LT(block, image.size() / 512) << "no read outside of the disk";
        if (block >= image.size() / 512)
                return false;
        memcpy(to, &image[block * 512], 512);
        return true;
}

void put(uint64_t offset, uint64_t value, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                image.at(offset + i) = (uint8_t)(value >> 8 * i);
}

uint32_t crc(const uint8_t *bytes, size_t count)
{
        uint32_t sum = UINT32_MAX;

        for (size_t i = 0; i < count; i++) {
                sum ^= bytes[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
        }
        return ~sum;
}

struct table_test : testing::Test {
        static constexpr uint64_t blocks = 2048, last = blocks - 1;
        table result = {};

        void SetUp() override
        {
                image.assign(blocks * 512, 0);
                reads = 0;
        }

        /* Returns the sentence about an error, or "" if there is a table. */
        std::string read()
        {
                const table_disk disk = {image.size() / 512, 512, read_block};
                const char *wrong = table_read(&disk, &result);

                for (unsigned i = 0; !wrong && i < result.count; i++) {
                        const partition &p = result.partition[i];
                        EXPECT_GT(p.count, 0U);
                        EXPECT_LE(p.count, disk.blocks);
                        EXPECT_LE(p.first, disk.blocks - p.count);
                }
                return wrong ? wrong : "";
        }

        static void mbr_entry(uint64_t block, unsigned index, unsigned type, uint32_t first,
                              uint32_t count)
        {
                const uint64_t at = block * 512 + 446 + 16 * index;

                image.at(at + 4) = (uint8_t)type;
                put(at + 8, first, 4);
                put(at + 12, count, 4);
                image.at(block * 512 + 510) = 0x55;
                image.at(block * 512 + 511) = 0xaa;
        }

        static void gpt_entry(uint64_t entries, unsigned index, uint64_t first, uint64_t end,
                              const char *name)
        {
                const uint64_t at = entries * 512 + 128 * index;

                image.at(at) = 0x11;
                put(at + 32, first, 8);
                put(at + 40, end, 8);
                for (unsigned i = 0; name[i]; i++)
                        put(at + 56 + 2 * i, (uint8_t)name[i], 2);
        }

        /* Writes a header with valid checksums. */
        static void seal(uint64_t block, uint64_t entries)
        {
                const uint64_t at = block * 512;

                memcpy(&image.at(at), "EFI PART", 8);
                put(at + 8, 0x10000, 4);
                put(at + 12, 92, 4);
                put(at + 24, block, 8);
                put(at + 32, last + 1 - block, 8);
                put(at + 40, 34, 8);
                put(at + 48, last - 33, 8);
                put(at + 72, entries, 8);
                put(at + 80, 128, 4);
                put(at + 84, 128, 4);
                put(at + 88, crc(&image.at(entries * 512), 128 * 128), 4);
                sign(block);
        }

        static void sign(uint64_t block)
        {
                put(block * 512 + 16, 0, 4);
                put(block * 512 + 16, crc(&image.at(block * 512), 92), 4);
        }

        static void make_gpt()
        {
                mbr_entry(0, 0, 0xee, 1, last);
                for (const uint64_t entries : {(uint64_t)2, last - 32}) {
                        gpt_entry(entries, 0, 64, 163, "boot");
                        gpt_entry(entries, 2, 200, 299, "a log");
                }
                seal(1, 2);
                seal(last, last - 32);
        }
};

using gpt = table_test;
using mbr = table_test;

} // namespace

TEST_F(gpt, lists_the_partitions_with_their_names)
{
        make_gpt();
        ASSERT_EQ(read(), "");
        EXPECT_STREQ(result.kind, "GPT");
        EXPECT_EQ(result.note, nullptr);
        ASSERT_EQ(result.count, 2U);
        EXPECT_EQ(result.partition[0].number, 1U);
        EXPECT_EQ(result.partition[0].first, 64U);
        EXPECT_EQ(result.partition[0].count, 100U);
        EXPECT_STREQ(result.partition[0].name, "boot");
        EXPECT_EQ(result.partition[1].number, 3U);
        EXPECT_STREQ(result.partition[1].name, "a log");
}

TEST_F(gpt, is_found_without_the_protective_record)
{
        make_gpt();
        memset(image.data(), 0, 512);
        EXPECT_EQ(read(), "");
        EXPECT_EQ(result.count, 2U);
}

TEST_F(gpt, uses_the_header_at_the_end_if_the_first_is_damaged)
{
        for (unsigned offset = 0; offset < 92; offset++) {
                image.assign(image.size(), 0);
                make_gpt();
                image[512 + offset] ^= 0x10;
                ASSERT_EQ(read(), "") << offset;
                EXPECT_NE(result.note, nullptr) << offset;
                EXPECT_EQ(result.count, 2U);
        }
}

TEST_F(gpt, uses_the_entries_at_the_end_if_the_first_are_damaged)
{
        make_gpt();
        image[2 * 512 + 128 * 77 + 5] = 1;
        ASSERT_EQ(read(), "");
        EXPECT_NE(result.note, nullptr);
        EXPECT_EQ(result.count, 2U);
}

TEST_F(gpt, uses_the_entries_at_the_end_if_a_name_in_the_first_is_damaged)
{
        make_gpt();
        image[2 * 512 + 56] ^= 1; /* still a valid entry */
        ASSERT_EQ(read(), "");
        EXPECT_NE(result.note, nullptr);
}

TEST_F(gpt, is_refused_if_both_are_damaged)
{
        make_gpt();
        image[512] ^= 1;
        image[last * 512 + 40] ^= 1;
        EXPECT_EQ(read(), "there is no valid header.");
        EXPECT_EQ(result.count, 0U);
}

TEST_F(gpt, checks_each_field_of_a_header_with_a_valid_checksum)
{
        const struct {
                unsigned offset, bytes;
                uint64_t value;
        } wrong[] = {
                {8, 4, 0x20000},     {12, 4, 91},        {12, 4, 513},  {12, 4, 0xffffffff},
                {20, 4, 1},          {24, 8, 2},         {40, 8, 1},    {48, 8, last},
                {48, 8, UINT64_MAX}, {40, 8, last - 32}, {72, 8, 1},    {72, 8, last + 1},
                {72, 8, UINT64_MAX}, {72, 8, last - 10}, {72, 8, 100},  {80, 4, 0},
                {80, 4, 0xffffffff}, {80, 4, 1025},      {84, 4, 0},    {84, 4, 64},
                {84, 4, 127},        {84, 4, 192},       {84, 4, 1024}, {84, 4, 0x80000000},
        };

        for (const auto &row : wrong) {
                image.assign(image.size(), 0);
                make_gpt();
                image[last * 512] = 0; /* no second header */
                put(512 + row.offset, row.value, row.bytes);
                sign(1);
                EXPECT_NE(read(), "") << row.offset << " " << row.value;
                EXPECT_EQ(result.count, 0U);
        }
}

TEST_F(gpt, refuses_partitions_that_overlap_or_leave_the_usable_blocks)
{
        const uint64_t wrong[][2] = {{33, 40},          {2, 2},
                                     {400, last - 32},  {400, 399},
                                     {400, UINT64_MAX}, {UINT64_MAX, UINT64_MAX},
                                     {163, 170},        {0, UINT64_MAX},
                                     {100, 110},        {50, 400}};

        for (const auto &row : wrong) {
                image.assign(image.size(), 0);
                make_gpt();
                image[last * 512] = 0;
                gpt_entry(2, 5, row[0], row[1], "bad");
                seal(1, 2);
                EXPECT_NE(read(), "") << row[0] << " " << row[1];
        }
}

/* A client that may write the second copy of the table would control the partitions of all clients
 * if the first copy is damaged. */
TEST_F(gpt, gives_no_partition_a_part_of_the_copy_at_the_end)
{
        const auto make = [](uint64_t end) {
                image.assign(image.size(), 0);
                make_gpt();
                gpt_entry(2, 5, 400, end, "bad");
                seal(1, 2);
                put(512 + 48, last - 1, 8);
                sign(1);
        };

        make(last - 33);
        ASSERT_EQ(read(), "");
        EXPECT_EQ(result.note, nullptr);
        EXPECT_EQ(result.count, 3U);
        for (const uint64_t end : {last - 32, last - 1}) {
                make(end);
                ASSERT_EQ(read(), "") << "the copy has other partitions";
                EXPECT_NE(result.note, nullptr) << end;
                EXPECT_EQ(result.count, 2U) << end;
                image[last * 512] = 0;
                EXPECT_EQ(read(), "a partition contains a part of the other table.") << end;
        }
}

TEST_F(gpt, gives_no_partition_a_part_of_the_table_at_the_beginning)
{
        for (const uint64_t first : {2, 33, 34}) {
                make_gpt();
                gpt_entry(last - 32, 5, first, 40, "bad");
                seal(last, last - 32);
                put(last * 512 + 40, 2, 8);
                sign(last);
                image[512] = 0;
                EXPECT_EQ(read().empty(), first == 34) << first;
        }
}

TEST_F(gpt, gives_no_partition_a_part_of_a_copy_elsewhere)
{
        const struct {
                uint64_t first, end;
                bool whole, good;
        } rows[] = {
                {1450, 1467, false, true}, {1450, 1468, false, false}, {1500, 1500, false, false},
                {1501, 1600, false, true}, {1450, 1468, true, true},   {1500, 1500, true, false},
                {690, 699, true, true},    {690, 700, true, false},    {731, 740, true, false},
                {732, 740, true, true},    {690, 700, false, true},
        };

        for (const auto &row : rows) {
                image.assign(image.size(), 0);
                make_gpt();
                image[last * 512] = 0;
                gpt_entry(2, 5, row.first, row.end, "x");
                seal(1, 2);
                put(512 + 32, 1500, 8);
                sign(1);
                if (row.whole) {
                        seal(1500, 700);
                        put(1500 * 512 + 48, 600, 8);
                        sign(1500);
                }
                EXPECT_EQ(read().empty(), row.good) << row.first << " " << row.end;
        }
}

TEST_F(gpt, shows_other_characters_of_names_as_question_marks)
{
        make_gpt();
        gpt_entry(2, 6, 500, 600, "x");
        put(2 * 512 + 128 * 6 + 58, 0x2764, 2);
        put(2 * 512 + 128 * 6 + 60, '\033', 2);
        seal(1, 2);
        ASSERT_EQ(read(), "");
        EXPECT_STREQ(result.partition[2].name, "x??");
}

TEST_F(mbr, lists_primary_and_logical_partitions)
{
        mbr_entry(0, 0, 0x83, 100, 50);
        mbr_entry(0, 1, 0x0f, 200, 300);
        mbr_entry(0, 3, 0x0c, 600, 10);
        mbr_entry(200, 0, 0x83, 10, 20);
        mbr_entry(200, 1, 0x05, 100, 50);
        mbr_entry(300, 0, 0x83, 1, 49);
        ASSERT_EQ(read(), "");
        EXPECT_STREQ(result.kind, "MBR");
        ASSERT_EQ(result.count, 4U);
        EXPECT_EQ(result.partition[0].number, 1U);
        EXPECT_EQ(result.partition[1].number, 4U);
        EXPECT_EQ(result.partition[2].number, 5U);
        EXPECT_EQ(result.partition[2].first, 210U);
        EXPECT_EQ(result.partition[3].number, 6U);
        EXPECT_EQ(result.partition[3].first, 301U);
        EXPECT_EQ(result.partition[3].count, 49U);
}

/* Tools that remove a logical partition may leave its link empty. Linux counts partitions only. */
TEST_F(mbr, gives_no_number_to_an_empty_link)
{
        mbr_entry(0, 1, 0x0f, 200, 300);
        mbr_entry(200, 1, 0x05, 100, 50);
        mbr_entry(300, 0, 0x83, 1, 49);
        mbr_entry(300, 1, 0x05, 150, 50);
        mbr_entry(350, 1, 0x05, 200, 50);
        mbr_entry(400, 0, 0x83, 1, 49);
        ASSERT_EQ(read(), "");
        ASSERT_EQ(result.count, 2U);
        EXPECT_EQ(result.partition[0].number, 5U);
        EXPECT_EQ(result.partition[0].first, 301U);
        EXPECT_EQ(result.partition[1].number, 6U);
        EXPECT_EQ(result.partition[1].first, 401U);
}

TEST_F(mbr, refuses_a_partition_that_overlaps_another_or_ends_outside_the_disk)
{
        mbr_entry(0, 0, 0x83, 100, 50);
        mbr_entry(0, 1, 0x83, 149, 1);
        EXPECT_EQ(read(), "two partitions overlap.");
        mbr_entry(0, 1, 0x83, 2047, 2);
        EXPECT_EQ(read(), "a partition is empty or lies outside of the disk.");
        mbr_entry(0, 1, 0x83, 0xffffffff, 0xffffffff);
        EXPECT_NE(read(), "");
        mbr_entry(0, 1, 0x83, 0, 10);
        EXPECT_NE(read(), "");
        mbr_entry(0, 1, 0x83, 300, 0);
        EXPECT_NE(read(), "");
        mbr_entry(0, 1, 0x83, 300, 1);
        image[446 + 16] = 0x33;
        EXPECT_EQ(read(), "the first block has no partition table.");
}

/* A client that may write a link of the chain could change the partitions of others. */
TEST_F(mbr, gives_no_partition_a_part_of_the_chain)
{
        mbr_entry(0, 0, 0x0f, 200, 300);
        mbr_entry(200, 0, 0x83, 10, 20);
        mbr_entry(0, 1, 0x83, 499, 10);
        EXPECT_EQ(read(), "two partitions overlap.");
        mbr_entry(0, 1, 0x83, 100, 101);
        EXPECT_EQ(read(), "two partitions overlap.");
        mbr_entry(0, 1, 0x83, 500, 10);
        EXPECT_EQ(read(), "");
        mbr_entry(200, 1, 0x05, 100, 50);
        mbr_entry(300, 0, 0x83, 1, 49);
        mbr_entry(200, 0, 0x83, 10, 91);
        EXPECT_EQ(read(), "a partition contains a part of the chain of logical partitions.");
        mbr_entry(200, 0, 0x83, 10, 90);
        EXPECT_EQ(read(), "");
        /* The chain may lead back. */
        mbr_entry(300, 1, 0x05, 50, 60);
        mbr_entry(250, 0, 0x83, 51, 10);
        mbr_entry(200, 0, 0x83, 10, 10);
        mbr_entry(300, 0, 0x83, 20, 30);
        EXPECT_EQ(read(), "");
        mbr_entry(250, 0, 0x83, 50, 10);
        EXPECT_EQ(read(), "a partition contains a part of the chain of logical partitions.");
}

TEST_F(mbr, follows_no_endless_chain)
{
        mbr_entry(0, 0, 0x05, 200, 300);
        mbr_entry(200, 1, 0x05, 100, 50);
        mbr_entry(300, 1, 0x05, 100, 50);
        EXPECT_EQ(read(), "the chain of logical partitions does not end.");
        EXPECT_LT(reads, 200U);
        mbr_entry(300, 1, 0x05, 300, 50);
        EXPECT_EQ(read(), "the chain of logical partitions leads outside the extended partition.");
        mbr_entry(300, 1, 0x05, 0, 50);
        EXPECT_EQ(read(), "the chain of logical partitions leads outside the extended partition.");
        mbr_entry(300, 1, 0x05, 150, 50);
        EXPECT_EQ(read(), "the chain of logical partitions is broken.");
        mbr_entry(300, 1, 0, 0, 0);
        mbr_entry(300, 0, 0x83, 1, 200);
        EXPECT_NE(read(), "") << "a logical partition leaves the extended one";
}

TEST_F(mbr, is_refused_on_a_disk_without_partitions)
{
        EXPECT_NE(read(), "");
        image[510] = 0x55;
        image[511] = 0xaa;
        EXPECT_EQ(read(), "the table has no partition.");
        image.resize(512);
        EXPECT_NE(read(), "");
}

/* A damaged table gives partitions that lie on the disk, or a sentence about the error. */
TEST_F(gpt, damage_never_leads_outside_the_disk)
{
        std::mt19937 random(1);

        for (unsigned i = 0; i < 1000; i++) {
                image.assign(image.size(), 0);
                if (random() % 2) {
                        make_gpt();
                } else {
                        mbr_entry(0, 0, 0x83, 100, 50);
                        mbr_entry(0, 1, 0x0f, 200, 300);
                        mbr_entry(200, 0, 0x83, 10, 20);
                        mbr_entry(200, 1, 0x05, 100, 50);
                        mbr_entry(300, 0, 0x83, 1, 49);
                }
                for (unsigned n = random() % 6; n-- > 0;) {
                        const uint64_t block =
                                std::vector<uint64_t>{0, 1, 2, 200, 300, last}.at(random() % 6);
                        const unsigned at = block == 0 || block == 200 || block == 300
                                                    ? 446 + random() % 66
                                                    : random() % 128;

                        image.at(block * 512 + at) = (uint8_t)random();
                }
                if (random() % 2) {
                        put(512 + 88, crc(&image.at(1024), 128 * 128), 4);
                        sign(1);
                }
                reads = 0;
                read();
                ASSERT_LT(reads, 500U);
        }
}
