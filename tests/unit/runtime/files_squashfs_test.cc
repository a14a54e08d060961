/* SPDX-License-Identifier: BSD-2-Clause */
/* The file system squashfs in the service `files`, with images of mksquashfs. */
#include "files_disk.h"

extern "C" {
#include "squashfs/squashfs.h"
}

#include <filesystem>
#include <map>
#include <random>
#include <set>

namespace
{

/* Returns text that compresses, or noise. */
std::string make_content(unsigned number, size_t size, bool noise)
{
        std::mt19937 random(number);
        std::string text;

        while (text.size() < size)
                text += noise ? std::string(1, (char)random())
                              : "line " + std::to_string(random() % 1000) + "\n";
        text.resize(size);
        return text;
}

/* Makes files of all kinds: empty, in a fragment, of several blocks, with a hole, and a large
 * folder. */
std::map<std::string, std::string> make_files()
{
        std::map<std::string, std::string> files = {
                {"empty", ""},
                {"small", "a few bytes"},
                {"noise", make_content(1, 150000, true)},
                {"numbers", make_content(2, 300000, false)},
                {"hole", std::string(200000, 0) + "end"},
                {"deep/folder/file", "at the bottom"},
                {"blocks", make_content(3, 65536, false)},
        };

        for (unsigned i = 0; i < 700; i++)
                files["many/a file with the number " + std::to_string(i)] = std::to_string(i);
        return files;
}

struct files_squashfs_test : testing::Test {
        memory_disk memory;
        files_system *system = nullptr;
        const char *sentence = nullptr;
        std::map<std::string, std::string> files = make_files();

        /* Makes an image. */
        void make(const std::string &options)
        {
                const std::string folder = memory.path + ".folder";

                std::filesystem::remove_all(folder);
                for (const auto &[path, content] : files) {
                        std::filesystem::create_directories(
                                std::filesystem::path(folder + "/" + path).parent_path());
                        std::ofstream(folder + "/" + path, std::ios::binary) << content;
                }
                std::filesystem::create_symlink("small", folder + "/link");

                const auto result =
                        run_command("mksquashfs " + folder + " " + memory.path +
                                    " -noappend -all-root -no-progress -quiet " + options);

                std::filesystem::remove_all(folder);
                ASSERT_EQ(result.first, 0) << result.second;
                memory.load();
        }

        std::string read_all(files_node *node, size_t step)
        {
                std::string text, part(step, 0);
                size_t done = 1;

                while (done) {
                        EXPECT_EQ(files_squashfs.read(node, text.size(), part.data(), step, &done),
                                  0);
                        text += part.substr(0, done);
                }
                return text;
        }

        /* Reads all files below a folder. */
        void collect(files_node *folder, const std::string &above,
                     std::map<std::string, std::string> &found)
        {
                char name[FILES_NAME_SIZE];
                uint64_t position = 0;
                files_about about;
                files_node *node;
                int error;

                while ((error = files_squashfs.list(folder, &position, name, &about)) == 0) {
                        ASSERT_EQ(files_squashfs.lookup(folder, name, &node), 0) << name;
                        if (about.folder) {
                                collect(node, above + name + "/", found);
                        } else {
                                EXPECT_EQ(found.count(above + name), 0U) << "listed once";
                                found[above + name] = read_all(node, 5000);
                                EXPECT_EQ(about.size, found[above + name].size());
                        }
                        files_squashfs.release(node);
                }
                EXPECT_EQ(error, ENOENT);
        }

        void expect_files()
        {
                std::map<std::string, std::string> found;
                files_node *root;

                ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0) << sentence;
                ASSERT_EQ(system->backend, &files_squashfs);
                EXPECT_TRUE(system->read_only);
                ASSERT_EQ(files_squashfs.root(system, &root), 0);
                collect(root, "", found);
                files_squashfs.release(root);
                files_squashfs.unmount(system);
                EXPECT_EQ(found.size(), files.size());
                EXPECT_TRUE(found == files);
        }
};

TEST_F(files_squashfs_test, reads_all_files_with_blocks_of_several_sizes)
{
        for (const char *options :
             {"-comp lz4", "-comp lz4 -Xhc -b 4096", "-comp lz4 -b 1M", "-comp lz4 -no-fragments",
              "-comp lz4 -noI -noD -noF", "-comp lz4 -always-use-fragments -b 16K"}) {
                SCOPED_TRACE(options);
                make(options);
                expect_files();
        }
}

