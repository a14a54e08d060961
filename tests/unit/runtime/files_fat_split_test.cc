/* SPDX-License-Identifier: BSD-2-Clause */
/* Data that other systems write into two sectors, so that a loss of power can leave half of it:
 * entries of the table of FAT12, where half of the new value is another cluster, and long names. */
#include "files_fat.h"

namespace
{

constexpr unsigned crossing = 341; /* the first cluster whose entry crosses a sector */
constexpr size_t sector = 512;

struct files_fat_split_test : testing::Test, mounted_disk {
        std::mt19937 random{5};
        std::string full = "nothing"; /* content of a file that has all other clusters */
        std::vector<uint8_t> start;

        size_t table(unsigned copy) const
        {
                return (memory.bytes[14] + copy * memory.bytes[22]) * sector;
        }

        void set_entry(unsigned cluster, unsigned value)
        {
                for (unsigned copy = 0; copy < memory.bytes[16]; copy++) {
                        uint8_t *at = &memory.bytes[table(copy) + cluster + cluster / 2];
                        const unsigned old = at[0] | (unsigned)at[1] << 8;
                        const unsigned word =
                                cluster % 2 ? (old & 0xf) | value << 4 : (old & 0xf000) | value;

                        at[0] = (uint8_t)word;
                        at[1] = (uint8_t)(word >> 8);
                }
        }

        uint8_t *data(unsigned cluster)
        {
                const size_t root = memory.bytes[17] | (size_t)memory.bytes[18] << 8;

                return &memory.bytes[table(memory.bytes[16]) + root * 32 + (cluster - 2) * sector];
        }

        /* Sets the first cluster of an entry of the root. */
        void set_first(const char *name, unsigned cluster)
        {
                uint8_t *entry = &memory.bytes[table(memory.bytes[16])];

                while (memcmp(entry, name, strlen(name)) != 0)
                        entry += 32;
                entry[26] = (uint8_t)cluster;
                entry[27] = (uint8_t)(cluster >> 8);
        }

        /* Makes a disk with two files. FILE has these clusters, which are below cluster 8, and FULL
         * has all clusters that could still be allocated. */
        void make(const std::vector<unsigned> &clusters, const std::string &content)
        {
                memory.format("-F 12 -s 1", 1400);
                mount();
                ASSERT_EQ(create("FILE"), 0);
                ASSERT_EQ(write("FILE", 0, std::string(6 * sector, 'f')), 0);
                ASSERT_EQ(create("FULL"), 0);
                full = noise(random, 2000000);

                size_t done;

                ASSERT_EQ(write("FULL", 0, full, &done), ENOSPC);
                full.resize(done);
                ASSERT_EQ(resize("FILE", content.size()), 0);
                unmount();
                for (unsigned i = 2; i < 8; i++)
                        set_entry(i, 0);
                for (size_t i = 0; i < clusters.size(); i++) {
                        set_entry(clusters[i], i + 1 < clusters.size() ? clusters[i + 1] : 0xfff);
                        memcpy(data(clusters[i]), &content[i * sector],
                               std::min(sector, content.size() - i * sector));
                }
                set_first("FILE", clusters[0]);
                start = memory.bytes;
                mount();
                ASSERT_TRUE(read("FILE") == content);
                ASSERT_TRUE(read("FULL") == full);
                memory.log.clear();
                memory.logging = true;
        }

        /* Makes the disk that a loss of power leaves. */
        void lose_power(size_t at)
        {
                size_t flush = at;

                while (flush && !memory.log[flush - 1].bytes.empty())
                        flush--;
                memory.bytes = start;
                for (size_t i = 0; i < at; i++)
                        if (i < flush || random() % 2)
                                std::copy(memory.log[i].bytes.begin(), memory.log[i].bytes.end(),
                                          memory.bytes.begin() +
                                                  (std::ptrdiff_t)memory.log[i].offset);
        }

