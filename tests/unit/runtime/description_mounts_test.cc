// SPDX-License-Identifier: BSD-2-Clause
// Mounts of the service `files` in system descriptions.
#include "description_text.h"

namespace
{

// Returns the messages about a system with the service, its disk and the partitions of this disk.
std::string mistakes(const std::string &mounts, const std::string &grants = "files=1 files=home")
{
        const std::string disk = "program disk\n provides disk\n";
        const std::string partitions =
                "program partitions\n uses disk\n provides partitions\n arguments disk " + grants;
        const std::string files =
                "\nprogram files\n uses disk partitions\n provides files\n arguments " + mounts;

        return Description(disk + partitions + files + "\n").all();
}

#define SAME(one, other)                                                                        \
        "10: 'files' mounts the disk 'disk', or a part of it, at " other                        \
        ", and 'files' mounts the same blocks at " one "; remove one of the two mounts, which " \
        "would damage the file system.\n"

TEST(description_mounts, refuses_a_disk_and_a_partition_of_it)
{
        EXPECT_EQ(mistakes(R"("mount /a partitions 1" "mount /b disk")"), SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a disk" "mount /b partitions home")"), SAME("/a", "/b"));
}

TEST(description_mounts, refuses_a_partition_twice)
{
        EXPECT_EQ(mistakes(R"("mount /a partitions 1" "mount /b partitions 1")"), SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a partitions 1" "mount /b partitions 01")"),
                  SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a partitions home" "mount  /b  partitions  home ")"),
                  SAME("/a", "/b"));
}

TEST(description_mounts, refuses_a_reader_beside_a_writer)
{
        EXPECT_EQ(mistakes(R"("mount /a partitions 1 read-only" "mount /b partitions 1")"),
                  SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a disk" "mount /b disk read-only")"), SAME("/a", "/b"));
}

TEST(description_mounts, knows_the_partition_that_a_program_gets_without_a_number)
{
        EXPECT_EQ(mistakes(R"("mount /a partitions" "mount /b partitions 1")"), SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a partitions" "mount /b partitions home")"), "");
        EXPECT_EQ(mistakes(R"("mount /a partitions" "mount /b partitions 2")",
                           "file=1 filesx=1 files=2,requests=3 files=1"),
                  SAME("/a", "/b"));
        EXPECT_EQ(mistakes(R"("mount /a partitions" "mount /b disk")", "other=1"), "");
}

TEST(description_mounts, knows_partitions_that_a_program_cannot_write)
{
        const std::string mounts = R"("mount /a partitions" "mount /b partitions 1 read-only")";

        EXPECT_EQ(mistakes(mounts, "files=1"), SAME("/a", "/b"));
        EXPECT_EQ(mistakes(mounts, "files=1,requests=2,read-only"), "");
        EXPECT_EQ(mistakes(mounts, "files=1,read-only,requests=2"), "");
        EXPECT_EQ(mistakes(mounts, "files=1 files=2,read-only other=1,read-only"),
                  SAME("/a", "/b"));
}

TEST(description_mounts, permits_other_mounts)
{
        EXPECT_EQ(mistakes(R"("mount /a partitions 1" "mount /b partitions 2")"), "");
        EXPECT_EQ(mistakes(R"("mount /a partitions 1" "mount /b partitions home")"), "");
        EXPECT_EQ(mistakes(R"("mount /a disk read-only" "mount /b partitions 1 read-only")"), "");
        EXPECT_EQ(mistakes(R"("mount /a module disk" "mount /b module disk" "give a /a")"), "");
        EXPECT_EQ(mistakes(R"(mount "mount" "mount /a" "mount /a unknown" "mount /b unknown")"),
                  "");
        EXPECT_EQ(mistakes("-", "files").find("mounts"), std::string::npos);
}

TEST(description_mounts, looks_only_at_programs_of_the_file)
{
        const std::string other = R"( arguments "mount /a disk" "mount /b disk")";

        EXPECT_EQ(Description("program disk\n provides disk\nprogram files\n file mine\n uses "
                              "disk\n" +
                              other + "\n")
                          .all(),
                  "");
        EXPECT_NE(Description("program disk\n provides disk\nprogram mine\n file files\n uses "
                              "disk\n" +
                              other + "\n")
                          .all(),
                  "");
}

TEST(description_mounts, names_both_programs)
{
        EXPECT_EQ(Description("program disk\n provides disk\n"
                              "program a\n file files\n uses disk\n arguments \"mount /a disk\"\n"
                              "program b\n file files\n uses disk\n arguments \"mount /b disk\"\n")
                          .all(),
                  "10: 'b' mounts the disk 'disk', or a part of it, at /b, and 'a' mounts the same "
                  "blocks at /a; remove one of the two mounts, which would damage the file "
                  "system.\n");
}

} // namespace
