/* SPDX-License-Identifier: BSD-2-Clause */
/* The FAT file system, on disks that mkfs.fat makes and fsck.fat checks. */
#include "files_fat.h"

extern "C" {
#include "fat/fat.h"
}

#include <map>

namespace
{

struct files_fat_test : testing::TestWithParam<fat_kind>, mounted_disk {
        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
        }
};

TEST_P(files_fat_test, reads_files_that_mtools_wrote)
{
        const std::string file = testing::TempDir() + "files-fat-in-" + std::to_string(getpid());
        std::mt19937 random(1);
        const std::string data = noise(random, 70000);

        unmount();
        memory_disk::save(file, {data.begin(), data.end()});
        const auto result =
                run_command("export MTOOLS_SKIP_CHECK=1; set -e; i=" + memory.path + "; f=" + file +
                            "; mmd -i $i ::sub ::sub/deep; mcopy -i $i $f ::SHORT.TXT; "
                            "mcopy -i $i $f '::sub/a name with blanks and ümlauts.text'; "
                            "mcopy -i $i $f ::sub/deep/lower.txt; mdel -i $i ::SHORT.TXT; "
                            "mcopy -i $i $f ::other.bin");
        ASSERT_EQ(result.first, 0) << result.second;
        unlink(file.c_str());
        memory.load();
        mount();
        EXPECT_EQ(list(""), (std::set<std::string>{"sub/", "other.bin"}));
        EXPECT_EQ(list("sub"),
                  (std::set<std::string>{"deep/", "a name with blanks and ümlauts.text"}));
        EXPECT_EQ(read("sub/a name with blanks and ümlauts.text"), data);
        EXPECT_EQ(read("SUB/Deep/LOWER.txt"), data) << "case does not count";
        EXPECT_EQ(read("other.bin"), data);
        EXPECT_EQ(read("SHORT.TXT"), "absent");
}

TEST_P(files_fat_test, writes_files_that_mtools_reads)
{
        std::mt19937 random(2);
        const std::string data = noise(random, 50001);

        ASSERT_EQ(create("a folder, long", true), 0);
        ASSERT_EQ(create("a folder, long/größe.data"), 0);
        ASSERT_EQ(write("a folder, long/größe.data", 0, data), 0);
        ASSERT_EQ(create("PLAIN.TXT"), 0);
        ASSERT_EQ(write("PLAIN.TXT", 0, "plain"), 0);
        unmount();
        expect_clean();
        const auto result =
                run_command("mtype -i " + memory.path + " '::a folder, long/größe.data'");
        EXPECT_EQ(result.second, data);
        EXPECT_EQ(run_command("mtype -i " + memory.path + " ::PLAIN.TXT").second, "plain");
}

TEST_P(files_fat_test, refuses_a_table_without_entries)
{
        const char *sentence = nullptr;

        unmount();
        for (unsigned i = 0; i < 4; i++)
                memory.bytes[36 + i] = 0; /* size of a table of FAT32 */
        memory.bytes[22] = memory.bytes[23] = 0;
        memory.bytes[44] = 2; /* the root, if this is FAT32 now */
        memory.bytes[45] = memory.bytes[46] = memory.bytes[47] = 0;
        EXPECT_EQ(files_mount(&memory.disk, &system, &sentence), EIO);
        ASSERT_NE(sentence, nullptr);
        system = nullptr;
}

