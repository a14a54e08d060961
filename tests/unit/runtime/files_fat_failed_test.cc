/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of names under the FAT file system while the disk fails: no two files get one cluster,
 * and no new file gets the place of another one. */
#include "files_fat.h"

#include <functional>

extern "C" {
#include "fat/fat.h"
}

namespace
{

/* A file in use that has the name "file" or "folder/file". */
struct files_fat_failed_test : testing::TestWithParam<fat_kind>, mounted_disk {
        std::string data = std::string(400000, 'd');
        files_node *node = nullptr;
        uint32_t free = 0;

        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
                ASSERT_EQ(create("folder", true), 0);
                ASSERT_EQ(write_new("file", data), 0);
                free = count_free();
                ASSERT_EQ(find("file", &node), 0);
        }

        void TearDown() override
        {
                if (node)
                        fat->release(node);
        }

        /* Fills the disk with the file "next", which must have no cluster of another file. */
        void fill()
        {
                create("next");
                write("next", 0, std::string(memory.bytes.size(), 'n'));
                EXPECT_EQ(read("next").find_first_not_of('n'), std::string::npos);
        }

        /* Writes to the file during a rename, so that the next rename makes no copy. */
        void lose_copy(const std::string &from, const std::string &to)
        {
                size_t done;

                ASSERT_EQ(rename_part(from, to), EINPROGRESS);
                ASSERT_EQ(fat->write(node, 0, "d", 1, &done), 0);
                ASSERT_EQ(fat->sync(system, node), 0);
        }

        /* Refuses the next write of a sector. */
        void refuse_once(uint32_t sector)
        {
                const uint32_t bytes = ((struct fat *)system)->sector_bytes;

                memory.refused = sector * (uint64_t)bytes;
                memory.refused_end = memory.refused + bytes;
                memory.refusals_left = 1;
        }

        /* Closes and opens the file, because it is lost after a rename that has left both names. */
        void reopen(const std::string &path)
        {
                fat->release(node);
                node = nullptr;
                ASSERT_EQ(find(path, &node), 0);
        }

        /* Checks that only one name has the file, and that a new file gets other clusters. */
        void expect_name(const std::string &path, const std::string &absent)
        {
                EXPECT_EQ(read(absent), "absent");
                ASSERT_EQ(
                        write_new("next", std::string(std::min(data.size(), size_t{400000}), 'n')),
                        0);
                EXPECT_TRUE(read(path) == data);
                ASSERT_EQ(remove("next"), 0);
        }

        /* Like expect_name(), and checks that no cluster is lost. */
        void expect_one(const std::string &path, const std::string &absent)
        {
                expect_name(path, absent);
                EXPECT_EQ(count_free(), free);
                ASSERT_EQ(fat->sync(system, nullptr), 0);
                expect_clean();
        }
};

/* The disk fails at each of the steps, and at all that follow it. */
TEST_P(files_fat_failed_test, a_rename_without_a_copy_may_be_repeated)
{
        for (long *const limit : {&memory.writes_left, &memory.flushes_left}) {
                int error = EIO;

                for (long steps = 0; error && !HasFailure(); steps++) {
                        SCOPED_TRACE(steps);
                        lose_copy("file", "folder/file");
                        *limit = steps;
                        error = rename_part("file", "folder/file");
                        *limit = -1;
                        if (error && read("file") != "absent") {
                                ASSERT_EQ(rename("file", "folder/file"), 0);
                        }
                        reopen("folder/file");
                        expect_one("folder/file", "file");
                        ASSERT_EQ(rename("folder/file", "file"), 0);
                }
        }
}

TEST_P(files_fat_failed_test, a_rename_without_a_copy_takes_the_new_name_back)
{
        for (const bool replaces : {false, true}) {
                lose_copy("file", "folder/file");
                if (replaces) {
                        ASSERT_EQ(write_new("folder/file", "replaced"), 0);
                }
                refuse_once(((struct fat_node *)node)->sector);
                EXPECT_EQ(rename_part("file", "folder/file"), EIO);
                EXPECT_EQ(memory.refusals_left, 0);
                EXPECT_EQ(read("folder/file"), replaces ? "replaced" : "absent");
                if (replaces) {
                        ASSERT_EQ(remove("folder/file"), 0);
                }
                expect_one("file", "folder/file");
        }
}

/* Each write of a rename in turn takes effect on the disk, but reports an error. If the error is of
 * the table, clusters of the replaced file may stay marked. */
