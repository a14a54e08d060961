/* SPDX-License-Identifier: BSD-2-Clause */
/* Renames in the FAT file system that copy the file in parts. */
#include "files_fat.h"

extern "C" {
#include "fat/fat.h"
}

namespace
{

/* A file that a rename copies, and a file of another client. */
struct files_fat_rename_test : testing::TestWithParam<fat_kind>, mounted_disk {
        const std::string data = std::string(400000, 'd'), other = "other";
        files_node *node = nullptr;
        uint32_t free = 0;

        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
                ASSERT_EQ(create("folder", true), 0);
                ASSERT_EQ(write_new("other", other), 0);
                ASSERT_EQ(write_new("file", data), 0);
                ASSERT_EQ(fat_table_count((struct fat *)system), 0);
                free = ((struct fat *)system)->free;
                ASSERT_EQ(find("file", &node), 0);
        }

        /* Checks that all clusters of a copy that was given up are free. */
        void expect_no_copy()
        {
                EXPECT_EQ(((struct fat *)system)->free, free);
                unmount();
                expect_clean();
        }
};

TEST_P(files_fat_rename_test, a_call_copies_a_bounded_part)
{
        const uint64_t most = 2 * FILES_COPY_MAX / 512 + 128;
        unsigned parts = 0;
        int error;

        do {
                const uint64_t before = memory.reads + memory.writes;

                error = rename_part("file", "folder/file");
                EXPECT_LE(memory.reads + memory.writes - before, most) << parts;
                EXPECT_EQ(read(error ? "file" : "folder/file"), data);
                EXPECT_EQ(read(error ? "folder/file" : "file"), "absent");
                EXPECT_EQ(read("other"), other);
                parts++;
        } while (error == EINPROGRESS);
        EXPECT_EQ(error, 0);
        EXPECT_EQ(parts, 2U);
        fat->release(node);
        EXPECT_EQ(read("folder/file"), data);
        expect_no_copy();
}

TEST_P(files_fat_rename_test, a_copy_that_is_given_up_is_free_again)
{
        ASSERT_EQ(rename_part("file", "folder/file"), EINPROGRESS);
        EXPECT_LT(((struct fat *)system)->free, free);
        fat->release(node);
        EXPECT_EQ(read("file"), data);
        expect_no_copy();
}

TEST_P(files_fat_rename_test, a_file_that_is_removed_meanwhile_has_no_copy)
{
        ASSERT_EQ(rename_part("file", "folder/file"), EINPROGRESS);
        ASSERT_EQ(remove("file"), 0);
        EXPECT_EQ(rename_part("file", "folder/file"), ENOENT);
        fat->release(node);
        free += (uint32_t)((data.size() + ((struct fat *)system)->cluster_bytes - 1) /
                           ((struct fat *)system)->cluster_bytes);
        expect_no_copy();
}

/* A client that writes again and again cannot keep a rename from its end. */
TEST_P(files_fat_rename_test, a_write_meanwhile_ends_the_copy_and_the_rename_makes_none)
{
        size_t done;

        for (const bool shrinks : {false, true}) {
                const std::string from = shrinks ? "folder/file" : "file";
                const std::string to = shrinks ? "file" : "folder/file";

                ASSERT_EQ(rename_part(from, to), EINPROGRESS);
                if (shrinks) {
                        ASSERT_EQ(fat->resize(node, data.size() - 1), 0);
                } else {
                        ASSERT_EQ(fat->write(node, 7, "w", 1, &done), 0);
                }
                EXPECT_EQ(((struct fat *)system)->free, free);
                EXPECT_EQ(rename_part(from, to), 0);
        }
        fat->release(node);
        EXPECT_EQ(read("file"), data.substr(0, 7) + "w" + data.substr(8, data.size() - 9));
        expect_no_copy();
}

TEST_P(files_fat_rename_test, a_full_disk_ends_the_copy)
{
        struct fat *const of = (struct fat *)system;
        uint32_t cluster, first = 0, last = 0;

        ASSERT_EQ(rename_part("file", "folder/file"), EINPROGRESS);
        while (fat_table_allocate(of, &cluster) == 0) {
                ASSERT_EQ(last ? fat_table_link(of, last, cluster) : 0, 0);
                first = first ? first : cluster;
                last = cluster;
        }
        EXPECT_EQ(rename_part("file", "folder/file"), ENOSPC);
        ASSERT_EQ(fat_table_free(of, first), 0);
        EXPECT_EQ(of->free, free);
        EXPECT_EQ(read("file"), data);
        ASSERT_EQ(rename("file", "folder/file"), 0);
        fat->release(node);
        EXPECT_EQ(read("folder/file"), data);
        expect_no_copy();
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_rename_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