TEST_P(files_fat_test, reports_errors_in_names_and_paths)
{
        EXPECT_EQ(create("a:b"), EINVAL);
        EXPECT_EQ(create("what?"), EINVAL);
        EXPECT_EQ(create("dot."), EINVAL);
        EXPECT_EQ(create("blank "), EINVAL);
        EXPECT_EQ(create("\xff"), EINVAL) << "not UTF-8";
        EXPECT_EQ(create("\xc0\xaf"), EINVAL) << "a slash in two bytes";
        EXPECT_EQ(create("line\nbreak"), EINVAL);
        EXPECT_EQ(create(std::string(195, 'n')), 0);
        EXPECT_EQ(create(std::string(196, 'm')), ENAMETOOLONG) << "does not fit into a sector";
        EXPECT_EQ(create("none/file"), ENOENT);
        EXPECT_EQ(create("file"), 0);
        EXPECT_EQ(create("FILE"), EEXIST);
        EXPECT_EQ(create("file/below"), ENOTDIR);
        EXPECT_EQ(remove("file", true), ENOTDIR);
        EXPECT_EQ(remove("absent"), ENOENT);
        EXPECT_EQ(create("folder", true), 0);
        EXPECT_EQ(create("folder/x"), 0);
        EXPECT_EQ(remove("folder"), EISDIR);
        EXPECT_EQ(remove("folder", true), ENOTEMPTY);
        EXPECT_EQ(rename("file", "folder"), EISDIR);
        EXPECT_EQ(rename("folder", "file"), ENOTDIR);
        EXPECT_EQ(rename("file", "a*b"), EINVAL);
        EXPECT_EQ(rename("absent", "b"), ENOENT);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, moves_no_folder_into_itself)
{
        ASSERT_EQ(create("a long name", true), 0);
        ASSERT_EQ(create("a long name/b", true), 0);
        ASSERT_EQ(create("a long name/b/c", true), 0);
        ASSERT_EQ(create("other", true), 0);
        for (const char *to : {"a long name/x", "A LONG NAME/x", "ALONGN~1/x", "a long name/B/c/x"})
                EXPECT_EQ(rename("a long name", to), EINVAL) << to;
        EXPECT_EQ(rename("a long name/b", "A long name/B/C/x"), EINVAL);
        EXPECT_EQ(rename("a long name/b/c", "a long name/b/x"), 0);
        EXPECT_EQ(rename("a long name", "x"), 0);
        EXPECT_EQ(rename("x", "X/B/y"), EINVAL);
        unmount();
        expect_clean();
}

/* A loss of power could leave two names for the folder, and a wrong "..". */
TEST_P(files_fat_test, moves_no_folder_to_another_folder)
{
        ASSERT_EQ(create("one", true), 0);
        ASSERT_EQ(create("one/inside", true), 0);
        ASSERT_EQ(create("other", true), 0);
        EXPECT_EQ(rename("one", "other/one"), EXDEV);
        EXPECT_EQ(rename("one/inside", "inside"), EXDEV);
        EXPECT_EQ(rename("one/inside", "other"), EXDEV) << "the empty folder stays";
        EXPECT_EQ(list(""), (std::set<std::string>{"one/", "other/"}));
        EXPECT_EQ(rename("one/inside", "one/renamed"), 0);
        ASSERT_EQ(create("LAST", true), 0);
        EXPECT_EQ(rename("LAST", "a name with more entries"), 0) << "the folder's end moves";
        for (unsigned i = 0; i < 8; i++)
                ASSERT_EQ(create("one/a long name " + std::to_string(i)), 0);
        EXPECT_EQ(rename("one/renamed", "one/" + std::string(150, 'n')), EXDEV)
                << "the sector has no room";
        EXPECT_EQ(list("one").count("renamed/"), 1U);
        unmount();
        expect_clean();
}