TEST_F(files_squashfs_test, reads_from_memory_and_from_large_sectors)
{
        make("-comp lz4");
        memory.disk.block_bytes = 4096;
        expect_files();

        const std::vector<uint8_t> copy = memory.bytes;

        memory.disk.memory = copy.data();
        memory.disk.block_bytes = 1;
        expect_files();
}

TEST_F(files_squashfs_test, reads_any_part_in_any_order)
{
        files_node *root, *node;
        std::mt19937 random(1);
        std::string part(40000, 0);

        make("-comp lz4 -b 8K");
        ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0);
        ASSERT_EQ(files_squashfs.root(system, &root), 0);
        ASSERT_EQ(files_squashfs.lookup(root, "numbers", &node), 0);
        for (unsigned i = 0; i < 500; i++) {
                const size_t at = random() % 310000, bytes = random() % part.size();
                size_t done;

                ASSERT_EQ(files_squashfs.read(node, at, part.data(), bytes, &done), 0);
                EXPECT_EQ(part.substr(0, done),
                          at < 300000 ? files["numbers"].substr(at, bytes) : "");
        }
        EXPECT_EQ(files_squashfs.lookup(root, "absent", &node), ENOENT);
        EXPECT_EQ(files_squashfs.lookup(root, "link", &node), ENOENT);
        files_squashfs.release(node);
        files_squashfs.release(root);
        files_squashfs.unmount(system);
}

TEST_F(files_squashfs_test, reads_no_byte_after_the_end_of_a_block)
{
        const size_t tail_at = 262144, tail_bytes = 300000 - tail_at;
        std::string part(tail_bytes, 0);
        files_node *root, *node;
        size_t done;

        make("-comp lz4 -always-use-fragments");
        ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0);
        ASSERT_EQ(files_squashfs.root(system, &root), 0);
        ASSERT_EQ(files_squashfs.lookup(root, "numbers", &node), 0);
        ASSERT_EQ(files_squashfs.read(node, tail_at, part.data(), tail_bytes, &done), 0);
        EXPECT_EQ(part, files["numbers"].substr(tail_at));

        /* The block with the end of the file and the ends of other files. */
        const auto *squashfs = (const struct squashfs *)system;
        const squashfs_block *block =
                &squashfs->data[squashfs->data[1].used > squashfs->data[0].used];
        auto *file = (squashfs_node *)node;

        file->tail = block->length - (uint32_t)tail_bytes;
        EXPECT_EQ(files_squashfs.read(node, tail_at, part.data(), tail_bytes, &done), 0);
        file->tail++;
        EXPECT_EQ(files_squashfs.read(node, tail_at, part.data(), tail_bytes, &done), EIO);
        file->tail = UINT32_MAX;
        EXPECT_EQ(files_squashfs.read(node, tail_at, part.data(), tail_bytes, &done), EIO);
        files_squashfs.release(node);
        files_squashfs.release(root);
        files_squashfs.unmount(system);
}

/* The service ends a path whose lookups read too much. */
TEST_F(files_squashfs_test, counts_the_part_of_a_folder_that_a_lookup_reads)
{
        files_node *root, *many, *node;

        make("-comp lz4");
        ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0) << sentence;
        ASSERT_EQ(files_squashfs.root(system, &root), 0);
        ASSERT_EQ(files_squashfs.lookup(root, "many", &many), 0);
        system->work = 0;
        EXPECT_EQ(files_squashfs.lookup(many, "z", &node), ENOENT);
        EXPECT_GT(system->work, 700 * strlen("a file with the number 1"));
        EXPECT_LT(system->work, FILES_FOLDER_WORK);
        files_squashfs.release(many);
        files_squashfs.release(root);
        files_squashfs.unmount(system);
}

TEST_F(files_squashfs_test, reads_no_metadata_after_a_short_block)
{
        const uint8_t block[] = {1, 0x80, 'x'};
        uint8_t byte;

        make("-comp lz4");

        const size_t end = memory.bytes.size();
        struct squashfs_place place = {end, 0};

        for (unsigned i = 0; i < 512; i++)
                memory.bytes.push_back(i < 30 ? block[i % 3] : 0);
        memory.disk.bytes = memory.bytes.size();
        ASSERT_EQ(files_mount(&memory.disk, &system, &sentence), 0) << sentence;

        struct squashfs *const squashfs = (struct squashfs *)system;

        squashfs->end = memory.bytes.size();
        EXPECT_EQ(squashfs_read_metadata(squashfs, &place, &byte, 1), 0);
        EXPECT_EQ(byte, 'x');
        EXPECT_EQ(squashfs_read_metadata(squashfs, &place, &byte, 1), EIO);
        files_squashfs.unmount(system);
}

