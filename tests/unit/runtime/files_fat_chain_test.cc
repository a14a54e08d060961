/* SPDX-License-Identifier: BSD-2-Clause */
/* Known places in the chains of large files: a read at any place needs few sectors of the table,
 * and no known place outlives its cluster. */
#include "files_fat.h"

namespace
{

const size_t piece = 4096;

struct files_fat_chain_test : testing::Test, mounted_disk {
        files_node *node = nullptr;
        std::mt19937 random{3};

        void open(const std::string &path)
        {
                ASSERT_EQ(create(path), 0);
                ASSERT_EQ(find(path, &node), 0);
        }

        void TearDown() override
        {
                if (node)
                        fat->release(node);
        }

        /* Makes content that differs from sector to sector and from call to call. */
        std::string numbered(size_t size)
        {
                const uint32_t salt = (uint32_t)random();
                std::string text(size, (char)salt);

                for (size_t i = 0; i + sizeof(uint32_t) <= size; i += 512) {
                        const uint32_t number = (uint32_t)(i / 512) ^ salt;

                        memcpy(&text[i], &number, sizeof(number));
                }
                return text;
        }

        /* Writes to the open file. @return its new content */
        void put(std::string &content, uint64_t offset, const std::string &data)
        {
                size_t done;

                ASSERT_EQ(fat->write(node, offset, data.data(), data.size(), &done), 0);
                ASSERT_EQ(done, data.size());
                if (content.size() < offset + data.size())
                        content.resize(offset + data.size());
                content.replace(offset, data.size(), data);
        }

        /* Reads pieces at any places. @return number of the disk's reads */
        uint64_t read_anywhere(const std::string &content, unsigned count)
        {
                const uint64_t before = memory.reads;
                std::string data(piece, 0);

                for (unsigned i = 0; i < count; i++) {
                        const size_t at = random() % (content.size() / piece) * piece;
                        size_t done;

                        EXPECT_EQ(fat->read(node, at, &data[0], piece, &done), 0);
                        EXPECT_TRUE(done == piece && !content.compare(at, piece, data)) << at;
                }
                return memory.reads - before;
        }
};

TEST_F(files_fat_chain_test, a_read_at_any_place_needs_few_sectors_of_the_table)
{
        const unsigned count = 1000;
        uint64_t reads;
        std::string content;

        memory.format("-F 16 -s 8", 80000);
        mount();
        open("large");
        put(content, 0, numbered(64 << 20));
        fat->release(node);
        remount();
        ASSERT_EQ(find("large", &node), 0);
        read_anywhere(content, 100); /* finds the places */
        reads = read_anywhere(content, count);
        RecordProperty("reads", (int)reads);
        EXPECT_LE(reads, count * 5 / 2) << "of data and of the table";
        EXPECT_GE(reads, count);
}

TEST_F(files_fat_chain_test, clusters_of_a_sector_are_found_within_few_sectors)
{
        const unsigned count = 300;
        uint64_t reads;
        std::string content;

        memory.format("-F 32 -s 1", 34000);
        mount();
        open("large");
        put(content, 0, numbered(24 << 20));
        read_anywhere(content, 30);
        reads = read_anywhere(content, count);
        RecordProperty("reads", (int)reads);
        EXPECT_LE(reads, count * 3);
}

TEST_F(files_fat_chain_test, places_end_with_their_clusters)
{
        std::string content, other;

        memory.format("-F 32 -s 1", 34000);
        mount();
        open("file");
        put(content, 0, numbered(4 << 20));
        read_anywhere(content, 50);
        for (size_t keep : {3u << 20, 1u << 20, 4096u * 3, 0u, 2u << 20}) {
                /* Another file takes the clusters that a shorter file gives up. */
                ASSERT_EQ(fat->resize(node, keep), 0);
                content.resize(keep);
                ASSERT_EQ(create("other"), 0);
                ASSERT_EQ(write("other", 0, numbered(2 << 20)), 0);
                put(content, content.size(), numbered(3 << 20));
                read_anywhere(content, 50);
                ASSERT_EQ(remove("other"), 0);
        }
        /* A second user of the file writes, and sees what the first one wrote. */
        other = numbered(piece);
        ASSERT_EQ(write("file", 2 << 20, other), 0);
        content.replace(2 << 20, piece, other);
        read_anywhere(content, 50);
        EXPECT_EQ(read("file"), content);
}

TEST_F(files_fat_chain_test, places_end_when_a_new_name_gets_a_copy)
{
        std::string content;

        memory.format("-F 32 -s 1", 34000);
        mount();
        open("file");
        put(content, 0, numbered(4 << 20));
        read_anywhere(content, 50);
        ASSERT_EQ(create("folder", true), 0);
        ASSERT_EQ(rename("file", "folder/file"), 0);
        ASSERT_EQ(create("other"), 0);
        ASSERT_EQ(write("other", 0, numbered(8 << 20)), 0);
        read_anywhere(content, 50);
        put(content, content.size(), numbered(piece));
        EXPECT_EQ(read("folder/file"), content);
        fat->release(node);
        node = nullptr;
        unmount();
        expect_clean();
}

/* Clients wait for each search, so a client that fills the disk must not make the service read the
 * whole table each time. */
TEST_F(files_fat_chain_test, a_full_table_is_searched_once)
{
        for (const char *options : {"-F 32 -s 1", "-F 16 -s 1"}) {
                const std::string sector(512, 's');
                uint64_t size = 0;
                size_t done;

                memory.format(options, 32000);
                mount();
                ASSERT_EQ(create("first"), 0);
                ASSERT_EQ(write("first", 0, sector), 0);
                open("file");
                for (; fat->write(node, size, sector.data(), 512, &done) == 0; size += 512)
                        if (size == 8 << 20) {
                                ASSERT_EQ(create("middle"), 0);
                                ASSERT_EQ(write("middle", 0, sector), 0);
                        }
                ASSERT_GT(size, 16U << 20);
                for (unsigned i = 0; i < 20; i++) {
                        const uint64_t before = memory.reads;

                        /* only the first cluster or one in the middle is free */
                        if (i % 2) {
                                const char *const name = i % 4 == 1 ? "first" : "middle";

                                ASSERT_EQ(resize(name, 0), 0);
                                ASSERT_EQ(write(name, 0, "new"), 0);
                        }
                        EXPECT_EQ(fat->write(node, size, sector.data(), 512, &done), ENOSPC);
                        if (i > 1) {
                                EXPECT_LT(memory.reads - before, 60U) << options << ' ' << i;
                        }
                }
                fat->release(node);
                node = nullptr;
                ASSERT_EQ(remove("file"), 0);
                ASSERT_EQ(create("whole"), 0);
                ASSERT_EQ(write("whole", 0, std::string(size, 'w')), 0)
                        << "all clusters are found again";
                unmount();
                expect_clean();
        }
}

} // namespace