        /* Expects after each loss that FILE begins as before and can grow, and that FULL is
         * whole. */
        void expect_whole(const std::string &begin, size_t other_size)
        {
                memory.logging = false;
                unmount();
                expect_clean();
                for (size_t at = 0; at <= memory.log.size(); at++)
                        for (unsigned i = 0; i < 16; i++) {
                                SCOPED_TRACE("after " + std::to_string(at) + " records");
                                lose_power(at);
                                mount();

                                const std::string content = read("FILE");

                                ASSERT_TRUE(content.size() == begin.size() ||
                                            content.size() == other_size)
                                        << content.size();
                                ASSERT_TRUE(content.substr(0, begin.size()) == begin);
                                ASSERT_EQ(write("FILE", content.size(), "x"), 0);
                                ASSERT_TRUE(read("FILE") == content + "x");
                                ASSERT_TRUE(read("FULL") == full);
                                unmount();
                        }
        }
};

TEST_F(files_fat_split_test, a_file_with_such_a_last_cluster_grows)
{
        for (const std::vector<unsigned> &clusters :
             {std::vector<unsigned>{2, 3, crossing}, std::vector<unsigned>{crossing}}) {
                const std::string content = noise(random, clusters.size() * sector);

                make(clusters, content);
                ASSERT_EQ(write("FILE", content.size(), "more"), 0);
                ASSERT_TRUE(read("FILE") == content + "more");
                expect_whole(content, content.size() + 4);
        }
}

TEST_F(files_fat_split_test, a_file_shrinks_to_such_a_last_cluster)
{
        for (const std::vector<unsigned> &clusters :
             {std::vector<unsigned>{2, crossing, 5, 6}, std::vector<unsigned>{crossing, 5, 6}}) {
                const std::string content = noise(random, clusters.size() * sector);
                const std::string rest = content.substr(0, content.size() - 2 * sector);

                make(clusters, content);
                ASSERT_EQ(resize("FILE", rest.size()), 0);
                ASSERT_TRUE(read("FILE") == rest);
                expect_whole(rest, content.size());
        }
}

TEST_F(files_fat_split_test, a_folder_with_such_a_last_cluster_does_not_grow)
{
        memory.format("-F 12 -s 1", 1400);
        mount();
        ASSERT_EQ(create("FOLDER", true), 0);
        unmount();
        set_entry(2, 0);
        set_entry(crossing, 0xfff);
        memcpy(data(crossing), data(2), sector);
        set_first("FOLDER", crossing);
        data(crossing)[26] = crossing & 0xff;
        data(crossing)[27] = crossing >> 8;
        mount();
        for (unsigned i = 0; i < 14; i++)
                ASSERT_EQ(create("FOLDER/" + std::to_string(i)), 0);
        EXPECT_EQ(create("FOLDER/14"), ENOSPC);
        EXPECT_EQ(remove("FOLDER/3"), 0);
        EXPECT_EQ(create("FOLDER/14"), 0);
        unmount();
        expect_clean();
}

TEST_F(files_fat_split_test, a_removed_name_in_two_sectors_leaves_no_file)
{
        std::vector<std::string> names;
        bool whole = false, gone = false, orphan = false;

        memory.format("-F 16 -s 4", 20000);
        std::ofstream(memory.path + ".in") << "from the host";
        for (unsigned i = 0; i < 4; i++) { /* five entries each; the last name is in two sectors */
                names.push_back("a name of the host with five entries, number " +
                                std::to_string(i));

                const auto result = run_command("mcopy -i " + memory.path + " " + memory.path +
                                                ".in '::" + names.back() + "'");

                ASSERT_EQ(result.first, 0) << result.second;
        }
        unlink((memory.path + ".in").c_str());
        memory.load();
        mount();
        start = memory.bytes;

        const std::set<std::string> before = list("");

        ASSERT_EQ(before, std::set<std::string>(names.begin(), names.end()));
        memory.logging = true;
        ASSERT_EQ(remove(names[3]), 0);
        unmount();
        memory.logging = false;
        memory.disk.read_only = true;
        for (unsigned i = 0; i < 64; i++) {
                lose_power(random() % (memory.log.size() + 1));

                const std::string text = memory.check().second;

                orphan = orphan || text.find("Orphaned long file name") != std::string::npos;
                EXPECT_EQ(text.find("outside a LFN"), std::string::npos) << text;
                mount();

                const std::set<std::string> after = list("");

                whole = whole || after == before;
                gone = gone || after.size() == 3;
                EXPECT_TRUE(after == before || after.size() == 3);
                for (const std::string &name : after)
                        EXPECT_TRUE(before.count(name)) << name;
                fat->unmount(system);
                system = nullptr;
        }
        EXPECT_TRUE(whole && gone && orphan);
}

} // namespace
