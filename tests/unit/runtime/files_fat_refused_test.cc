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

TEST_P(files_fat_refused_test, sync_fails_once_and_mends_the_second_table_later)
{
        files_node *node;

        refuse(1);
        ASSERT_EQ(create("new"), 0);
        ASSERT_EQ(write("new", 0, "text"), 0);
        ASSERT_EQ(create("more", true), 0);
        expect_all(); /* replaces the changed sectors in the cache */
        ASSERT_EQ(find("new", &node), 0);
        EXPECT_EQ(fat->sync(system, node), EIO);
        EXPECT_EQ(fat->sync(system, node), 0) << "the first table has all data";
        memory.refused_end = 0;
        EXPECT_EQ(fat->sync(system, node), 0);
        const uint64_t before = memory.writes;
        EXPECT_EQ(fat->sync(system, node), 0);
        EXPECT_EQ(memory.writes, before) << "nothing has changed since";
        fat->release(node);
        expect_clean();
        remount();
        EXPECT_EQ(read("new"), "text");
        expect_all();
}

/* Each change of the second table is refused, because it is in the table's first sector. */
TEST_P(files_fat_refused_test, sync_reports_a_bad_sector_of_the_second_table_once)
{
        const struct fat *volume = (struct fat *)system;
        const size_t bytes = 3 * volume->cluster_bytes;
        unsigned failures = 0;

        refuse(1);
        memory.refused_end = memory.refused + volume->sector_bytes;
        for (unsigned i = 0; i < 4; i++) {
                ASSERT_EQ(write(name(i) + "/file", 0, std::string(bytes, 'x')), 0);
                failures += fat->sync(system, nullptr) != 0;
        }
        EXPECT_EQ(failures, 1U);
        remount();
        EXPECT_EQ(read(name(3) + "/file").size(), bytes);
}

/* Each group has one sector. The first ones stay bad. */
TEST_P(files_fat_refused_test, sync_tries_few_bad_groups_and_mends_all_others_in_turn)
{
        struct fat *volume = (struct fat *)system;
        const uint32_t groups = std::min(volume->table_sectors, 40U), bad = groups / 2;

        if (volume->kind == 12)
                return; /* its table is too small */
        ASSERT_EQ(volume->stale_sectors, 1U);
        refuse(1);
        memory.refused_end = memory.refused + bad * volume->sector_bytes;
        for (uint32_t group = 0; group < groups; group++)
                volume->stale[group / 8] |= (uint8_t)(1U << group % 8);
        volume->copies_differ = volume->copies_told = true;
        for (unsigned tries = 0; tries < bad; tries++) {
                const uint64_t before = memory.refusals;

                EXPECT_EQ(fat->sync(system, nullptr), 0);
                EXPECT_LE(memory.refusals - before, 4U);
        }
        for (uint32_t group = 0; group < groups; group++)
                EXPECT_EQ(volume->stale[group / 8] >> group % 8 & 1, group < bad) << group;
        EXPECT_TRUE(volume->copies_differ);
        memory.refused_end = 0;
        EXPECT_EQ(fat->sync(system, nullptr), 0);
        EXPECT_FALSE(volume->copies_differ);
}

/* If other calls tried the second table again, each release of the last file in use would wait for
 * the disk. */
TEST_P(files_fat_refused_test, only_a_sync_or_an_unmount_tries_the_second_table_again)
{
        for (const bool unmounts : {false, true}) {
                const std::string path = "new" + std::to_string(unmounts);

                refuse(1);
                ASSERT_EQ(create(path), 0);
                ASSERT_EQ(write(path, 0, "text"), 0);
                EXPECT_TRUE(((struct fat *)system)->copies_differ);
                const uint64_t before = memory.refusals;
                EXPECT_EQ(read(path), "text");
                expect_all();
                EXPECT_EQ(memory.refusals, before);
                memory.refused_end = 0;
                if (unmounts)
                        unmount();
                else
                        EXPECT_EQ(fat->sync(system, nullptr), 0);
                expect_clean();
        }
}