TEST_P(files_fat_failed_test, a_rename_leaves_one_name_although_a_write_with_an_error_took_effect)
{
        struct {
                const char *to;
                bool replaces, lost;
        } const ways[] = {{"other", false, false},       {"other", true, false},
                          {"folder/file", false, false}, {"folder/file", true, false},
                          {"folder/file", false, true},  {"folder/file", true, true}};

        for (const auto &way : ways) {
                bool all = false;

                data.resize(way.lost ? 400000 : 3000, 'd'); /* a copy has a write per sector */
                ASSERT_EQ(resize("file", 0), 0);
                ASSERT_EQ(write("file", 0, data), 0);
                for (long steps = 0; !all && !HasFailure(); steps++) {
                        SCOPED_TRACE(testing::Message()
                                     << way.to << way.replaces << way.lost << " write " << steps);
                        if (way.replaces) {
                                ASSERT_EQ(write_new(way.to, "replaced"), 0);
                        }
                        if (way.lost)
                                lose_copy("file", way.to);
                        ASSERT_EQ(fat->sync(system, nullptr), 0);
                        memory.good_reports_left = steps;
                        const int error = rename("file", way.to);
                        all = memory.good_reports_left >= 0;
                        memory.good_reports_left = -1;
                        if (read("file") == "absent") {
                                expect_name(way.to, "file");
                                ASSERT_EQ(rename(way.to, "file"), 0);
                        } else {
                                EXPECT_NE(error, 0);
                                EXPECT_EQ(read(way.to), way.replaces ? "replaced" : "absent");
                                if (way.replaces) {
                                        ASSERT_EQ(remove(way.to), 0);
                                }
                                expect_name("file", way.to);
                        }
                }
        }
}

/* Checks that no entry names a free cluster or a cluster of another file. Clusters may be lost. */
static void expect_sound(memory_disk &memory)
{
        const auto result = memory.check();

        for (const char *word : {"free cluster", "share", "Bad", "Truncating", "beyond", "start"})
                EXPECT_EQ(result.second.find(word), std::string::npos) << result.second;
}

/* A write takes effect, but the disk answers neither this write nor anything after it for a while.
 * Then all free clusters and places get used. */
TEST_P(files_fat_failed_test, a_change_with_an_unknown_result_gives_no_cluster_to_two_files)
{
        const std::vector<std::function<int()>> changes = {
                [&] { return create("made", true); },
                [&] { return create("a long name of a new file"); },
                [&] { return remove("file"); },
                [&] { return rename("file", "other"); },
                [&] { return rename("file", "old"); },
                [&] { return rename("file", "folder/file"); },
                [&] { return rename("file", "folder/old"); },
        };

        const std::string next = "the next file with a long name ";
        size_t done;

        if (GetParam().name == std::string("fat32"))
                return; /* filling it takes minutes; only the table differs from FAT16's */
        data.resize(3000);
        fat->release(node);
        node = nullptr;
        ASSERT_EQ(resize("file", data.size()), 0);
        ASSERT_EQ(write_new("old", "replaced"), 0);
        ASSERT_EQ(write_new("folder/old", "replaced"), 0);
        unmount();
        const std::vector<uint8_t> before = memory.bytes;
        for (size_t change = 0; change < changes.size(); change++) {
                bool all = false;

                for (long steps = 0; !all && !HasFailure(); steps++) {
                        SCOPED_TRACE(testing::Message() << change << " write " << steps);
                        memory.bytes = before;
                        mount();
                        ASSERT_EQ(find("file", &node), 0);
                        memory.death_left = steps;
                        const int error = changes[change]();
                        all = memory.death_left >= 0;
                        memory.death_left = -1;
                        EXPECT_EQ(error != 0, memory.dead);
                        memory.dead = false;
                        for (unsigned i = 0; i < 8; i++) {
                                ASSERT_EQ(create(next + std::to_string(i)), 0);
                                EXPECT_EQ(read(next + std::to_string(i)), "");
                        }
                        /* the node of an erased entry writes to no entry of another name */
                        fat->write(node, 0, "d", 1, &done);
                        fat->sync(system, node);
                        write(next + "0", 0, std::string(memory.bytes.size(), 'n'));
                        fat->release(node);
                        node = nullptr;
                        for (unsigned i = 1; i < 8; i++)
                                EXPECT_EQ(read(next + std::to_string(i)), "");
                        fat->sync(system, nullptr);
                        unmount();
                        expect_sound(memory);
                }
        }
        mount();
}

