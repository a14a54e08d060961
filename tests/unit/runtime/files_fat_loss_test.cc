/* SPDX-License-Identifier: BSD-2-Clause */
/* Loss of power and damage under the FAT file system. A recorded run gives the disks that a loss of
 * power can leave: all writes up to a flush, and any of those after it in any order. */
#include "files_fat.h"

#include <map>
#include <sstream>

namespace
{

/* Content that must survive: after a loss of power in this part of the record, a file at one of the
 * paths must have it. */
struct promise {
        std::vector<std::string> paths;
        std::string content;
        size_t from, until; /* numbers of records */
};

struct files_fat_loss_test : testing::TestWithParam<fat_kind>, mounted_disk {
        std::mt19937 random{7};
        std::vector<promise> promises;
        std::map<std::string, size_t> current; /* path to the number of its promise */
        std::vector<uint8_t> start;
        size_t found = 0; /* number of allowed complaints of fsck.fat */

        void SetUp() override
        {
                memory.format(GetParam().options, GetParam().kib);
                mount();
                start = memory.bytes;
                memory.logging = true;
        }

        size_t now() const
        {
                return memory.log.size();
        }

        /* Ends the promise of a path: a later loss may change its content. */
        void touch(const std::string &path)
        {
                const auto i = current.find(path);

                if (i == current.end())
                        return;
                promises[i->second].until = now();
                current.erase(i);
        }

        void promise_path(const std::vector<std::string> &paths, const std::string &content)
        {
                current[paths.back()] = promises.size();
                promises.push_back({paths, content, now(), SIZE_MAX});
        }

        void write_file(const std::string &path)
        {
                std::string content = read(path);
                const bool append = content != "absent" && random() % 2;
                const std::string data = noise(random, random() % 6000);
                files_node *node;

                touch(path);
                create(path);
                if (!append) {
                        ASSERT_EQ(resize(path, 0), 0);
                }
                content = append ? content + data : data;
                ASSERT_EQ(write(path, content.size() - data.size(), data), 0);
                ASSERT_EQ(find(path, &node), 0);
                ASSERT_EQ(fat->sync(system, node), 0);
                fat->release(node);
                promise_path({path}, content);
        }

        void rename_file(const std::string &from, const std::string &to)
        {
                const bool known = current.count(from);
                const std::string content = read(from);

                if (from == to || content == "absent")
                        return;
                touch(to);
                touch(from);
                if (known)
                        promise_path({from, to}, content);
                ASSERT_EQ(rename(from, to), 0);
        }

        void work(unsigned steps)
        {
                static const char *const names[] = {"A",
                                                    "B.TXT",
                                                    "a long name of a file",
                                                    "deep/X",
                                                    "deep/another long name of a file",
                                                    "deep/y.text"};

                create("deep", true);
                for (unsigned i = 0; i < steps; i++) {
                        const std::string path = names[random() % std::size(names)];
                        const std::string other = names[random() % std::size(names)];

                        switch (random() % 8) {
                        case 0:
                                touch(path);
                                remove(path);
                                break;
                        case 1:
                        case 2:
                                rename_file(path, other);
                                break;
                        case 3:
                                touch(path);
                                if (random() % 2)
                                        resize(path, random() % 5000);
                                break;
                        case 4:
                                for (unsigned j = 0; j < 4; j++)
                                        create("deep/" + std::to_string(i * 4 + j) +
                                                       std::string(20 + random() % 90, 'n'),
                                               j % 2);
                                break;
                        default:
                                write_file(path);
                        }
                }
        }

        /* Makes the disk that a loss after a number of records leaves. */
        std::vector<uint8_t> lose_power(size_t at)
        {
                std::vector<uint8_t> disk = start;
                size_t flush = at;

                while (flush && !memory.log[flush - 1].bytes.empty())
                        flush--;
                for (size_t i = 0; i < flush; i++)
                        std::copy(memory.log[i].bytes.begin(), memory.log[i].bytes.end(),
                                  disk.begin() + (std::ptrdiff_t)memory.log[i].offset);

                std::vector<size_t> rest;
                const unsigned odds = random() % 4;

                for (size_t i = flush; i < at; i++)
                        if (random() % 4 >= odds)
                                rest.push_back(i);
                if (random() % 2)
                        std::shuffle(rest.begin(), rest.end(), random);
                for (const size_t i : rest)
                        std::copy(memory.log[i].bytes.begin(), memory.log[i].bytes.end(),
                                  disk.begin() + (std::ptrdiff_t)memory.log[i].offset);
                return disk;
        }

        /* Checks the output of fsck.fat. A chain that is longer than its file is permitted after a
         * file grew or shrank, because FAT cannot change the chain and the size at once. */
        void judge(const std::string &text)
        {
                static const char *const allowed[] = {
                        "fsck.fat ",    "  Reclaim",   "Reclaimed",         "Free cluster summary",
                        "  Auto-corr",  "FATs differ", "  Using first FAT", "Using first FAT",
                        "Leaving file", "Dirty bit",   "  Automatically",
                };
                std::istringstream lines(text);
                std::string line, previous;

                while (std::getline(lines, line)) {
                        bool good = line.empty() || line.find(memory.path) == 0 || line[0] == '/';

                        for (const char *i : allowed)
                                good = good || line.rfind(i, 0) == 0;
                        good = good ||
                               line.find("cluster chain length is > ") != std::string::npos ||
                               (line.find("  Truncating file to ") == 0 &&
                                previous.find("chain length is > ") != std::string::npos);
                        found += line.rfind("Reclaimed", 0) == 0 || line.rfind("  Reclaim", 0) == 0;
                        EXPECT_TRUE(good) << line << "\nin\n" << text;
                        previous = line;
                }
        }