/* The sector that contains the entries of both folders has no free entry. */
TEST_P(files_fat_test, removes_no_folder_whose_place_is_too_small_for_the_new_name)
{
        ASSERT_EQ(create("one", true), 0);
        ASSERT_EQ(create("one/OLD", true), 0);
        ASSERT_EQ(create("one/BETWEEN"), 0);
        ASSERT_EQ(create("one/ABC", true), 0);
        const unsigned entries = (memory.bytes[11] | (unsigned)memory.bytes[12] << 8) / 32;
        for (unsigned i = 5; i < entries; i++) /* "." and ".." are entries, too */
                ASSERT_EQ(create("one/F" + std::to_string(i)), 0);
        EXPECT_EQ(rename("one/OLD", "one/a.bc"), EXDEV) << "a new name";
        EXPECT_EQ(rename("one/OLD", "one/Abc"), EXDEV) << "two entries in place of one";
        EXPECT_EQ(list("one").count("ABC/"), 1U);
        EXPECT_EQ(list("one").count("OLD/"), 1U);
        ASSERT_EQ(remove("one/BETWEEN"), 0);
        EXPECT_EQ(rename("one/OLD", "one/Abc"), 0);
        EXPECT_EQ(list("one").count("Abc/"), 1U);
        EXPECT_EQ(list("one").count("OLD/"), 0U);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, reports_a_full_disk)
{
        const std::string part(65536, 'x');
        size_t total = 0, done = 0;
        int error;

        ASSERT_EQ(create("full"), 0);
        do {
                error = write("full", total, part, &done);
                total += done;
        } while (!error);
        EXPECT_EQ(error, ENOSPC);
        EXPECT_GT(total, GetParam().kib * 1000UL);
        EXPECT_EQ(write("full", total, "y"), ENOSPC);
        EXPECT_EQ(create("folder", true), ENOSPC);
        EXPECT_EQ(read("full").size(), total);
        remount();
        EXPECT_EQ(read("full"), std::string(total, 'x'));
        ASSERT_EQ(resize("full", 5), 0);
        EXPECT_EQ(create("folder", true), 0);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, a_size_that_does_not_fit_changes_nothing)
{
        const uint64_t large = GetParam().kib * 1024UL;
        size_t done;

        ASSERT_EQ(create("file"), 0);
        ASSERT_EQ(write("file", 0, "text"), 0);
        for (unsigned i = 0; i < 2; i++) { /* the free count is unknown, then known */
                EXPECT_EQ(resize("file", large), ENOSPC);
                EXPECT_EQ(write("file", large, "x", &done), ENOSPC);
                EXPECT_EQ(done, 0U);
                EXPECT_EQ(read("file"), "text");
                ASSERT_EQ(create(i ? "one" : "other"), 0);
                ASSERT_EQ(write(i ? "one" : "other", 0, std::string(20000, 'x')), 0)
                        << "the disk has room";
        }
        EXPECT_EQ(resize("file", large / 2), 0);
        EXPECT_EQ(read("file").size(), large / 2);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, sizes_that_do_not_fit_are_refused_without_reading_the_table_again)
{
        const uint64_t large = GetParam().kib * 1024UL;

        ASSERT_EQ(create("file"), 0);
        EXPECT_EQ(resize("file", large), ENOSPC);
        const uint64_t before = memory.reads;
        for (unsigned i = 0; i < 100; i++)
                EXPECT_EQ(resize("file", large), ENOSPC);
        EXPECT_LT(memory.reads - before, 100U);
}

TEST_P(files_fat_test, a_gap_that_cannot_be_filled_is_taken_back)
{
        const uint64_t half = GetParam().kib * 600UL;

        ASSERT_EQ(create("file"), 0);
        ASSERT_EQ(write("file", 0, "text"), 0);
        ASSERT_EQ(create("half"), 0);
        ASSERT_EQ(resize("half", half), 0);
        /* As if the disk had reported that all clusters are free. */
        ((struct fat *)system)->free = ((struct fat *)system)->last - 1;
        EXPECT_EQ(resize("file", half), ENOSPC);
        EXPECT_EQ(read("file"), "text");
        EXPECT_EQ(resize("file", half / 2), 0);
        unmount();
        expect_clean();
}

/* While a call fills a gap, other clients wait. */
TEST_P(files_fat_test, a_call_writes_a_bounded_part_of_a_gap)
{
        const uint64_t end = GetParam().kib * 600UL, most = FILES_GROW_MAX / 512 + 128;
        const std::string data(10, 'd');
        unsigned parts = 0;
        files_node *node;
        size_t done = 0;
        int error;

        ASSERT_EQ(create("file"), 0);
        ASSERT_EQ(find("file", &node), 0);
        do {
                const uint64_t before = memory.writes;

                error = parts % 2 ? fat->resize(node, end)
                                  : fat->write(node, end, data.data(), data.size(), &done);
                EXPECT_LE(memory.writes - before, most) << parts;
                parts++;
        } while (error == EINPROGRESS);
        EXPECT_EQ(error, 0);
        EXPECT_EQ(parts, (end + FILES_GROW_MAX - 1) / FILES_GROW_MAX);
        EXPECT_EQ(fat->write(node, end, data.data(), data.size(), &done), 0);
        EXPECT_EQ(done, data.size());
        fat->release(node);
        EXPECT_EQ(read("file"), std::string(end, 0) + data);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, a_gap_that_fails_in_a_later_call_keeps_data_of_others)
{
        const uint64_t end = GetParam().kib * 600UL;
        files_node *node;
        size_t done;

        ASSERT_EQ(create("file"), 0);
        ASSERT_EQ(find("file", &node), 0);
        ASSERT_EQ(fat->resize(node, end), EINPROGRESS);
        ASSERT_EQ(fat->write(node, 7, "other", 5, &done), 0);
        ((struct fat *)system)->free = 0; /* others have taken the room meanwhile */
        ((struct fat *)system)->counted = true;
        EXPECT_EQ(fat->resize(node, end), ENOSPC);
        fat->release(node);
        EXPECT_EQ(read("file").size(), (size_t)FILES_GROW_MAX);
        EXPECT_EQ(read("file").substr(7, 5), "other");
}