/* The count only saves other systems from counting, so no call fails because of it. */
TEST_P(files_fat_refused_test, a_refused_count_of_free_clusters_is_written_later)
{
        struct fat *volume = (struct fat *)system;

        if (volume->kind != 32)
                return; /* it has no count */
        memory.refused = volume->info * (uint64_t)volume->sector_bytes;
        memory.refused_end = memory.refused + volume->sector_bytes;
        ASSERT_EQ(write_new("new", "text"), 0);
        EXPECT_GT(memory.refusals, 0U);
        const uint64_t before = memory.refusals;
        expect_all();
        EXPECT_EQ(memory.refusals, before) << "only a sync tries again";
        EXPECT_FALSE(volume->unflushed) << "the flush does not wait for the count";
        EXPECT_EQ(fat->sync(system, nullptr), 0);
        EXPECT_EQ(memory.refusals, before + 1);
        memory.refused_end = 0;
        EXPECT_EQ(fat->sync(system, nullptr), 0);
        expect_clean();
        ASSERT_EQ(remove("new"), 0);
        expect_clean();
}

/* Marks a free cluster in each sector of the table, so that many sectors are changed. */
TEST_P(files_fat_refused_test, many_refused_sectors_of_the_table_leave_room_to_read)
{
        struct fat *volume = (struct fat *)system;
        const uint32_t step = volume->sector_bytes * 8 / volume->kind;
        unsigned refusals = 0, changes = 0;

        refuse(0);
        for (uint32_t cluster = step + 2; cluster < volume->last; cluster += step)
                (fat_table_link(volume, cluster, 0) ? refusals : changes)++;
        EXPECT_LE(changes, FAT_STUCK_MAX);
        EXPECT_EQ(refusals, volume->last / step - changes);
        expect_all();
        expect_all();
        memory.refused_end = 0;
        EXPECT_EQ(fat->sync(system, nullptr), 0);
        EXPECT_EQ(create("new"), 0);
        EXPECT_EQ(write("new", 0, "text"), 0);
        expect_all();
}

/* An entry of FAT12 that lies in the last two sectors of the table, while the cache has room for
 * only one more changed sector. */
struct files_fat_entry_test : files_fat_refused_test {
        static constexpr uint32_t CLUSTER = 2730, BEFORE = 2000;
        struct fat *volume = nullptr;

        void SetUp() override
        {
                files_fat_refused_test::SetUp();
                volume = (struct fat *)system;
                ASSERT_TRUE(fat_table_is_split(volume, CLUSTER));
                ASSERT_EQ(volume->table_sectors, FAT_STUCK_MAX + 1U);
                ASSERT_EQ(fat_table_link(volume, CLUSTER, BEFORE), 0);
                ASSERT_EQ(fat_flush(volume), 0);
        }

        /* Refuses the first sectors of the table, and changes FAT_STUCK_MAX - 1 of them. */
        void fill(uint32_t sectors)
        {
                refuse(0);
                memory.refused_end = memory.refused + sectors * (uint64_t)volume->sector_bytes;
                for (uint32_t i = 0; i < FAT_STUCK_MAX - 1; i++)
                        ASSERT_EQ(fat_table_link(volume, i * 342 + 60, 0), 0);
        }

        uint32_t next_on_disk()
        {
                uint32_t next = UINT32_MAX;

                memory.refused_end = 0;
                EXPECT_EQ(fat_flush(volume), 0);
                remount();
                EXPECT_EQ(fat_table_next((struct fat *)system, CLUSTER, &next), 0);
                return next;
        }
};

TEST_P(files_fat_entry_test, both_halves_reach_the_disk)
{
        fill(FAT_STUCK_MAX - 1);
        EXPECT_EQ(fat_table_link(volume, CLUSTER, 0), 0);
        EXPECT_EQ(next_on_disk(), 0U);
}

TEST_P(files_fat_entry_test, no_half_changes_if_there_is_no_room_for_the_other_one)
{
        fill(FAT_STUCK_MAX + 1);
        EXPECT_EQ(fat_table_link(volume, CLUSTER, 0), EIO);
        EXPECT_EQ(next_on_disk(), BEFORE);
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_entry_test, testing::Values(fat_kinds[0]),
                         [](const auto &row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_refused_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