TEST_F(files_squashfs_test, names_the_compression_that_it_lacks)
{
        for (const char *options : {"-comp gzip", "-comp zstd", "-comp xz"}) {
                make(options);
                EXPECT_EQ(files_mount(&memory.disk, &system, &sentence), ENOTSUP);
                EXPECT_STREQ(sentence,
                             "it is not compressed with LZ4; use `mksquashfs -comp lz4`.");
        }
}

TEST_F(files_squashfs_test, refuses_an_image_whose_end_is_missing)
{
        make("-comp lz4");
        memory.bytes.resize(memory.bytes.size() / 2 / 512 * 512);
        memory.disk.bytes = memory.bytes.size();
        EXPECT_EQ(files_mount(&memory.disk, &system, &sentence), EIO);
}

/* Walks through a damaged file system, with a limit of steps. Only errors are allowed. */
struct walker {
        unsigned steps = 0, errors = 0, reads = 0;

        void visit(files_node *folder, unsigned depth)
        {
                char name[FILES_NAME_SIZE];
                uint64_t position = 0;
                files_about about;
                files_node *node;
                int error = 0;

                while (!error && ++steps < 60) {
                        error = files_squashfs.list(folder, &position, name, &about);
                        errors += error != 0 && error != ENOENT;
                        if (error || files_squashfs.lookup(folder, name, &node) != 0)
                                continue;
                        if (((squashfs_node *)node)->folder)
                                depth < 8 ? visit(node, depth + 1) : (void)0;
                        else
                                read(node);
                        files_squashfs.release(node);
                }
        }

        void read(files_node *node)
        {
                static char data[70000];
                files_about about;
                size_t done;

                files_squashfs.stat(node, &about);
                for (const uint64_t at : {uint64_t(0), about.size / 2, about.size - 1}) {
                        errors += files_squashfs.read(node, at, data, sizeof(data), &done) != 0;
                        reads++;
                        EXPECT_LE(done, sizeof(data));
                }
        }
};

TEST_F(files_squashfs_test, ends_with_errors_on_damaged_images)
{
        std::mt19937 random(18);
        unsigned refused = 0, errors = 0, reads = 0;

        /* Without compression the damage is in the structures themselves. */
        for (const char *options : {"-comp lz4", "-comp lz4 -noI -noD -noF"}) {
                make(options);

                const std::vector<uint8_t> whole = memory.bytes;
                /* The structures lie after the data. */
                const size_t inodes = (size_t)squashfs_get64(&whole[64]);

                for (unsigned i = 0; i < 500; i++) {
                        /* A copy of the exact size, so the sanitizer sees each access beyond it. */
                        std::vector<uint8_t> image(whole);
                        const unsigned changes = 1 + random() % 4;
                        walker walk;
                        files_node *root;

                        for (unsigned j = 0; j < changes; j++) {
                                const size_t at =
                                        random() % 4 == 0 ? random() % 96
                                        : random() % 3 ? inodes + random() % (whole.size() - inodes)
                                                       : random() % whole.size();

                                image[at] = random() % 2 ? (uint8_t)random() : 0xff;
                        }
                        memory.disk.memory = image.data();
                        memory.disk.block_bytes = 1;
                        if (files_mount(&memory.disk, &system, &sentence) != 0) {
                                refused++;
                                continue;
                        }
                        if (system->backend == &files_squashfs &&
                            files_squashfs.root(system, &root) == 0) {
                                walk.visit(root, 0);
                                files_squashfs.release(root);
                        }
                        system->backend->unmount(system);
                        errors += walk.errors;
                        reads += walk.reads;
                }
                memory.disk.memory = nullptr;
                memory.disk.block_bytes = 512;
        }
        EXPECT_GT(refused, 20U);
        EXPECT_GT(errors, 100U);
        EXPECT_GT(reads, 1000U);
}

TEST(lz4_test, stays_inside_of_its_buffers)
{
        std::mt19937 random(1);

        for (unsigned i = 0; i < 200000; i++) {
                std::vector<uint8_t> from(1 + random() % 24), to(random() % 64);

                for (uint8_t &byte : from)
                        byte = (uint8_t)(random() % 3 ? random() % 40 : random());
                EXPECT_LE(lz4_unpack(from.data(), from.size(), to.data(), to.size()),
                          (long)to.size());
        }
}

} // namespace
