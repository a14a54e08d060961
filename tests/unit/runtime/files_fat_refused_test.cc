/* SPDX-License-Identifier: BSD-2-Clause */
/* The FAT file system on a disk that refuses writes of some sectors of its tables. */
#include "files_fat.h"

extern "C" {
#include "fat/fat.h"
}

namespace
{

constexpr unsigned FOLDERS = 24; /* more than the cache has sectors */

struct files_fat_refused_test : testing::TestWithParam<fat_kind>, mounted_disk {
        static std::string name(unsigned number)
        {
                return "folder " + std::to_string(number);
        }

        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
                for (unsigned i = 0; i < FOLDERS; i++) {
                        ASSERT_EQ(create(name(i), true), 0);
                        ASSERT_EQ(create(name(i) + "/file"), 0);
                        ASSERT_EQ(write(name(i) + "/file", 0, name(i)), 0);
                }
                remount();
        }

        /* Refuses writes of a copy of the table from now on. */
        void refuse(unsigned copy)
        {
                const struct fat *volume = (struct fat *)system;
                const uint64_t bytes = (uint64_t)volume->table_sectors * volume->sector_bytes;

                memory.refused = volume->table * (uint64_t)volume->sector_bytes + copy * bytes;
                memory.refused_end = memory.refused + bytes;
        }

        void expect_all()
        {
                for (unsigned i = 0; i < FOLDERS; i++)
                        EXPECT_EQ(read(name(i) + "/file"), name(i));
        }
};

TEST_P(files_fat_refused_test, others_read_their_files_while_the_table_cannot_be_written)
{
        files_node *node;
        size_t done;

        ASSERT_EQ(create("new"), 0);
        ASSERT_EQ(find("new", &node), 0);
        refuse(0);
        EXPECT_EQ(fat->write(node, 0, "text", 4, &done), 0);
        EXPECT_EQ(fat->sync(system, node), EIO);
        const uint64_t before = memory.writes;
        expect_all();
        expect_all();
        EXPECT_LE(memory.writes - before, 10U) << "a miss does not try again";
        memory.refused_end = 0;
        EXPECT_EQ(fat->sync(system, node), 0);
        fat->release(node);
        remount();
        EXPECT_EQ(read("new"), "text");
        expect_all();
        unmount();
        expect_clean();
}

TEST_P(files_fat_refused_test, only_sync_reports_that_the_second_table_cannot_be_written)
{
        files_node *node;

        refuse(1);
        ASSERT_EQ(create("new"), 0);
        ASSERT_EQ(write("new", 0, "text"), 0);
        ASSERT_EQ(create("more", true), 0);
        expect_all();
        ASSERT_EQ(find("new", &node), 0);
        EXPECT_EQ(fat->sync(system, node), EIO);
        EXPECT_EQ(fat->sync(system, node), 0) << "nothing has changed since";
        fat->release(node);
        memory.refused_end = 0;
        remount();
        EXPECT_EQ(read("new"), "text");
        expect_all();
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_refused_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
