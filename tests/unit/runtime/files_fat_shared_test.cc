/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of the FAT file system that have two names after a failed rename without a copy. */
#include "files_fat.h"

extern "C" {
#include "fat/fat.h"
}

namespace
{

constexpr unsigned CHAINS = 8; /* that the file system remembers */

/* A file whose rename to "folder/file" leaves both names. */
struct files_fat_shared_test : testing::TestWithParam<fat_kind>, mounted_disk {
        std::string data = std::string(30000, 'd');
        uint32_t free = 0; /* number of free clusters without the file */

        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
                ASSERT_EQ(create("folder", true), 0);
                free = count_free();
                ASSERT_EQ(write_new("file", data), 0);
        }

        /* Renames a file as if a write had ended its copy, so that this rename makes none. */
        int rename_uncopied(const std::string &from, const std::string &to)
        {
                files_node *node;

                EXPECT_EQ(find(from, &node), 0);
                ((struct fat_node *)node)->copy_lost = true;
                const int error = rename_part(from, to);
                fat->release(node);
                return error;
        }

        /* The disk takes the new name, and then refuses all writes, or does not answer. */
        void leave_two(bool unknown, const std::string &from = "file",
                       const std::string &to = "folder/file")
        {
                (unknown ? memory.death_left : memory.writes_left) = unknown ? 0 : 1;
                EXPECT_EQ(rename_uncopied(from, to), EIO);
                EXPECT_EQ(memory.dead, unknown);
                memory.death_left = memory.writes_left = -1;
                memory.dead = false;
                EXPECT_TRUE(read(from) == data);
                EXPECT_TRUE(read(to) == data);
        }

        /* Fills the disk with the file "next", which must have no cluster of another file. */
        void fill()
        {
                create("next");
                write("next", 0, std::string(memory.bytes.size(), 'n'));
                EXPECT_EQ(read("next").find_first_not_of('n'), std::string::npos);
        }

        bool is_damaged(const std::string &path)
        {
                files_about about = {};
                files_node *node;

                EXPECT_EQ(find(path, &node), 0);
                EXPECT_EQ(fat->stat(node, &about), 0);
                fat->release(node);
                return about.damaged;
        }

        /* Checks that the file has only this name: the file can be written, and its removal frees
         * all of its clusters. */
        void expect_only(const std::string &path)
        {
                fill();
                EXPECT_TRUE(read(path) == data);
                ASSERT_EQ(remove("next"), 0);
                EXPECT_FALSE(is_damaged(path));
                EXPECT_EQ(write(path, 0, "d"), 0);
                EXPECT_EQ(remove(path), 0);
                EXPECT_EQ(count_free(), free);
                ASSERT_EQ(fat->sync(system, nullptr), 0);
                expect_clean();
                ASSERT_EQ(write_new("file", data), 0);
        }
};

TEST_P(files_fat_shared_test, the_removal_of_one_name_leaves_the_other_one_its_clusters)
{
        for (const bool unknown : {false, true})
                for (const std::string removed : {"file", "folder/file"}) {
                        SCOPED_TRACE(removed + std::to_string(unknown));
                        leave_two(unknown);
                        ASSERT_EQ(remove(removed), 0);
                        expect_only(removed == "file" ? "folder/file" : "file");
                }
}

TEST_P(files_fat_shared_test, no_name_can_be_written_while_another_one_has_the_chain)
{
        for (const bool unknown : {false, true})
                for (const std::string path : {"file", "folder/file"}) {
                        leave_two(unknown);
                        EXPECT_TRUE(is_damaged(path));
                        EXPECT_EQ(resize(path, 0), EIO);
                        EXPECT_EQ(resize(path, data.size() + 1), EIO);
                        EXPECT_EQ(write(path, 0, "x"), EIO);
                        EXPECT_EQ(write(path, data.size(), "x"), EIO);
                        EXPECT_TRUE(read("file") == data);
                        EXPECT_TRUE(read("folder/file") == data);
                        ASSERT_EQ(remove("file"), 0);
                        expect_only("folder/file");
                }
}

TEST_P(files_fat_shared_test, a_file_in_use_is_lost_if_its_new_name_cannot_be_taken_back)
{
        files_node *node;
        size_t done;

        ASSERT_EQ(find("file", &node), 0);
        leave_two(false);
        EXPECT_EQ(fat->write(node, 0, "x", 1, &done), EIO);
        ASSERT_EQ(remove("folder/file"), 0);
        EXPECT_EQ(fat->write(node, 0, "x", 1, &done), EIO);
        fat->release(node);
        expect_only("file");
}

TEST_P(files_fat_shared_test, a_repeated_rename_leaves_one_name_that_can_be_written)
{
        for (const bool unknown : {false, true})
                for (const bool back : {false, true}) {
                        leave_two(unknown);
                        if (back) {
                                ASSERT_EQ(rename("folder/file", "file"), 0);
                        } else {
                                ASSERT_EQ(rename("file", "folder/file"), 0);
                        }
                        EXPECT_EQ(read(back ? "folder/file" : "file"), "absent");
                        expect_only(back ? "file" : "folder/file");
                }
}