        unsigned broken = 0; /* promises that a disk does not keep */

        void examine(size_t at)
        {
                memory.bytes = lose_power(at);
                if (memory.flushes) {
                        const auto result = memory.check();

                        judge(result.second);
                }
                mount();
                for (const promise &i : promises) {
                        bool kept = i.from > at || i.until < at;

                        for (const std::string &path : i.paths)
                                kept = kept || read(path) == i.content;
                        broken += !kept;
                }
                fat->unmount(system);
                system = nullptr;
        }
};

TEST_P(files_fat_loss_test, keeps_data_that_was_flushed)
{
        const bool small = GetParam().kib < 10000;

        work(80);
        unmount();
        memory.logging = false;
        memory.disk.read_only = true;
        for (unsigned i = 0; i < (small ? 200 : 40) && !HasFailure(); i++) {
                const size_t at = random() % (memory.log.size() + 1);

                SCOPED_TRACE("after " + std::to_string(at) + " records");
                examine(at);
                EXPECT_EQ(broken, 0U);
        }
        EXPECT_GT(promises.size(), 20U);
        EXPECT_GT(found, 0U) << "no loss came at a bad time";
}

TEST_P(files_fat_loss_test, finds_a_flush_that_does_nothing)
{
        memory.flushes = false;
        work(40);
        unmount();
        memory.logging = false;
        memory.disk.read_only = true;
        for (unsigned i = 0; i < 40 && !broken; i++)
                examine(random() % (memory.log.size() + 1));
        EXPECT_GT(broken, 0U);
}

/* Reads everything, as far as the damage permits. */
void read_all(const files_backend *fat, files_node *folder, unsigned depth, unsigned *left)
{
        char name[FILES_NAME_SIZE], data[1024];
        uint64_t position = 0;
        files_about about;

        while (*left && fat->list(folder, &position, name, &about) == 0) {
                files_node *node;
                size_t done = 1;

                --*left;
                if (fat->lookup(folder, name, &node) != 0)
                        continue;
                if (fat->stat(node, &about) == 0 && about.folder && depth < 5)
                        read_all(fat, node, depth + 1, left);
                if (!about.folder)
                        for (uint64_t at = 0; at < 20000 && done; at += done)
                                if (fat->read(node, at, data, sizeof(data), &done) != 0)
                                        break;
                fat->release(node);
        }
}

TEST_P(files_fat_loss_test, survives_damaged_disks)
{
        memory.logging = false;
        work(60);
        unmount();

        const std::vector<uint8_t> whole = memory.bytes;
        std::vector<size_t> used; /* sectors with content */

        for (size_t i = 0; i < whole.size(); i += 512)
                if (std::any_of(&whole[i], &whole[i] + 512, [](uint8_t b) { return b; }))
                        used.push_back(i);
        for (unsigned round = 0; round < (GetParam().kib < 10000 ? 400U : 60U); round++) {
                const char *sentence = nullptr;
                unsigned left = 200;
                files_node *root;

                SCOPED_TRACE(round);
                memory.bytes = whole;
                memory.reads = 0;
                for (unsigned i = 0; i <= random() % 20; i++) {
                        /* The first sectors are the table and the folders. */
                        const size_t sector = used[random() % (random() % 2 ? 12 : used.size())];
                        const size_t at = sector + random() % 512;

                        memory.bytes[at] = random() % 3 ? (uint8_t)random() : memory.bytes[at] ^ 1;
                }
                if (files_mount(&memory.disk, &system, &sentence) != 0) {
                        system = nullptr;
                        continue;
                }
                ASSERT_EQ(fat->root(system, &root), 0);
                read_all(fat, root, 0, &left);
                fat->release(root);
                create("new file");
                write("new file", 3000, "data");
                write("A", 10, "data");
                resize("a long name of a file", 100);
                rename("B.TXT", "deep/B.TXT");
                remove("A");
                remove("deep/X");
                fat->unmount(system);
                system = nullptr;
                EXPECT_LT(memory.reads, 200000U) << "no endless loop";
        }
}

TEST_P(files_fat_loss_test, reports_a_circle_of_clusters)
{
        const std::string data(5000, 'c');

        ASSERT_EQ(create("CIRCLE"), 0);
        ASSERT_EQ(write("CIRCLE", 0, data), 0);
        ASSERT_EQ(create("FOLDER", true), 0);
        unmount();
        if (GetParam().name != std::string("fat16"))
                return;

        /* The entry of the folder's cluster names the cluster itself. */
        const size_t table = (memory.bytes[14] | memory.bytes[15] << 8) * 512UL;
        const size_t bytes = (memory.bytes[22] | memory.bytes[23] << 8) * 512UL;
        unsigned last = 2;

        while (memory.bytes[table + 2 * last + 2] || memory.bytes[table + 2 * last + 3])
                last++;
        for (unsigned copy = 0; copy < 2; copy++) {
                memory.bytes[table + copy * bytes + 2 * last] = (uint8_t)last;
                memory.bytes[table + copy * bytes + 2 * last + 1] = 0;
        }
        mount();
        EXPECT_EQ(list("FOLDER").size(), 0U);
        for (unsigned i = 0; i < 100; i++)
                create("FOLDER/" + std::to_string(i));
        EXPECT_LT(memory.reads, 1000000U);
        EXPECT_EQ(read("CIRCLE"), data);
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_loss_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace
