/* SPDX-License-Identifier: BSD-2-Clause */
/* The RAM disk's archive reader: the files it lists, and every reason to refuse an archive. */
extern "C" {
#include "archive.h"
}

#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

using block = std::string;

void seal(block &b)
{
        unsigned sum = 0;
        b.replace(148, 8, 8, ' ');
        for (const char c : b)
                sum += (unsigned char)c;
        char text[16];
        snprintf(text, sizeof(text), "%06o", sum);
        b.replace(148, 7, std::string(text, 7));
}

block header(const std::string &name, const std::string &size, char type = '0',
             const std::string &prefix = "")
{
        block b(512, '\0');
        b.replace(0, name.size(), name);
        b.replace(124, size.size(), size);
        b[156] = type;
        b.replace(257, 8, std::string("ustar\00000", 8));
        b.replace(345, prefix.size(), prefix);
        seal(b);
        return b;
}

std::string entry(const std::string &name, const std::string &data, char type = '0',
                  const std::string &prefix = "")
{
        char size[16];
        snprintf(size, sizeof(size), "%011o", (unsigned)data.size());
        std::string all = header(name, size, type, prefix) + data;
        all.resize((all.size() + 511) / 512 * 512);
        return all;
}

const std::string end(1024, '\0');

std::string refused(const std::string &bytes)
{
        const char *error = nullptr;
        /* The copy lets the sanitizer see each access beyond the end. */
        const std::vector<char> exact(bytes.begin(), bytes.end());
        EXPECT_EQ(archive_check(exact.data(), exact.size(), &error), -1);
        return error ? error : "";
}

TEST(archive, lists_regular_files_with_their_data)
{
        const std::string bytes = entry("./dir/", "", '5') + entry("./dir/one", "first") +
                                  entry("two", std::string(600, 'x')) +
                                  entry("name", "y", '0', "long/prefix") + end;
        archive a;
        archive_file file;

        archive_begin(&a, bytes.data(), bytes.size());
        ASSERT_TRUE(archive_next(&a, &file));
        EXPECT_STREQ(file.name, "dir/one");
        EXPECT_EQ(std::string((const char *)file.data, file.size), "first");
        ASSERT_TRUE(archive_next(&a, &file));
        EXPECT_STREQ(file.name, "two");
        EXPECT_EQ(file.size, 600u);
        ASSERT_TRUE(archive_next(&a, &file));
        EXPECT_STREQ(file.name, "long/prefix/name");
        EXPECT_FALSE(archive_next(&a, &file));
        EXPECT_EQ(a.error, nullptr);
        EXPECT_FALSE(archive_next(&a, &file)) << "it stays at its end";
}

TEST(archive, may_end_without_empty_blocks)
{
        const std::string bytes = entry("one", "first");
        const char *error;
        EXPECT_EQ(archive_check(bytes.data(), bytes.size(), &error), 1);
}

TEST(archive, refuses_nothing_at_all)
{
        EXPECT_EQ(refused(""), "the archive ends inside a header.");
}

TEST(archive, refuses_an_end_inside_of_a_header)
{
        EXPECT_EQ(refused(entry("one", "first") + "rest"), "the archive ends inside a header.");
}

TEST(archive, refuses_an_archive_that_is_not_ustar)
{
        EXPECT_EQ(refused(std::string(512, 'a')),
                  "a header is not in ustar format; create the archive with tar --format=ustar.");
}

TEST(archive, refuses_entries_that_change_the_name_or_data_of_the_next_file)
{
        for (const char type : {'L', 'K', 'S', 'x'})
                EXPECT_EQ(refused(entry("long", "name", type) + entry("one", "x") + end),
                          "an entry is not in ustar format; create the archive with tar "
                          "--format=ustar.");
        const std::string bytes = entry("comment", "17 comment=abcdef\n", 'g') + entry("one", "x");
        const char *error = nullptr;
        EXPECT_EQ(archive_check(bytes.data(), bytes.size(), &error), 1);
}

TEST(archive, refuses_a_wrong_checksum)
{
        std::string bytes = entry("one", "first");
        bytes[0] ^= 1;
        EXPECT_EQ(refused(bytes), "the checksum of a header is wrong; create the archive again.");
}

TEST(archive, refuses_a_size_that_is_not_an_octal_number)
{
        for (const char *size : {"", "0000000000x", "\x80\x01", "89"})
                EXPECT_EQ(refused(header("one", size) + end),
                          "the size of a file is not an octal number.");
}

TEST(archive, refuses_data_beyond_its_end)
{
        for (const char *size : {"00000002001", "77777777777", "777777777777"})
                EXPECT_EQ(refused(header("one", size) + end),
                          "a file extends past the end of the archive.");
}

TEST(archive, refuses_names_that_are_empty_or_lead_outside)
{
        for (const char *name : {"", ".", "/", "./", "..", "../one", "a/../../b", "bell\a"})
                EXPECT_EQ(refused(entry(name, "") + end),
                          "the name of a file is empty or too long, or leads out of the archive.")
                        << name;
}

TEST(archive, keeps_the_longest_name_and_refuses_a_longer_one)
{
        const std::string prefix(155, 'p'), name(99, 'n');
        const std::string bytes = entry(name, "", '0', prefix) + end;
        const char *error;
        EXPECT_EQ(archive_check(bytes.data(), bytes.size(), &error), 1);
        EXPECT_NE(refused(entry(name + "n", "", '0', prefix) + end), "");
}

} // namespace