/* The disk has taken only one of the two writes, and does not tell which. */
TEST_P(files_fat_shared_test, a_name_that_is_alone_can_be_written_after_an_unknown_result)
{
        const size_t large = GetParam().name == std::string("fat12") ? 30000 : 17 << 20;

        data.resize(large, 'd');
        for (const bool erased : {false, true})
                for (const bool replaces : {false, true}) {
                        if (erased && replaces)
                                continue; /* the clusters of the replaced file are lost */
                        SCOPED_TRACE(testing::Message() << erased << replaces);
                        ASSERT_EQ(write("file", 0, data), 0);
                        if (replaces) {
                                ASSERT_EQ(write_new("folder/file", "replaced"), 0);
                        }
                        ASSERT_EQ(fat->sync(system, nullptr), 0);

                        const std::vector<uint8_t> before = memory.bytes;

                        memory.death_left = erased;
                        EXPECT_EQ(rename_uncopied("file", "folder/file"), EIO);
                        EXPECT_TRUE(memory.dead);
                        memory.death_left = -1;
                        EXPECT_EQ(read("folder/file"), "absent") << "the disk does not answer";
                        memory.dead = false;
                        if (!erased) {
                                memory.bytes = before;
                                ASSERT_EQ(write("file", 0, "d"), 0);
                                ASSERT_EQ(rename("file", "folder/file"), 0);
                        }
                        EXPECT_EQ(read("file"), "absent");
                        expect_only("folder/file");
                }
}

TEST_P(files_fat_shared_test, the_removal_of_the_only_name_after_an_unknown_result_frees_the_chain)
{
        for (const bool erased : {false, true}) {
                ASSERT_EQ(fat->sync(system, nullptr), 0);

                const std::vector<uint8_t> before = memory.bytes;

                memory.death_left = erased;
                EXPECT_EQ(rename_uncopied("file", "folder/file"), EIO);
                memory.death_left = -1;
                memory.dead = false;
                if (!erased)
                        memory.bytes = before;
                ASSERT_EQ(remove(erased ? "folder/file" : "file"), 0);
                EXPECT_EQ(count_free(), free);
                ASSERT_EQ(write_new("file", data), 0);
        }
}

TEST_P(files_fat_shared_test, a_third_name_gets_a_copy_or_none)
{
        for (const bool unknown : {false, true}) {
                leave_two(unknown);
                EXPECT_EQ(rename_uncopied("file", "folder/b"), EIO);
                EXPECT_EQ(read("folder/b"), "absent");
                ASSERT_EQ(rename("file", "folder/b"), 0);
                EXPECT_EQ(write("folder/b", 0, "x"), 0);
                EXPECT_TRUE(read("folder/file") == data);
                ASSERT_EQ(remove("folder/b"), 0);
                expect_only("folder/file");
        }
}

/* The new name moves within its sector, and is absent when the rename is repeated. */
TEST_P(files_fat_shared_test, a_name_that_moves_keeps_its_share_of_the_chain)
{
        leave_two(false);
        ASSERT_EQ(rename("folder/file", "folder/b"), 0);
        EXPECT_EQ(write("folder/b", 0, "x"), EIO);
        EXPECT_EQ(rename_uncopied("file", "folder/file"), EIO);
        ASSERT_EQ(remove("file"), 0);
        expect_only("folder/b");
}

TEST_P(files_fat_shared_test, a_removed_file_in_use_counts_as_a_name)
{
        for (const bool both : {false, true}) {
                files_node *node;
                std::string text(data.size(), 0);
                size_t done;

                leave_two(false);
                ASSERT_EQ(find("file", &node), 0);
                ASSERT_EQ(remove("file"), 0);
                if (both) {
                        ASSERT_EQ(remove("folder/file"), 0);
                        fill();
                        EXPECT_EQ(fat->read(node, 0, &text[0], text.size(), &done), 0);
                        EXPECT_TRUE(text == data);
                        ASSERT_EQ(remove("next"), 0);
                } else {
                        EXPECT_EQ(resize("folder/file", 0), EIO);
                }
                fat->release(node);
                if (!both)
                        expect_only("folder/file");
        }
        EXPECT_EQ(count_free(), free);
}

TEST_P(files_fat_shared_test, another_file_may_replace_one_of_the_names)
{
        leave_two(false);
        ASSERT_EQ(write_new("other", "other"), 0);
        ASSERT_EQ(rename("other", "folder/file"), 0);
        EXPECT_EQ(read("folder/file"), "other");
        ASSERT_EQ(remove("folder/file"), 0);
        expect_only("file");
}

/* Like a failed rename, a loss of power can leave two names. */
TEST_P(files_fat_shared_test, a_failed_rename_remembers_two_names_of_an_earlier_mount)
{
        leave_two(false);
        remount();
        leave_two(false);
        ASSERT_EQ(remove("file"), 0);
        expect_only("folder/file");
}

TEST_P(files_fat_shared_test, one_chain_too_many_makes_the_file_system_read_only)
{
        files_node *open;
        size_t done;

        data.resize(3000);
        ASSERT_EQ(resize("file", data.size()), 0);
        ASSERT_EQ(create("open"), 0);
        ASSERT_EQ(find("open", &open), 0);
        for (unsigned i = 0; i <= CHAINS; i++) {
                const std::string from = "F" + std::to_string(i), to = "folder/" + from;

                ASSERT_EQ(write_new(from, data), 0) << i;
                EXPECT_FALSE(system->read_only) << i;
                leave_two(i % 2, from, to);
        }
        EXPECT_TRUE(system->read_only);
        EXPECT_EQ(create("new"), EROFS);
        EXPECT_EQ(remove("F0"), EROFS);
        EXPECT_EQ(rename("file", "new"), EROFS);
        EXPECT_EQ(write("file", 0, "x"), EROFS);
        EXPECT_EQ(fat->write(open, 0, "x", 1, &done), EROFS);
        EXPECT_EQ(fat->resize(open, 1), EROFS);
        fat->release(open);
        EXPECT_TRUE(read("file") == data);
        remount();
        EXPECT_EQ(create("new"), 0);
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_shared_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