/* The next write takes effect, but its result stays unknown. */
#define EXPECT_UNKNOWN(call)              \
        do {                              \
                memory.death_left = 0;    \
                EXPECT_EQ(call, EIO);     \
                EXPECT_TRUE(memory.dead); \
                memory.death_left = -1;   \
                memory.dead = false;      \
        } while (0)

TEST_P(files_fat_failed_test, a_file_in_use_keeps_its_clusters_without_a_name_of_an_unknown_rename)
{
        const std::vector<std::function<void()>> removes = {
                [&] { ASSERT_EQ(remove("folder/file"), 0); },
                [&] {
                        ASSERT_EQ(rename("file", "folder/b"), 0);
                        ASSERT_EQ(rename("folder/b", "c"), 0);
                        ASSERT_EQ(rename("folder/file", "file"), 0);
                },
        };

        for (const auto &remove_one : removes) {
                lose_copy("file", "folder/file");
                EXPECT_UNKNOWN(rename_part("file", "folder/file"));
                remove_one();
                fill();
                EXPECT_TRUE(read("file") == data);
                fat->release(node);
                node = nullptr;
                ASSERT_EQ(remove("next"), 0);
                ASSERT_EQ(find("file", &node), 0);
        }
}

TEST_P(files_fat_failed_test, a_file_in_use_is_lost_after_an_unknown_rename_in_its_sector)
{
        size_t done;

        EXPECT_UNKNOWN(rename("file", "OTHER"));
        EXPECT_EQ(fat->resize(node, 0), EIO);
        EXPECT_EQ(fat->write(node, 0, "x", 1, &done), EIO);
        EXPECT_EQ(fat->sync(system, node), EIO);
        EXPECT_TRUE(read("OTHER") == data);
        ASSERT_EQ(remove("OTHER"), 0);
        fill();
}

/* After a rename with an unknown result, the entry of the replaced file may be the only one of the
 * renamed file. */
TEST_P(files_fat_failed_test, a_file_in_use_is_lost_after_an_unknown_rename_to_its_name)
{
        for (const std::string to : {"other", "folder/other"}) {
                files_node *used;
                size_t done;

                ASSERT_EQ(write_new(to, "replaced"), 0);
                ASSERT_EQ(find(to, &used), 0);
                ASSERT_EQ(fat->sync(system, nullptr), 0);
                ((struct fat_node *)node)->copy_lost = true;
                EXPECT_UNKNOWN(rename_part("file", to));
                EXPECT_EQ(fat->write(used, 0, "x", 1, &done), EIO);
                EXPECT_EQ(fat->sync(system, used), EIO);
                fat->release(used);
                fat->release(node);
                node = nullptr;
                EXPECT_TRUE(read(to) == data);
                if (to == "other") {
                        ASSERT_EQ(rename(to, "file"), 0);
                        ASSERT_EQ(find("file", &node), 0);
                }
        }
}

/* The folder can be removed under its new name, and a file of another client gets its cluster. */
TEST_P(files_fat_failed_test, a_folder_in_use_is_not_listed_after_an_unknown_rename)
{
        char name[FILES_NAME_SIZE];
        files_node *folder, *found;
        uint64_t position = 0;
        files_about about;

        ASSERT_EQ(create("folder/name"), 0);
        ASSERT_EQ(find("folder", &folder), 0);
        EXPECT_UNKNOWN(rename("folder", "FOLDER2"));
        EXPECT_EQ(fat->list(folder, &position, name, &about), EIO);
        EXPECT_EQ(fat->lookup(folder, "name", &found), EIO);
        EXPECT_EQ(list("FOLDER2"), std::set<std::string>{"name"});
        EXPECT_EQ(fat->release(folder), EIO);
}

TEST_P(files_fat_failed_test, a_lost_file_keeps_no_other_file_from_the_disk)
{
        files_node *other;
        size_t done;

        ASSERT_EQ(create("other"), 0);
        ASSERT_EQ(find("other", &other), 0);
        ASSERT_EQ(fat->write(other, 0, "text", 4, &done), 0);
        ASSERT_EQ(fat->sync(system, node), 0);
        fat->release(node);
        ASSERT_EQ(find("file", &node), 0); /* now it is the first of the nodes */
        EXPECT_UNKNOWN(rename("file", "OTHER2"));
        EXPECT_EQ(fat->sync(system, nullptr), EIO);
        fat->release(node);
        node = nullptr;

        const std::vector<uint8_t> disk = memory.bytes;

        fat->release(other);
        unmount();
        memory.bytes = disk;
        mount();
        EXPECT_EQ(read("other"), "text");
}

