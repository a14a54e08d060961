/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls a mounted file system by paths, for tests. */
#ifndef NOVA_TEST_FILES_FAT_H
#define NOVA_TEST_FILES_FAT_H

#include "files_disk.h"

extern "C" {
#include "fat/fat.h"
}

#include <algorithm>
#include <random>
#include <set>

struct fat_kind {
        const char *name;
        const char *options;
        unsigned kib;
};

inline const fat_kind fat_kinds[] = {{"fat12", "-F 12 -s 1", 1400},
                                     {"fat16", "-F 16 -s 4", 20000},
                                     {"fat32", "-F 32 -s 1", 34000}};

struct mounted_disk {
        memory_disk memory;
        files_system *system = nullptr;
        const files_backend *fat = &files_fat;

        ~mounted_disk()
        {
                if (system)
                        fat->unmount(system);
        }

        void mount()
        {
                const char *sentence = nullptr;

                ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0)
                        << (sentence ? sentence : "");
                ASSERT_EQ(system->backend, fat);
        }

        void unmount()
        {
                fat->unmount(system);
                system = nullptr;
        }

        void remount()
        {
                unmount();
                mount();
        }

        /* Checks that fsck.fat reports no error. */
        void expect_clean()
        {
                const auto result = memory.check();

                EXPECT_EQ(result.first, 0) << result.second;
                for (const char *word : {"wrong", "Dirty", "Reclaim", "differ", "Truncating"})
                        EXPECT_EQ(result.second.find(word), std::string::npos) << result.second;
        }

        int find(const std::string &path, files_node **node)
        {
                size_t at = 0;
                int error = fat->root(system, node);

                while (!error && at < path.size()) {
                        const size_t end = std::min(path.find('/', at), path.size());
                        files_node *next = nullptr;

                        error = fat->lookup(*node, path.substr(at, end - at).c_str(), &next);
                        fat->release(*node);
                        *node = next;
                        at = end + 1;
                }
                return error;
        }

        static std::pair<std::string, std::string> split(const std::string &path)
        {
                const size_t slash = path.rfind('/');

                if (slash == std::string::npos)
                        return {"", path};
                return {path.substr(0, slash), path.substr(slash + 1)};
        }

        int create(const std::string &path, bool folder = false)
        {
                files_node *in, *node;
                int error = find(split(path).first, &in);

                if (error)
                        return error;
                error = fat->create(in, split(path).second.c_str(), folder, &node);
                if (!error)
                        fat->release(node);
                fat->release(in);
                return error;
        }

        int remove(const std::string &path, bool folder = false)
        {
                files_node *in;
                int error = find(split(path).first, &in);

                if (error)
                        return error;
                error = fat->remove(in, split(path).second.c_str(), folder);
                fat->release(in);
                return error;
        }

        int rename(const std::string &from, const std::string &to)
        {
                files_node *node = nullptr;
                const int absent = find(from, &node); /* keeps the copy between the calls */
                int error;

                do
                        error = rename_part(from, to);
                while (error == EINPROGRESS);
                if (!absent)
                        fat->release(node);
                return error;
        }

        int rename_part(const std::string &from, const std::string &to)
        {
                files_node *in, *out;
                int error = find(split(from).first, &in);

                if (error)
                        return error;
                error = find(split(to).first, &out);
                if (!error) {
                        error = fat->rename(in, split(from).second.c_str(), out,
                                            split(to).second.c_str());
                        fat->release(out);
                }
                fat->release(in);
                return error;
        }

        int write(const std::string &path, uint64_t offset, const std::string &data,
                  size_t *done = nullptr)
        {
                files_node *node;
                size_t bytes = 0;
                int error = find(path, &node);

                if (error)
                        return error;
                do
                        error = fat->write(node, offset, data.data(), data.size(), &bytes);
                while (error == EINPROGRESS);
                if (done)
                        *done = bytes;
                fat->release(node);
                return error;
        }

        int write_new(const std::string &path, const std::string &text)
        {
                const int error = create(path);

                return error ? error : write(path, 0, text);
        }

        /* Returns the number of free clusters, counted in the table. */
        uint32_t count_free()
        {
                struct ::fat *const of = (struct ::fat *)system;

                EXPECT_EQ(fat_table_count(of), 0);
                return of->free;
        }

        int resize(const std::string &path, uint64_t size)
        {
                files_node *node;
                int error = find(path, &node);

                if (error)
                        return error;
                do
                        error = fat->resize(node, size);
                while (error == EINPROGRESS);
                fat->release(node);
                return error;
        }

        std::string read(const std::string &path)
        {
                files_node *node;
                files_about about;
                std::string text;
                size_t done;

                if (find(path, &node))
                        return "absent";
                EXPECT_EQ(fat->stat(node, &about), 0);
                text.resize(about.size + 1);
                if (fat->read(node, 0, &text[0], text.size(), &done) || done != about.size)
                        text = "unreadable";
                else
                        text.resize(done);
                fat->release(node);
                return text;
        }

        std::set<std::string> list(const std::string &path)
        {
                std::set<std::string> names;
                char name[FILES_NAME_SIZE];
                uint64_t position = 0;
                files_about about;
                files_node *node;

                EXPECT_EQ(find(path, &node), 0);
                while (fat->list(node, &position, name, &about) == 0)
                        EXPECT_TRUE(
                                names.insert(name + std::string(about.folder ? "/" : "")).second);
                fat->release(node);
                return names;
        }

        static std::string noise(std::mt19937 &random, size_t size)
        {
                std::string text(size, 0);

                for (char &c : text)
                        c = (char)random();
                return text;
        }
};

#endif
