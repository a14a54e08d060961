// SPDX-License-Identifier: BSD-2-Clause
// System descriptions compared with reality: files, their segments, the machine.
#include <algorithm>
#include <string>
#include <vector>

#include "description_text.h"

namespace
{

struct Files : Description {
        Files(const std::string &text, const Words &names, bool strict = true) : Description(text)
        {
                std::vector<const char *> file;
                for (const auto &name : names)
                        file.push_back(name.c_str());
                nova_system_check_files(system.get(), file.data(),
                                        static_cast<unsigned>(file.size()), strict, report, this);
        }
};

TEST(files, that_the_description_names_are_all_that_is_needed)
{
        EXPECT_EQ(Files(A " modules disk.img\n", {"a", "disk.img"}).all(), "");
}

TEST(files, of_a_program_that_is_not_there_is_a_mistake)
{
        EXPECT_EQ(Files(A "program b\n file c\n", {"a"}).all(),
                  "3: the file 'c' of the program 'b' is not among the files of the system; add it "
                  "to its PROGRAMS.\n");
}

TEST(files, with_a_slip_in_the_name_are_guessed)
{
        EXPECT_EQ(Files("program greeter-of-the-whole-world\n modules disc.img\n",
                        {"greeter-of-the-hole-world", "disk.img"}, false)
                          .all(),
                  "1: the file 'greeter-of-the-whole-world' of the program "
                  "'greeter-of-the-whole-world' is not among the files of the system; did you mean "
                  "'greeter-of-the-hole-world'?\n"
                  "2: the module 'disc.img' is not among the files of the system; did you mean "
                  "'disk.img'?\n");
}

TEST(files, that_are_modules_and_not_there_are_a_mistake)
{
        EXPECT_EQ(Files(A " modules disk.img\n", {"a"}).all(),
                  "2: the module 'disk.img' is not among the files of the system; add it to its "
                  "MODULES.\n");
}

TEST(files, without_a_name_in_the_description_are_an_error_only_where_the_system_is_built)
{
        EXPECT_EQ(Files(A, {"a", "b"}).all(),
                  "0: the file 'b' comes with the system, but the description does not use it; "
                  "name it with 'file' or 'modules', or leave it out.\n");
        EXPECT_EQ(Files(A, {"a", "b"}, false).all(), "");
}

TEST(files, of_a_sealed_image_are_added_by_the_build)
{
        const std::string remedy = " is not among the files of the system; write 'SEALED "
                                   "guest.seal' in nova_add_system(), which adds sealed.img and "
                                   "machine.key, or add your own files to its MODULES.\n";

        EXPECT_EQ(Files(A " modules sealed.img machine.key\n", {"a"}).all(),
                  "2: the module 'sealed.img'" + remedy + "2: the module 'machine.key'" + remedy);
        EXPECT_EQ(Files(A " modules sealed.img\n", {"a", "sealed.ing"}, false).all(),
                  "2: the module 'sealed.img' is not among the files of the system; did you mean "
                  "'sealed.ing'?\n");
}

TEST(files, of_a_sealed_image_belong_to_monitor_and_ultravisor)
{
        EXPECT_EQ(Files(A, {"a", "sealed.img", "machine.key"}).all(),
                  "0: the file 'sealed.img' comes with the system, but the description does not "
                  "use it; write 'modules sealed.img' for the monitor of the secure guest, or "
                  "leave it out (SEALED or MODULES).\n"
                  "0: the file 'machine.key' comes with the system, but the description does not "
                  "use it; write 'modules machine.key' for the program ultravisor, or leave it "
                  "out (SEALED or MODULES).\n");
}

TEST(files, with_the_key_of_the_machine_may_belong_to_any_program_without_an_ultravisor)
{
        EXPECT_EQ(Files(A " modules machine.key\n", {"a", "machine.key"}).all(), "");
}

TEST(files, of_one_name_are_a_mistake)
{
        EXPECT_EQ(Files(A, {"a", "a"}).all(),
                  "0: two files are called 'a'; leave one out or rename "
                  "it, because modules are found by their names.\n");
}

TEST(machine, that_lacks_kernel_memory_is_a_mistake)
{
        Description d(A "program b\n");
        const nova_system_machine machine = {1 << 20, 192 << 10, 1};
        EXPECT_EQ(nova_system_check_machine(d.system.get(), &machine, Description::report, &d), 1u);
        EXPECT_EQ(d.all(),
                  "2: the programs up to 'b' together need 256 KiB of kernel-memory, but the "
                  "machine has 192 KiB for programs; give them less, or boot the kernel with a "
                  "larger kmem=.\n");
}

TEST(machine, with_gaps_in_its_cpus_runs_programs_on_all_of_them)
{
        Description d(A " cpus all\n");
        const nova_system_machine machine = {1 << 20, 1 << 20, 0x15};
        EXPECT_EQ(nova_system_check_machine(d.system.get(), &machine, Description::report, &d), 0u);
}

/* Segments count in addition to allocated memory, and have a bound of their own. */
TEST(description, counts_segments_as_far_as_they_are_known)
{
        Description d("machine\n  memory 8M\nprogram a\n  memory 4M\nprogram b\n  image 1M\n");
        ASSERT_EQ(d.all(), "");
        const nova_system_machine machine = nova_system_declared_machine(d.system.get());
        EXPECT_EQ(machine.memory, 8u << 20);
        d.system->program[0].image_bytes = 2 << 20;
        d.system->program[1].image_bytes = 1 << 20;
        EXPECT_EQ(nova_system_check_machine(d.system.get(), &machine, Description::report, &d), 0u);
        d.system->program[0].image_bytes = 17 << 20;
        d.system->program[1].image_bytes = (1 << 20) + 4096;
        EXPECT_EQ(nova_system_check_machine(d.system.get(), &machine, Description::report, &d), 3u);
        EXPECT_EQ(
                d.all(),
                "3: the segments of 'a' need 17408 KiB, but the limit of 'a' is 16384 KiB; write "
                "'image 17408K', or make its variables smaller.\n6: the segments of 'b' need 1028 "
                "KiB, but the limit of 'b' is 1024 KiB; write 'image 1028K', or make its variables "
                "smaller.\n4: the programs up to 'a' together need 21504 KiB of memory, but the "
                "machine has 8192 KiB for programs; give them less, or the machine more.\n");
}

/* Program headers of both classes. A segment that is never written, and whose contents are all in
 * the file, takes no memory. */
TEST(description, segments_of_a_file_are_measured)
{
        for (const bool wide : {false, true}) {
                std::vector<unsigned char> file(256);
                const auto put = [&](size_t at, uint64_t value, unsigned bytes) {
                        for (unsigned i = 0; i < bytes; i++)
                                file[at + i] = static_cast<unsigned char>(value >> 8 * i);
                };
                const unsigned word = wide ? 8 : 4, size = wide ? 56 : 32;
                const auto segment = [&](unsigned i, unsigned flags, uint64_t address,
                                         uint64_t in_file, uint64_t in_memory) {
                        const size_t at = 64 + i * size;
                        put(at, 1, 4);
                        put(at + (wide ? 4 : 24), flags, 4);
                        put(at + (wide ? 16 : 8), address, word);
                        put(at + (wide ? 32 : 16), in_file, word);
                        put(at + (wide ? 40 : 20), in_memory, word);
                };
                std::copy_n("\177ELF", 4, file.begin());
                file[4] = wide ? 2 : 1;
                put(wide ? 32 : 28, 64, word);
                put(wide ? 54 : 42, size, 2);
                put(wide ? 56 : 44, 3, 2);
                segment(0, 5, 0x400000, 0x5000, 0x5000);
                segment(1, 6, 0x405800, 0x10, 0x1000);
                segment(2, 4, 0x408000, 0x10, 0x20);
                EXPECT_EQ(nova_system_image_bytes(file.data(), file.size()), 0x3000u);
                for (size_t bytes = 0; bytes < 64u + 3 * size; bytes++) {
                        const std::vector<unsigned char> cut(file.begin(),
                                                             file.begin() + (long)bytes);
                        EXPECT_EQ(nova_system_image_bytes(cut.data(), cut.size()), 0u);
                }
                segment(1, 6, ~UINT64_C(0), 0, ~UINT64_C(0));
                EXPECT_GE(nova_system_image_bytes(file.data(), file.size()), 0xfffff000u);
                std::fill(file.begin() + 5, file.end(), static_cast<unsigned char>(0xff));
                EXPECT_EQ(nova_system_image_bytes(file.data(), file.size()), 0u);
        }
}

/* Services identify a client by eight characters. */
TEST(description, clients_of_a_service_differ_in_eight_characters)
{
        const std::string log = "program log\n  provides log\nprogram clock\n  provides clock\n";
        EXPECT_EQ(Description(log + "program sensor-left\n  uses clock log\n"
                                    "program sensor-light\n  uses log\n")
                          .all(),
                  "7: 'sensor-light' and 'sensor-left' (line 5) have the same first 8 characters, "
                  "by which the service 'log' distinguishes them; rename one, and name its file "
                  "with 'file'.\n");
        EXPECT_EQ(Description(log + "program sensor-left\n  uses clock\n"
                                    "program sensor-light\n  uses log\n"
                                    "program sensor-light2\n"
                                    "program sensor\n  uses log clock\n")
                          .all(),
                  "");
}

} // namespace