TEST_P(files_fat_failed_test, the_last_release_of_a_file_reports_its_lost_changes)
{
        files_node *again;
        size_t done;

        for (long *const limit : {&memory.writes_left, &memory.flushes_left}) {
                ASSERT_EQ(find("file", &again), 0);
                ASSERT_EQ(fat->write(node, data.size(), "more", 4, &done), 0);
                EXPECT_EQ(fat->release(again), 0) << "the file is still in use";
                *limit = 0;
                EXPECT_EQ(fat->release(node), EIO);
                *limit = -1;
                ASSERT_EQ(find("file", &node), 0);
                EXPECT_TRUE(read("file") == data) << "the entry has the old size";
                EXPECT_EQ(fat->sync(system, nullptr), 0);
        }
}

/* The flush is at the release, because no other file is in use. */
TEST_P(files_fat_failed_test, the_release_of_a_new_folder_reports_a_failed_flush)
{
        files_node *root, *made;

        fat->release(node);
        node = nullptr;
        ASSERT_EQ(fat->root(system, &root), 0);
        ASSERT_EQ(fat->create(root, "made", true, &made), 0);
        ASSERT_EQ(fat->release(root), 0);
        memory.flushes_left = 0;
        EXPECT_EQ(fat->release(made), EIO);
        memory.flushes_left = -1;
}

TEST_P(files_fat_failed_test, a_file_of_an_unknown_remove_writes_to_no_other_file)
{
        files_node *kept;
        size_t done;

        ASSERT_EQ(create("gone", true), 0);
        ASSERT_EQ(write_new("gone/a", "d"), 0);
        ASSERT_EQ(find("gone/a", &kept), 0);
        ASSERT_EQ(fat->sync(system, nullptr), 0);
        EXPECT_UNKNOWN(remove("gone/a"));
        ASSERT_EQ(remove("gone", true), 0);
        create("next");
        fat->write(kept, 0, "x", 1, &done);
        fat->sync(system, kept);
        fill();
        fat->release(kept);
        EXPECT_EQ(read("next").find_first_not_of('n'), std::string::npos);
}

TEST_P(files_fat_failed_test, a_name_of_an_unknown_create_is_a_file_of_its_own)
{
        EXPECT_UNKNOWN(remove("file"));
        EXPECT_UNKNOWN(create("gile"));
        EXPECT_EQ(read("gile"), "");
}

TEST_P(files_fat_failed_test, a_folder_that_is_refused_leaves_no_cluster_after_an_unknown_result)
{
        memory.death_left = 0;
        EXPECT_EQ(create("next"), EIO);
        memory.death_left = -1;
        memory.dead = false;
        free = count_free();
        EXPECT_EQ(create(std::string(200, 'l'), true), ENAMETOOLONG);
        EXPECT_EQ(count_free(), free);
}

TEST_P(files_fat_failed_test, a_large_file_keeps_its_clusters_when_its_rename_is_repeated)
{
        const size_t bytes = 17 << 20;

        if (GetParam().kib * 1024UL < bytes)
                return;
        ASSERT_EQ(write("file", data.size(), std::string(bytes - data.size(), 'l')), 0);
        data += std::string(bytes - data.size(), 'l');
        ASSERT_EQ(fat->sync(system, node), 0);
        free = count_free();
        refuse_once(((struct fat_node *)node)->sector);
        EXPECT_EQ(rename_part("file", "folder/file"), EIO);
        EXPECT_EQ(rename_part("file", "folder/file"), 0);
        expect_one("folder/file", "file");
}

/* A loss of power during a rename without a copy can leave both names. */
TEST_P(files_fat_failed_test, a_name_of_the_same_file_is_replaced_only_while_it_is_not_in_use)
{
        files_node *other;

        lose_copy("file", "folder/file");
        memory.writes_left = 1; /* the new name */
        EXPECT_EQ(rename_part("file", "folder/file"), EIO);
        memory.writes_left = -1;
        ASSERT_EQ(find("folder/file", &other), 0);
        EXPECT_EQ(rename_part("file", "folder/file"), EBUSY);
        fat->release(other);
        ASSERT_EQ(rename_part("file", "folder/file"), 0);
        reopen("folder/file");
        expect_one("folder/file", "file");
}

