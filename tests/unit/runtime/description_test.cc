// SPDX-License-Identifier: BSD-2-Clause
// System descriptions: the contents of valid ones, and the message about each error.
#include <string>

#include "description_text.h"

namespace
{

TEST(description, of_one_word_and_a_name_has_a_default_for_everything)
{
        Description d("program hello");
        ASSERT_EQ(d.all(), "");
        ASSERT_EQ(d.system->programs, 1u);
        const auto &p = d.program(0);
        EXPECT_STREQ(p.name, "hello");
        EXPECT_STREQ(p.file, "hello");
        EXPECT_EQ(p.memory, 256u << 10);
        EXPECT_EQ(p.image, 16u << 20);
        EXPECT_EQ(p.kernel_memory, 128u << 10);
        EXPECT_EQ(p.selectors, 1024u);
        EXPECT_EQ(p.cpus, 1u);
        EXPECT_EQ(p.priority, 64u);
        EXPECT_EQ(p.restart, NOVA_SYSTEM_NEVER);
        EXPECT_EQ(p.grants, 0u);
        EXPECT_EQ(p.line, 1u);
}

TEST(description, says_all_properties_of_a_program)
{
        Description d("# comment\n"
                      "program a # and another\n"
                      "\tfile b.elf\r\n"
                      "  arguments one \"two three\" \"a \\\"b\\\" # c\\\\\" \"\"\n"
                      "  environment A=1 B=\n"
                      "  memory 2M\n"
                      "  image 32M\n"
                      "  kernel-memory 0x40000\n"
                      "  selectors 64\n"
                      "  cpus 0-2 5\n"
                      "  priority 255\n"
                      "  provides x y\n"
                      "  devices rtc\n"
                      "  modules m1 m2\n"
                      "  restart always limit 3\n"
                      "  grants power children status\n"
                      "program b\n"
                      "  uses x y\n"
                      "  cpus all\n"
                      "  restart on-failure");
        ASSERT_EQ(d.all(), "");
        const auto &p = d.program(0);
        EXPECT_STREQ(p.file, "b.elf");
        EXPECT_EQ(d.words(p.arguments), (Words{"one", "two three", "a \"b\" # c\\", ""}));
        EXPECT_EQ(d.words(p.environment), (Words{"A=1", "B="}));
        EXPECT_EQ(p.memory, 2u << 20);
        EXPECT_EQ(p.image, 32u << 20);
        EXPECT_EQ(p.kernel_memory, 0x40000u);
        EXPECT_EQ(p.selectors, 64u);
        EXPECT_EQ(p.cpus, 0x27u);
        EXPECT_EQ(p.priority, 255u);
        EXPECT_EQ(d.words(p.provides), (Words{"x", "y"}));
        EXPECT_EQ(d.words(p.devices), (Words{"rtc"}));
        EXPECT_EQ(d.words(p.modules), (Words{"m1", "m2"}));
        EXPECT_EQ(p.restart, NOVA_SYSTEM_ALWAYS);
        EXPECT_EQ(p.restart_limit, 3u);
        EXPECT_EQ(p.grants, unsigned(NOVA_SYSTEM_GRANT_POWER | NOVA_SYSTEM_GRANT_CHILDREN |
                                     NOVA_SYSTEM_GRANT_STATUS));
        EXPECT_EQ(d.words(d.program(1).uses), (Words{"x", "y"}));
        EXPECT_EQ(d.program(1).cpus, ~uint64_t{0});
        EXPECT_EQ(d.program(1).restart, NOVA_SYSTEM_ON_FAILURE);
        EXPECT_EQ(d.program(1).restart_limit, 0u);
}

TEST(description, lists_the_resources_of_a_declared_device)
{
        Description d("device uart2\n"
                      " ports 0x2f8-0x2ff 0x10\n"
                      " memory 0xfed00000-0xfed00fff\n"
                      " interrupts 3\n"
                      "program p\n devices uart2\n");
        ASSERT_EQ(d.all(), "");
        const int number = nova_system_find_device(d.system.get(), "uart2");
        ASSERT_GE(number, 0);
        const auto &device = d.system->device[number];
        ASSERT_EQ(device.ports.count, 2);
        EXPECT_EQ(d.system->range[device.ports.first].first, 0x2f8u);
        EXPECT_EQ(d.system->range[device.ports.first].last, 0x2ffu);
        EXPECT_EQ(d.system->range[device.ports.first + 1].last, 0x10u);
        EXPECT_EQ(d.system->range[device.memory.first].first, 0xfed00000u);
        EXPECT_EQ(d.system->range[device.interrupts.first].first, 3u);
}

TEST(description, puts_providers_before_their_users)
{
        Description d(
                "program c\n uses b\nprogram b\n uses a\n provides b\nprogram a\n provides a\n");
        ASSERT_EQ(d.all(), "");
        EXPECT_EQ(d.system->order[0], 2);
        EXPECT_EQ(d.system->order[1], 1);
        EXPECT_EQ(d.system->order[2], 0);
}

TEST(description, a_monitor_may_have_the_priority_of_the_ultravisor)
{
        Description d("program a\n uses ultravisor\n priority 20\nprogram u\n"
                      " provides ultravisor\n priority 20\n");
        EXPECT_EQ(d.all(), "");
}

TEST(description, contains_the_size_of_its_machine)
{
        Description d("machine\n cpus 4\n memory 64M\nprogram p\n cpus 0-3\n memory 63M\n");
        ASSERT_EQ(d.all(), "");
        EXPECT_EQ(d.system->machine_cpus, 4u);
        EXPECT_EQ(d.system->machine_memory, 64u << 20);
}

/* Returns a description of a driver for a device on PCI, with further lines in the sections of
 * machine and device. */
std::string driver(const std::string &machine, const std::string &device,
                   const std::string &grants = " grants dma\n")
{
        return "machine\n memory 64M\n" + machine + "device d\n id 1af4:1042\n" + device +
               "program pci\n devices pci-config\n provides pci\nprogram a\n devices d\n"
               " uses pci\n" +
               grants;
}

TEST(description, a_device_for_dma_must_name_the_protection_of_memory)
{
        const std::string sentence =
                "3: on a machine without an I/O MMU the device 'd' of 'a' would reach all memory "
                "by DMA; write 'iommu' in the section 'machine' if all machines of the system have "
                "one, otherwise 'dma-unprotected' for the device.\n";

        EXPECT_EQ(Description(driver("", "")).all(), sentence);
        EXPECT_EQ(Description(driver(" iommu\n", "")).all(), "");
        EXPECT_EQ(Description(driver("", " dma-unprotected\n")).all(), "");
        EXPECT_EQ(Description(driver(" iommu\n", " dma-unprotected\n")).all(), "");
        EXPECT_EQ(Description(driver("", "", "")).all(), ""); /* without 'grants dma' */
}

/* Returns a description with a device that is given by its ports and memory, with further lines. */
std::string plain_driver(const std::string &machine, const std::string &device,
                         const std::string &program, const std::string &others = "")
{
        return "machine\n memory 64M\n" + machine + "device d\n memory 0xfe000000-0xfe000fff\n" +
               device + "program a\n devices d\n" + program + others;
}

TEST(description, a_device_for_dma_must_name_the_protection_even_if_it_is_not_on_pci)
{
        const std::string sentence =
                "3: on a machine without an I/O MMU the device 'd' of 'a' would reach all memory "
                "by DMA; write 'iommu' in the section 'machine' if all machines of the system have "
                "one, otherwise 'dma-unprotected' for the device.\n";

        EXPECT_EQ(Description(plain_driver("", "", " grants dma\n")).all(), sentence);
        EXPECT_EQ(Description(plain_driver(" iommu\n", "", " grants dma\n")).all(), "");
        EXPECT_EQ(Description(plain_driver("", " dma-unprotected\n", " grants dma\n")).all(), "");
        EXPECT_EQ(Description(plain_driver("", "", "")).all(), "");
}

TEST(description, beside_secure_guests_only_the_service_pci_has_the_configuration_ports)
{
        const std::string ultravisor = "program u\n provides ultravisor\n";
        const std::string sentence =
                "the device 'pci' of 'b' could access the memory of secure guests, even with an "
                "I/O MMU; leave it out and use the service 'pci', or declare a device with the "
                "same ranges and 'dma-unprotected' if 'b' is trusted.\n";
        const std::string own = "program b\n devices pci\n";
        const std::string service = "program p\n devices pci-config\n provides pci\n";
        const std::string device = "device c\n ports 0xcfc-0xcff\n";

        EXPECT_EQ(Description(ultravisor + own).all(), "4: " + sentence);
        EXPECT_EQ(Description(own).all(), "");
        EXPECT_EQ(Description("machine\n memory 64M\n iommu\n" + ultravisor + own).all(),
                  "7: " + sentence);
        EXPECT_EQ(Description(ultravisor + service).all(), "");
        EXPECT_NE(Description(device + ultravisor + "program b\n devices c\n").all(), "");
        EXPECT_EQ(
                Description(device + " dma-unprotected\n" + ultravisor + "program b\n devices c\n")
                        .all(),
                "");
}

TEST(description, lets_programs_call_where_they_share_one_cpu)
{
        Description d("program a\n uses x\n cpus 0-2\nprogram b\n provides x\n cpus 2-3\n"
                      "program c\n uses x\n cpus all\n");
        EXPECT_EQ(d.all(), "");
}

TEST(description, lets_programs_have_as_little_memory_as_their_services_need)
{
        Description d("program a\n memory 16K\nprogram b\n provides x\n memory 64K\n"
                      "program c\n uses x\n memory 48K\n");
        EXPECT_EQ(d.all(), "");
}

TEST(description, reports_a_device_with_nothing_after_another_mistake)
{
        Description d("program a\n memory 1\ndevice d\n");
        EXPECT_EQ(d.mistakes.size(), 2u);
}

TEST(description, goes_on_after_a_mistake_and_reports_the_next_one_too)
{
        Description d("program a\n memory 1\nprogram b\n priority 0\n uses c\n");
        EXPECT_EQ(d.mistakes.size(), 3u);
}

// WRONG(name, text, "line: sentence"): expects exactly this one error.
#define WRONG(name, text, ...)                                        \
        TEST(wrong_description, name)                                 \
        {                                                             \
                EXPECT_EQ(Description(text).all(), __VA_ARGS__ "\n"); \
        }

WRONG(empty_file, "", "0: the description names no program; write a line 'program NAME'.")
WRONG(nothing_but_comments, "# program a\n\n   # b\n",
      "0: the description names no program; write a line 'program NAME'.")
WRONG(nothing_but_a_device, "device d\n ports 1\n",
      "0: the description names no program; write a line 'program NAME'.")
WRONG(property_before_any_section, "memory 4M\n" A,
      "1: 'memory' comes before the first section; begin with a line 'program NAME'.")
WRONG(program_without_name, "program\n" A,
      "1: 'program' takes one name; write 'program NAME', and each property of the program on its "
      "own line.")
WRONG(program_with_two_names, "program a b\n" A,
      "1: 'program' takes one name; write 'program NAME', and each property of the program on its "
      "own line.")
WRONG(program_with_a_slash_in_its_name, "program a/b\n memory 1\n" A,
      "1: the name 'a/b' after 'program' has a character other than letters, digits, '-', '_' and "
      "'.'.")
WRONG(program_with_an_empty_name, "program \"\"\n" A,
      "1: the name after 'program' has 0 characters; a name has 1 to 31.")
WRONG(program_with_a_long_name, "program abcdefghijklmnopqrstuvwxyz-12345\n" A,
      "1: the name after 'program' has 32 characters; a name has 1 to 31.")
WRONG(two_programs_of_one_name, A " file x\nprogram a\n",
      "3: a program 'a' is already declared in line 1; rename this one, and write 'file x' if it "
      "runs the same file.")
WRONG(unknown_property, A " speed 9\n",
      "2: a program has no property 'speed'; its properties are file, arguments, environment, "
      "memory, image, "
      "kernel-memory, selectors, cpus, priority, provides, uses, devices, modules, restart, "
      "grants, "
      "and no other.")
WRONG(misspelt_property, A " memroy 4M\n",
      "2: a program has no property 'memroy'; did you mean 'memory'?")
WRONG(property_with_an_equals_sign, A " memory=1M\n",
      "2: 'memory=1M' has an equals sign; write a blank between a property and its value.")
WRONG(property_of_a_device_with_an_equals_sign, A "device d\n ports=1\n interrupts 1\n",
      "3: 'ports=1' has an equals sign; write a blank between a property and its value.")
WRONG(property_of_the_machine_with_an_equals_sign, "machine\n memory=64M\n" A,
      "2: 'memory=64M' has an equals sign; write a blank between a property and its value.")
WRONG(property_twice, A " memory 1M\n memory 2M\n",
      "3: 'memory' already appears in line 2; put all its values on one line.")
WRONG(property_without_value, A " uses\n",
      "2: 'uses' has no value; write, for example, 'uses log timer'.")
WRONG(property_with_too_many_values, A " memory 1 M\n",
      "2: 'memory' has too many values; write, for example, 'memory 256K'.")
WRONG(quotation_mark_not_closed, A " arguments \"x\n",
      "2: a quotation mark is not closed; add the closing one.")
WRONG(control_character, A " arguments a\001b\n",
      "2: the line contains the control character 0x01; a description is plain text.")
WRONG(zero_byte_in_quotes, std::string(A " arguments \"a\0b\"\n", 26),
      "2: the line contains the control character 0x00; a description is plain text.")
WRONG(file_that_is_not_text, "\177ELF\2\1\n\001\nmemory 1\n",
      "1: the line contains the control character 0x7f; a description is plain text.")
WRONG(byte_order_mark, "\xef\xbb\xbf" A,
      "1: the file begins with a byte order mark of UTF-8; save it as plain text, or UTF-8 without "
      "the mark.")
WRONG(text_of_16_bits, std::string("\xff\xfep\0r\0", 6),
      "1: the file begins with a byte order mark of UTF-16; save it as plain text, or UTF-8 "
      "without the mark.")
WRONG(byte_order_mark_and_nothing_else, "\xfe\xff",
      "1: the file begins with a byte order mark of UTF-16; save it as plain text, or UTF-8 "
      "without the mark.")
WRONG(file_with_a_space, A " file \"a b\"\n",
      "2: the file name 'a b' is empty or contains a space, which boot loaders cannot pass; rename "
      "the file.")
WRONG(file_without_a_name, A " file \"\"\n",
      "2: the file name '' is empty or contains a space, which boot loaders cannot pass; rename "
      "the file.")
WRONG(environment_without_equals_sign, A " environment HOME\n",
      "2: 'HOME' after 'environment' is not NAME=VALUE.")
WRONG(environment_without_a_name, A " environment =1\n",
      "2: '=1' after 'environment' is not NAME=VALUE.")
WRONG(memory_without_a_unit, A " memory 128\n",
      "2: memory 128 means 128 bytes; write 128K or 128M.")
WRONG(kernel_memory_without_a_unit, A " kernel-memory 256\n",
      "2: kernel-memory 256 means 256 bytes; write 256K or 256M.")
WRONG(little_memory_with_a_unit, A " memory 2K\n",
      "2: memory 2K is not a multiple of the page size; write a multiple of 4K.")
WRONG(no_memory, A " memory 0\n",
      "2: memory 0 is too little to start a program; write at least 16K.")
WRONG(memory_that_is_not_a_number, A " memory much\n",
      "2: 'much' after 'memory' is not a size; write a number of bytes, or one with K, M or G such "
      "as "
      "256K.")
WRONG(memory_with_an_unknown_unit, A " memory 4T\n",
      "2: '4T' after 'memory' is not a size; write a number of bytes, or one with K, M or G such "
      "as "
      "256K.")
WRONG(memory_with_two_units, A " memory 4KK\n",
      "2: '4KK' after 'memory' is not a size; write a number of bytes, or one with K, M or G such "
      "as "
      "256K.")
WRONG(memory_that_is_negative, A " memory -4K\n",
      "2: '-4K' after 'memory' is not a size; write a number of bytes, or one with K, M or G such "
      "as "
      "256K.")
WRONG(memory_beyond_64_bits, A " memory 99999999999999999999\n",
      "2: '99999999999999999999' after 'memory' is not a size; write a number of bytes, or one "
      "with "
      "K, M or G such as 256K.")
WRONG(memory_beyond_64_bits_with_its_unit, A " memory 0x1000000000000000G\n",
      "2: '0x1000000000000000G' after 'memory' is not a size; write a number of bytes, or one with "
      "K, "
      "M or G such as 256K.")
WRONG(memory_of_broken_pages, A " memory 100001\n",
      "2: memory 100001 is not a multiple of the page size; write a multiple of 4K.")
WRONG(too_little_memory, A " memory 4K\n",
      "2: memory 4K is too little to start a program; write at least 16K.")
WRONG(too_little_memory_for_a_service, A " memory 60K\n provides x\n",
      "2: memory 60K is too little for a program that provides a service; write 'memory 64K' or "
      "more.")
WRONG(too_little_memory_for_a_session, A " provides x\nprogram b\n uses x\n memory 44K\n",
      "5: memory 44K is too little for a program that uses a service; write 'memory 48K' or more.")
WRONG(too_much_memory, A " memory 2000G\n",
      "2: memory 2000G is more than a program can have; write at most 1048576M.")
WRONG(too_little_kernel_memory, A " kernel-memory 8K\n",
      "2: kernel-memory 8K is too little to start a program; write at least 64K.")
WRONG(too_few_selectors, A " selectors 63\n",
      "2: selectors 63 is out of range; write a number from 64 to 1048576.")
WRONG(selectors_that_are_not_a_number, A " selectors 1K\n",
      "2: '1K' after 'selectors' is not a number; write one from 64 to 1048576.")
WRONG(priority_in_words, A " priority high\n",
      "2: 'high' after 'priority' is not a number; write one from 1 to 255.")
WRONG(priority_zero, A " priority 0\n",
      "2: priority 0 is out of range; write a number from 1 to 255.")
WRONG(priority_above_all, A " priority 256\n",
      "2: priority 256 is out of range; write a number from 1 to 255.")
WRONG(cpu_that_no_machine_has, A " cpus 64\n", "2: cpus 64: the largest CPU number is 63.")
WRONG(cpus_backwards, A " cpus 3-1\n",
      "2: the range 3-1 after 'cpus' ends before it begins; write the smaller number first.")
WRONG(cpu_twice, A " cpus 1 1\n", "2: CPU 1 appears twice after 'cpus'; remove one.")
WRONG(cpu_twice_in_ranges, A " cpus 0-3 2-5\n", "2: CPU 2 appears twice after 'cpus'; remove one.")
WRONG(cpus_with_commas, A " cpus 0,1\n",
      "2: '0,1' after 'cpus' is neither a number nor a range such as 4-7; separate them by blanks, "
      "as in '0 1' or '0 4-7'.")
WRONG(cpus_open_range, A " cpus 0-\n",
      "2: '0-' after 'cpus' is neither a number nor a range such as 4-7; separate them by blanks, "
      "as in '0 1' or '0 4-7'.")
WRONG(cpus_that_client_and_server_do_not_share,
      A " uses x\n cpus 2\nprogram b\n provides x\n cpus 1 3\n",
      "3: 'a' has no CPU in common with 'b' and cannot call its service 'x'; write 'cpus all' for "
      "'b', or add CPU 1 to the 'cpus' of 'a'.")
WRONG(cpu_that_a_server_does_not_share_with_a_client_that_names_none,
      A " uses x\nprogram b\n provides x\n cpus 1\n",
      "2: 'a' has no CPU in common with 'b' and cannot call its service 'x'; write 'cpus all' for "
      "'b', or add CPU 1 to the 'cpus' of 'a'.")
WRONG(restart_sometimes, A " restart sometimes\n",
      "2: 'restart sometimes' is unknown; write never, on-failure or always.")
WRONG(restart_with_a_bare_number, A " restart always 3\n",
      "2: only 'limit NUMBER' can follow 'restart always'.")
WRONG(restart_limit_without_number, A " restart always limit\n",
      "2: only 'limit NUMBER' can follow 'restart always'.")
WRONG(restart_limit_zero, A " restart always limit 0\n",
      "2: limit 0 is out of range; write a number from 1 to 1000000.")
WRONG(restart_never_with_a_limit, A " restart never limit 3\n",
      "2: 'restart never' has no limit; write 'restart on-failure limit 3', or leave the limit "
      "out.")
WRONG(grant_that_does_not_exist, A " grants everything\n",
      "2: 'grants everything' is unknown; write children, dma, power or status.")
WRONG(service_named_twice, A " provides x x\n",
      "2: 'x' appears twice after 'provides'; remove one.")
WRONG(service_with_a_bad_name, A " provides x/y\n",
      "2: the name 'x/y' after 'provides' has a character other than letters, digits, '-', '_' and "
      "'.'.")
WRONG(service_of_two_programs, A " provides x\nprogram b\n provides x\n",
      "4: the service 'x' is already provided by 'a'; rename one of the two services.")
WRONG(service_without_a_provider, A " uses clock\n",
      "2: no program provides the service 'clock'; write 'provides clock' in the section of the "
      "program that should provide it, or add a section for this program.")
WRONG(service_misspelt, A " uses timre\nprogram b\n provides timer\n",
      "2: no program provides the service 'timre'; did you mean 'timer'?")
WRONG(service_of_its_own, A " provides x\n uses x\n",
      "3: 'a' uses its own service 'x'; leave it out of 'uses'.")
WRONG(key_of_the_machine_for_another_program_than_the_ultravisor,
      A " uses ultravisor\n modules sealed.img machine.key\n"
        "program u\n provides ultravisor\n modules machine.key\n",
      "3: 'a' gets machine.key, which opens all images that are sealed for the machine; leave it "
      "out of 'modules', because only 'u' may have it.")
#define MONITORS                          \
        A " uses ultravisor\n"            \
          "program b\n uses ultravisor\n" \
          "program c\n uses ultravisor\n" \
          "program u\n provides ultravisor\n"
WRONG(fewer_shares_of_the_ultravisor_than_programs_that_use_it, MONITORS " arguments vmms=2\n",
      "9: vmms=2 divides the memory of 'u' among too few programs: 3 programs use its service "
      "'ultravisor'; write 'vmms=N' with a larger N (at most 8), or remove the service from "
      "'uses' of a program.")

// The ultravisor itself refuses a wrong argument when it starts.
TEST(description, has_a_share_of_the_ultravisor_for_each_program_that_uses_it)
{
        for (const char *argument : {"vmms=3", "vmms=8", "vmms=", "vmms=2x", "vmms=99999999999999",
                                     "vmm=2", "disabled", "VMMS=2"})
                EXPECT_EQ(Description(MONITORS " arguments " + std::string(argument)).all(), "");
        EXPECT_EQ(Description(MONITORS "program other\n arguments vmms=2\n").all(), "");
}

WRONG(priority_above_that_of_the_ultravisor,
      A " uses ultravisor\n priority 65\nprogram u\n provides ultravisor\n",
      "3: 'a' has priority 65, so its threads could stop the guests of 'u' for ever; write "
      "'priority 64' or less for 'a', or a higher priority for 'u'.")
WRONG(default_priority_above_that_of_the_ultravisor,
      A " uses ultravisor\nprogram u\n provides ultravisor\n priority 20\n",
      "1: 'a' has priority 64, so its threads could stop the guests of 'u' for ever; write "
      "'priority 20' or less for 'a', or a higher priority for 'u'.")
WRONG(highest_priority_beside_the_ultravisor,
      A " uses ultravisor\n priority 255\nprogram u\n provides ultravisor\n priority 255\n",
      "3: 'a' has priority 255, so its threads could stop the guests of 'u' for ever; write "
      "'priority 254' or less for 'a', or a higher priority for 'u'.")
WRONG(two_programs_that_wait_for_each_other,
      A " provides x\n uses y\nprogram b\n provides y\n uses x\n",
      "3: these programs wait for each other and cannot start: 'a' waits for 'b' waits for 'a'; "
      "remove one of their services from 'uses'.")
WRONG(program_that_waits_for_a_circle,
      A " uses x\nprogram b\n provides x\n uses z\nprogram c\n provides y\n uses x\n"
        "program d\n provides z\n uses y\n",
      "5: these programs wait for each other and cannot start: 'b' waits for 'd' waits for 'c' "
      "waits for 'b'; remove one of their services from 'uses'.")
WRONG(device_that_is_unknown, A " devices floppy\n",
      "2: there is no device 'floppy'; declare it in a section 'device floppy'.")
WRONG(device_misspelt, A " devices serail\n",
      "2: there is no device 'serail'; did you mean 'serial'?")
WRONG(section_misspelt, "progarm b\n memory 1M\n" A,
      "1: there is no section 'progarm'; did you "
      "mean 'program'?")
WRONG(section_misspelt_after_a_program, A " memory 1M\nprogramm b\n memory 1M\n",
      "3: there is no section 'programm'; did you mean 'program'?")
WRONG(section_misspelt_after_a_device, A "device d\n ports 1\nPROGRAM b\n memory 1M\n",
      "4: there is no section 'PROGRAM'; did you mean 'program'?")
WRONG(section_misspelt_after_the_machine, A "machine\n cpus 1\ndevic d\n ports 1\n",
      "4: there is no section 'devic'; did you mean 'device'?")
WRONG(device_of_two_programs, A " devices rtc\nprogram b\n devices rtc\n",
      "4: the device 'rtc' already belongs to 'a'; let one of the two programs use a service of "
      "the other.")
WRONG(devices_with_common_ports,
      "device clock\n ports 0x71\n" A " devices rtc\nprogram b\n devices clock\n",
      "6: the device 'clock' has ports in common with the device 'rtc' of the program 'a'; give "
      "both devices to one program.")
WRONG(devices_with_a_common_interrupt,
      "device d\n interrupts 8\n" A " devices rtc\nprogram b\n devices d\n",
      "6: the device 'd' has an interrupt in common with the device 'rtc' of the program 'a'; give "
      "both devices to one program.")
WRONG(pci_ports_beside_the_service, A " devices pci\nprogram b\n devices pci-config\n",
      "4: the device 'pci-config' has ports in common with the device 'pci' of the program 'a'; "
      "give both devices to one program.")
WRONG(devices_with_common_memory,
      "device d\n memory 0xfed00000-0xfed01fff\n" A " devices hpet\nprogram b\n devices d\n",
      "6: the device 'd' has memory in common with the device 'hpet' of the program 'a'; give both "
      "devices to one program.")
WRONG(device_twice, "device d\n ports 1\ndevice d\n ports 2\n" A,
      "3: a device 'd' is already declared in line 1; put the ranges there, or rename this device.")
WRONG(device_that_is_known_already, "device rtc\n ports 0x70-0x71\n" A,
      "1: the device 'rtc' needs no declaration, only a line 'devices rtc' in a program that uses "
      "it; "
      "remove this one, or rename the device.")
WRONG(device_with_nothing, "device d\n" A,
      "1: the device 'd' has no resources; write its ports, memory or interrupts, such as "
      "'ports 0x3f8-0x3ff'.")
WRONG(device_with_nothing_at_the_end, A "device d\n",
      "2: the device 'd' has no resources; write its ports, memory or interrupts, such as "
      "'ports 0x3f8-0x3ff'.")
WRONG(device_with_a_property_of_programs, "device d\n ports 1\n priority 3\n" A,
      "3: a device has no property 'priority'; its properties are ports, memory and interrupts, "
      "or, on PCI, "
      "class, id, at and dma-unprotected.")
WRONG(device_with_a_misspelt_kind, "device d\n ports 1\n interrupt 3\n" A,
      "3: a device has no property 'interrupt'; its properties are ports, memory and interrupts, "
      "or, on PCI, "
      "class, id, at and dma-unprotected: write interrupts.")
WRONG(device_with_a_wrong_range_alone, "device d\n ports 0x60,0x64\n" A,
      "2: '0x60,0x64' after 'ports' is neither a number nor a range such as 4-7; separate them by "
      "blanks, as in '0 1' or '0 4-7'.")
WRONG(device_with_a_misspelt_kind_alone, "device d\n port 1\n" A,
      "2: a device has no property 'port'; its properties are ports, memory and interrupts, or, on "
      "PCI, "
      "class, id, at and dma-unprotected: write ports.")
WRONG(device_with_two_lines_of_ports, "device d\n ports 1\n ports 3\n" A,
      "3: 'ports' takes all its ranges in one line, such as 'ports 0x60 0x64-0x67'.")
WRONG(device_with_a_port_above_64_ki, "device d\n ports 0xffff-0x10000\n interrupts 1\n" A,
      "2: ports 0xffff-0x10000: the largest number is 65535.")
WRONG(device_with_an_interrupt_above_all, "device d\n ports 1\n interrupts 128\n" A,
      "3: interrupts 128: the largest number is 127.")
WRONG(device_with_part_of_a_page, "device d\n ports 1\n memory 0xfed00000-0xfed003ff\n" A,
      "3: the memory 0xfed00000-0xfed003ff is not a range of whole pages; write its first and its "
      "last address, such as 0xfed00000-0xfed00fff.")
WRONG(machine_with_a_name, "machine pc\n cpus 2\n" A,
      "1: 'machine' takes no name; write each of its properties on its own line.")
WRONG(machine_twice, "machine\n cpus 2\nmachine\n memory 64M\n" A,
      "3: a section 'machine' already begins in line 1; put all properties there.")
WRONG(machine_with_something_else, "machine\n disks 2\n" A,
      "2: a machine has no property 'disks'; its properties are cpus, memory and iommu.")
WRONG(machine_with_a_value_of_iommu, "machine\n iommu 1\n" A,
      "2: 'iommu' of a machine has no value and appears once.")
WRONG(machine_with_iommu_twice, "machine\n iommu\n iommu\n" A,
      "3: 'iommu' of a machine has no value and appears once.")
WRONG(machine_with_a_list_of_cpus, "machine\n cpus 0 1\n" A,
      "2: 'cpus' takes one value and appears once in a machine; write, for example, 'cpus 4'.")
WRONG(machine_without_a_cpu, "machine\n cpus 0\n" A,
      "2: a machine has 1 to 64 CPUs; write their number, such as 'cpus 4'.")
WRONG(machine_with_memory_without_a_unit, "machine\n memory 128\n" A,
      "2: memory 128 means 128 bytes; write 128K or 128M.")
WRONG(machine_with_little_memory, "machine\n memory 4M\n" A,
      "2: a machine has 8M to 1048576M of memory; write a multiple of 1M, such as 'memory 256M'.")
WRONG(machine_with_part_of_a_mebibyte, "machine\n memory 10000K\n" A,
      "2: a machine has 8M to 1048576M of memory; write a multiple of 1M, such as 'memory 256M'.")
WRONG(program_on_a_cpu_that_the_machine_lacks, "machine\n cpus 2\n" A " cpus 0-2\n",
      "4: 'a' requests CPU 2, which the machine does not have; write 'cpus all' to use all CPUs of "
      "the machine.")
WRONG(programs_with_more_memory_than_the_machine,
      "machine\n memory 64M\n" A " memory 40M\nprogram b\n memory 30M\n",
      "6: the programs up to 'b' together need 71680 KiB of memory, but the machine has 65536 KiB "
      "for programs; give them less, or the machine more.")

TEST(wrong_description, more_programs_than_there_can_be)
{
        std::string text;
        for (unsigned i = 0; i <= NOVA_SYSTEM_PROGRAMS_MAX; i++)
                text += "program p" + std::to_string(i) + "\n";
        EXPECT_EQ(Description(text).all(), "65: a description can have at most 64 programs.\n");
}

TEST(wrong_description, more_devices_than_there_can_be)
{
        std::string text = A;
        for (unsigned i = 0; i < NOVA_SYSTEM_DEVICES_MAX; i++)
                text += "device d" + std::to_string(i) + "\n ports " + std::to_string(i) + "\n";
        const Description d(text);
        ASSERT_FALSE(d.mistakes.empty());
        EXPECT_NE(d.mistakes[0].find("a description can have at most 32 devices."),
                  std::string::npos);
}

TEST(wrong_description, more_words_in_a_line_than_there_can_be)
{
        std::string text = A " arguments";
        for (unsigned i = 0; i < 64; i++)
                text += " x";
        EXPECT_EQ(Description(text).all(),
                  "2: the line has more than 64 words; split it or shorten it.\n");
}

TEST(wrong_description, longer_than_a_description_can_be)
{
        const std::string text = A " arguments " + std::string(NOVA_SYSTEM_TEXT_MAX, 'x');
        EXPECT_EQ(Description(text).all(),
                  "2: the description is too long: all its words together can have at most 32768 "
                  "characters; split it into two systems.\n");
}

TEST(wrong_description, more_words_in_lists_than_there_can_be)
{
        std::string text;
        for (unsigned i = 0; i < 18; i++) {
                text += "program p" + std::to_string(i) + "\n arguments";
                for (unsigned k = 0; k < 60; k++)
                        text += " x";
                text += "\n";
        }
        EXPECT_EQ(Description(text).all(),
                  "36: all lists of the description together can have at most 1024 words.\n");
}

TEST(wrong_description, more_ranges_than_there_can_be)
{
        std::string text = A;
        for (unsigned i = 0; i < 2; i++) {
                text += "device d" + std::to_string(i) + "\n ports";
                for (unsigned k = 0; k < 60; k++)
                        text += " " + std::to_string(k);
                text += "\n";
        }
        EXPECT_EQ(Description(text).all(),
                  "5: all devices together can have at most 128 ranges.\n");
}

} // namespace
