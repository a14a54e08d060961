/* SPDX-License-Identifier: BSD-2-Clause */
/* The file system of ustar archives in the service `files`. */
extern "C" {
#include "backend.h"
}

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace
{

/* Appends a regular file to an archive. */
void append(std::string &archive, const std::string &name, const std::string &content)
{
        std::string block(512, 0);
        unsigned sum = 0;

        block.replace(0, name.size(), name);
        snprintf(&block[124], 12, "%011o", (unsigned)content.size());
        block[156] = '0';
        block.replace(257, 8,
                      std::string("ustar\0"
                                  "00",
                                  8));
        block.replace(148, 8, "        ");
        for (const char c : block)
                sum += (unsigned char)c;
        snprintf(&block[148], 8, "%06o", sum);
        archive += block + content;
        archive.resize((archive.size() + 511) / 512 * 512);
}

int read_memory(files_disk *disk, uint64_t offset, void *to, size_t bytes)
{
        memcpy(to, (const char *)disk->memory + offset, bytes);
        return 0;
}

struct files_ustar_test : testing::Test {
        std::string archive;
        files_disk disk = {};
        files_system *system = nullptr;
        files_node *root = nullptr;

        void SetUp() override
        {
                const char *sentence;

                append(archive, "a/one", "first");
                append(archive, "a/b/two", "second");
                append(archive, "three", "third");
                append(archive, "a/b/four", "");
                append(archive, "ab/five", "fifth");
                archive.resize(archive.size() + 1024);
                disk.memory = archive.data();
                disk.bytes = archive.size();
                disk.block_bytes = 1;
                disk.read = read_memory;
                ASSERT_EQ(files_mount(&disk, &system, &sentence), 0);
                ASSERT_EQ(system->backend, &files_ustar);
                EXPECT_TRUE(system->read_only);
                ASSERT_EQ(files_ustar.root(system, &root), 0);
        }

        void TearDown() override
        {
                files_ustar.release(root);
                files_ustar.unmount(system);
        }

        std::vector<std::string> list(files_node *folder)
        {
                std::vector<std::string> names;
                char name[FILES_NAME_SIZE];
                uint64_t position = 0;
                files_about about;

                while (files_ustar.list(folder, &position, name, &about) == 0)
                        names.push_back(name + std::string(about.folder ? "/" : ""));
                return names;
        }
};

TEST_F(files_ustar_test, lists_files_and_implied_folders_once_and_by_name)
{
        files_node *a, *b;

        EXPECT_EQ(list(root), (std::vector<std::string>{"a/", "ab/", "three"}));
        ASSERT_EQ(files_ustar.lookup(root, "a", &a), 0);
        EXPECT_EQ(list(a), (std::vector<std::string>{"b/", "one"}));
        ASSERT_EQ(files_ustar.lookup(a, "b", &b), 0);
        EXPECT_EQ(list(b), (std::vector<std::string>{"four", "two"}));
        files_ustar.release(a);
        files_ustar.release(b);
}

TEST_F(files_ustar_test, reads_up_to_the_end_of_a_file)
{
        files_node *file, *none;
        files_about about;
        char text[16] = {};
        size_t done;

        ASSERT_EQ(files_ustar.lookup(root, "three", &file), 0);
        ASSERT_EQ(files_ustar.stat(file, &about), 0);
        EXPECT_EQ(about.size, 5U);
        EXPECT_FALSE(about.folder);
        EXPECT_EQ(files_ustar.read(file, 2, text, sizeof(text), &done), 0);
        EXPECT_EQ(std::string(text, done), "ird");
        for (const uint64_t offset : {uint64_t(5), uint64_t(6), UINT64_MAX}) {
                EXPECT_EQ(files_ustar.read(file, offset, text, sizeof(text), &done), 0);
                EXPECT_EQ(done, 0U);
        }
        EXPECT_EQ(files_ustar.lookup(file, "x", &none), ENOTDIR);
        EXPECT_EQ(files_ustar.lookup(root, "thre", &none), ENOENT);
        EXPECT_EQ(files_ustar.lookup(root, "four", &none), ENOENT);
        files_ustar.release(file);
}

TEST_F(files_ustar_test, has_only_the_last_of_the_files_with_one_name)
{
        const char *sentence;
        files_node *file;
        char text[16] = {};
        size_t done;

        files_ustar.release(root);
        files_ustar.unmount(system);
        archive.resize(archive.size() - 1024);
        append(archive, "three", "a newer third");
        append(archive, "./three", "the newest");
        archive.resize(archive.size() + 1024);
        disk.memory = archive.data();
        disk.bytes = archive.size();
        ASSERT_EQ(files_mount(&disk, &system, &sentence), 0);
        ASSERT_EQ(files_ustar.root(system, &root), 0);
        EXPECT_EQ(list(root), (std::vector<std::string>{"a/", "ab/", "three"}));
        ASSERT_EQ(files_ustar.lookup(root, "three", &file), 0);
        EXPECT_EQ(files_ustar.read(file, 0, text, sizeof(text), &done), 0);
        EXPECT_EQ(std::string(text, done), "the newest");
        files_ustar.release(file);
}

TEST_F(files_ustar_test, gives_each_node_its_own_number)
{
        std::set<uint64_t> numbers;

        for (const char *path : {"a", "ab", "three"}) {
                files_node *node;
                files_about about;

                ASSERT_EQ(files_ustar.lookup(root, path, &node), 0);
                ASSERT_EQ(files_ustar.stat(node, &about), 0);
                EXPECT_TRUE(numbers.insert(about.number).second);
                files_ustar.release(node);
        }
}

TEST(files_mount_test, refuses_an_unknown_file_system)
{
        const std::string noise(4096, 'x');
        const char *sentence;
        files_system *system;
        files_disk disk = {};

        disk.memory = noise.data();
        disk.bytes = noise.size();
        disk.block_bytes = 1;
        disk.read = read_memory;
        EXPECT_EQ(files_mount(&disk, &system, &sentence), EILSEQ);
}

} // namespace