TEST_P(files_fat_test, keeps_a_removed_file_for_its_users)
{
        files_node *node;
        char text[8];
        size_t done;

        ASSERT_EQ(create("gone"), 0);
        ASSERT_EQ(write("gone", 0, "still"), 0);
        ASSERT_EQ(find("gone", &node), 0);
        ASSERT_EQ(remove("gone"), 0);
        EXPECT_EQ(read("gone"), "absent");
        ASSERT_EQ(create("gone"), 0) << "the name is free";
        ASSERT_EQ(fat->write(node, 5, " here", 3, &done), 0);
        EXPECT_EQ(fat->read(node, 0, text, sizeof(text), &done), 0);
        EXPECT_EQ(std::string(text, done), "still he");
        fat->release(node);
        EXPECT_EQ(read("gone"), "");
        unmount();
        expect_clean();
}

/* Clients wait while a short name is looked for, so the names that a client chooses must not make
 * the search read the folder for each attempt. */
TEST_P(files_fat_test, taken_short_names_cost_two_searches_of_the_folder)
{
        const char *const name = "a long name.text";
        uint16_t wide[FAT_LONG_MAX + 1];
        unsigned length;
        uint64_t before;

        ASSERT_EQ(fat_name_parse(name, wide, &length), 0);
        ASSERT_EQ(create("folder", true), 0);
        for (unsigned i = 0; i < 200; i++) {
                uint8_t entry[FAT_ENTRY] = {};
                char taken[FILES_NAME_SIZE];
                int error;

                fat_name_shorten(wide, length, i, entry);
                fat_name_of_short(entry, taken);
                for (char *c = taken; i % 2 && *c; c++)
                        *c = (char)tolower(*c);
                error = create(std::string("folder/") + taken);
                ASSERT_TRUE(!error || error == EEXIST) << taken;
        }
        before = memory.reads;
        ASSERT_EQ(create("folder/" + std::string(name)), 0);
        EXPECT_LT(memory.reads - before, 200U);
        EXPECT_EQ(list("folder").count(name), 1U);
        unmount();
        expect_clean();
}

TEST_P(files_fat_test, fills_folders_with_many_names)
{
        std::set<std::string> names;
        const bool fixed_root = std::string(GetParam().name) != "fat32";

        ASSERT_EQ(create("many", true), 0);
        for (unsigned i = 0; i < 300; i++) {
                const std::string name = "a name that needs some entries " +
                                         std::string(i % 90, 'l') + std::to_string(i);

                ASSERT_EQ(create("many/" + name), 0);
                names.insert(name);
        }
        EXPECT_EQ(list("many"), names);
        if (fixed_root) {
                int error = 0;

                for (unsigned i = 0; i < 1000 && !error; i++)
                        error = create("N" + std::to_string(i));
                EXPECT_EQ(error, ENOSPC) << "the root has a fixed size";
        }
        for (const std::string &name : names)
                ASSERT_EQ(remove("many/" + name), 0);
        ASSERT_EQ(remove("many", true), 0);
        unmount();
        expect_clean();
}

/* Files and folders that the disk should contain. */
struct model {
        std::map<std::string, std::string> files;
        std::set<std::string> folders = {""};
};

TEST_P(files_fat_test, agrees_with_a_model_after_random_operations)
{
        std::mt19937 random(GetParam().kib);
        model model;
        auto pick = [&](const auto &from) {
                auto i = from.begin();

                std::advance(i, random() % from.size());
                return i;
        };
        auto new_path = [&] {
                static const char *const names[] = {"A",
                                                    "B.TXT",
                                                    "c",
                                                    "long name number four",
                                                    "another long name with ümlauts",
                                                    "F~1",
                                                    "seven.seven.seven",
                                                    "eight",
                                                    "n i n e"};
                const std::string folder = *pick(model.folders);
                const std::string name = names[random() % std::size(names)];

                return folder.empty() ? name : folder + "/" + name;
        };

        for (unsigned step = 0; step < 4000; step++) {
                const std::string path = new_path(), other = new_path();
                const bool file = model.files.count(path), folder = model.folders.count(path);
                const std::string data = noise(random, random() % 4 ? random() % 3000 : 9000);

                SCOPED_TRACE(std::to_string(step) + " " + path + " " + other);
                switch (random() % 10) {
                case 0:
                case 1:
                        ASSERT_EQ(create(path), file || folder ? EEXIST : 0);
                        if (!folder)
                                model.files[path];
                        break;
                case 2:
                        if (split(path).first.size() > 60)
                                break;
                        ASSERT_EQ(create(path, true), file || folder ? EEXIST : 0);
                        if (!file)
                                model.folders.insert(path);
                        break;
                case 3: {
                        bool empty = true;

                        for (const auto &i : model.files)
                                empty = empty && i.first.rfind(path + "/", 0) != 0;
                        for (const auto &i : model.folders)
                                empty = empty && i.rfind(path + "/", 0) != 0;
                        ASSERT_EQ(remove(path, true), file      ? ENOTDIR
                                                      : !folder ? ENOENT
                                                      : empty   ? 0
                                                                : ENOTEMPTY);
                        if (empty)
                                model.folders.erase(path);
                        break;
                }
                case 4:
                        ASSERT_EQ(remove(path), folder ? EISDIR : file ? 0 : ENOENT);
                        model.files.erase(path);
                        break;
                case 5:
                        if (!file || model.folders.count(other))
                                break;
                        ASSERT_EQ(rename(path, other), 0);
                        if (path != other) {
                                model.files[other] = model.files[path];
                                model.files.erase(path);
                        }
                        break;
                case 6:
                        if (!file)
                                break;
                        model.files[path].resize(data.size());
                        ASSERT_EQ(resize(path, data.size()), 0);
                        break;
                case 7:
                        if (random() % 20 == 0)
                                remount();
                        else
                                ASSERT_EQ(fat->sync(system, nullptr), 0);
                        break;
                default:
                        if (!file)
                                break;
                        {
                                std::string &text = model.files[path];
                                const size_t at = random() % (text.size() + 700);

                                if (at + data.size() > 20000)
                                        break;
                                text.resize(std::max(text.size(), at + data.size()));
                                text.replace(at, data.size(), data);
                                ASSERT_EQ(write(path, at, data), 0);
                        }
                }
                if (!model.files.empty()) {
                        const auto i = pick(model.files);

                        ASSERT_EQ(read(i->first), i->second) << i->first;
                }
        }
        remount();
        for (const auto &i : model.files)
                EXPECT_EQ(read(i.first), i.second) << i.first;
        for (const auto &folder : model.folders) {
                std::set<std::string> names;
                const std::string below = folder.empty() ? "" : folder + "/";

                for (const auto &i : model.files)
                        if (split(i.first).first == folder)
                                names.insert(split(i.first).second);
                for (const auto &i : model.folders)
                        if (!i.empty() && split(i).first == folder)
                                names.insert(split(i).second + "/");
                EXPECT_EQ(list(folder), names) << folder;
        }
        unmount();
        expect_clean();
}

TEST(files_fat_time_test, a_date_that_fat_cannot_store_becomes_the_nearest_one)
{
        struct {
                int64_t seconds, stored;
        } const times[] = {
                {INT64_MIN, 315532800},         {-1, 315532800},          {0, 315532800},
                {315532799, 315532800},         {315532800, 315532800},   {1780000001, 1780000000},
                {4354819198, 4354819198},       {4354819199, 4354819198}, {4354819200, 4354819198},
                {INT64_C(1) << 33, 4354819198}, {INT64_MAX, 4354819198}};

        for (const auto &i : times) {
                uint32_t date, time;

                fat_time_to(i.seconds, &date, &time);
                EXPECT_LE(date | time, 0xffffU) << i.seconds;
                EXPECT_EQ(fat_time_of(date, time), i.stored) << i.seconds;
        }
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