/* The place of a removed file in its folder is free for a new file. */
TEST_P(files_fat_failed_test, a_removed_file_leaves_its_place_although_the_flush_fails)
{
        files_node *next;
        size_t done;

        memory.flushes_left = 0;
        EXPECT_EQ(remove("file"), EIO);
        memory.flushes_left = -1;
        ASSERT_EQ(create("next"), 0);
        ASSERT_EQ(find("next", &next), 0);
        EXPECT_EQ(((struct fat_node *)next)->slot, ((struct fat_node *)node)->slot);
        EXPECT_NE(next, node);
        fat->release(next);
        EXPECT_EQ(fat->write(node, 0, "x", 1, &done), 0);
        EXPECT_EQ(read("next"), "");
        fat->release(node);
        node = nullptr;
        ASSERT_EQ(remove("next"), 0);
        EXPECT_EQ(read("file"), "absent");
        EXPECT_GT(count_free(), free);
        ASSERT_EQ(fat->sync(system, nullptr), 0);
        expect_clean();
}

TEST_P(files_fat_failed_test, the_clusters_of_a_removed_file_stay_if_the_disk_may_still_name_them)
{
        memory.flushes_left = 0;
        EXPECT_EQ(remove("file"), EIO);
        fat->release(node);
        node = nullptr;
        EXPECT_EQ(count_free(), free);
        memory.flushes_left = -1;
}

/* The replaced file is in use, in the folder of the old name or in another one. */
TEST_P(files_fat_failed_test, a_replaced_file_leaves_its_name_although_the_rename_fails)
{
        for (const std::string to : {"new", "folder/new"}) {
                files_node *used;
                size_t done;

                ASSERT_EQ(write_new(to, "replaced"), 0);
                ASSERT_EQ(find(to, &used), 0);
                ASSERT_EQ(fat->sync(system, nullptr), 0);
                if (to == "new")
                        memory.flushes_left = 0;
                else
                        refuse_once(((struct fat_node *)node)->sector);
                EXPECT_EQ(rename("file", to), EIO);
                memory.flushes_left = -1;
                EXPECT_TRUE(read(to) == data);
                EXPECT_EQ(fat->write(used, 0, "x", 1, &done), 0);
                EXPECT_EQ(fat->sync(system, used), 0);
                EXPECT_TRUE(read(to) == data);
                fat->release(used);
                ASSERT_EQ(rename(to == "new" ? to : "file", to == "new" ? "file" : to), 0);
                ASSERT_EQ(fat->sync(system, nullptr), 0);
                expect_clean();
        }
}

/* Another system has divided the entries of a name: the first one lies in another sector. */
TEST_P(files_fat_failed_test, a_name_in_two_sectors_is_gone_after_the_write_of_one)
{
        const std::string name = "FOLDER2/long name of a file";
        files_node *removed, *next;
        uint64_t at;

        if (GetParam().name != std::string("fat16"))
                return;
        ASSERT_EQ(create("FOLDER2", true), 0);
        for (char c = 'A'; c < 'A' + 14; c++)
                ASSERT_EQ(create("FOLDER2/" + std::string(1, c)), 0);
        ASSERT_EQ(create(name), 0);
        ASSERT_EQ(find(name, &removed), 0);
        at = ((struct fat_node *)removed)->sector * UINT64_C(512);
        ASSERT_EQ(((struct fat_node *)removed)->slot, 3U - 1);
        fat->release(removed);
        fat->release(node);
        node = nullptr;
        unmount();
        memmove(&memory.bytes[at - FAT_ENTRY], &memory.bytes[at], 4 * FAT_ENTRY);
        mount();
        ASSERT_EQ(find(name, &removed), 0);
        refuse_once((uint32_t)(at / 512) - 1);
        EXPECT_EQ(remove(name), EIO);
        EXPECT_EQ(memory.refusals_left, 0);
        ASSERT_EQ(create("FOLDER2/Y"), 0);
        ASSERT_EQ(create("FOLDER2/Z"), 0);
        ASSERT_EQ(find("FOLDER2/Z", &next), 0);
        EXPECT_EQ(((struct fat_node *)next)->slot, 1U);
        EXPECT_NE(next, removed);
        fat->release(next);
        fat->release(removed);
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_failed_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
