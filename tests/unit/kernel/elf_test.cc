// SPDX-License-Identifier: BSD-2-Clause
// ELF images: valid ones, one for each error, and random ones.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

extern "C" {
#include "boot/elf.h"
#include "nova/abi/crd.h"
}

namespace
{

constexpr word_t LIMIT = NOVA_USER_END;

struct Header {
        uint8_t magic[4] = {0x7f, 'E', 'L', 'F'}, kind = 2, data = 1, version = 1, pad[9] = {};
        uint16_t type = 2, machine = 62;
        uint32_t version2 = 1;
        uint64_t entry = 0x400000, programs = 64, sections = 0;
        uint32_t flags = 0;
        uint16_t size = 64, program_size = 56, count = 0, rest[3] = {};
};

struct Program {
        uint32_t type = 1, flags = 5;
        uint64_t offset = 0x1000, address = 0x400000, physical = 0, file = 0x800, memory = 0x800;
        uint64_t align = 0x1000;
};

static_assert(sizeof(Header) == 64 && sizeof(Program) == 56, "as the ELF format has it");

struct Image {
        Header header;
        std::vector<Program> programs{1};
        uint64_t size = 0x3000, head = 0x3000;
        elf_segment segments[ELF_SEGMENTS_MAX];
        unsigned count = 0;
        word_t entry = 0;

        std::string read(const std::vector<uint8_t> &bytes, uint64_t head_bytes)
        {
                // A separate allocation of the exact size, so that the sanitizer sees an access
                // beyond the end.
                std::unique_ptr<uint8_t[]> exact(new uint8_t[head_bytes]);
                if (head_bytes)
                        std::memcpy(exact.get(), bytes.data(), head_bytes);
                const char *error =
                        elf_read(exact.get(), head_bytes, size, LIMIT, segments, &count, &entry);
                return error ? error : "";
        }

        std::vector<uint8_t> bytes()
        {
                std::vector<uint8_t> out(head);
                if (!head)
                        return out;
                if (!header.count)
                        header.count = static_cast<uint16_t>(programs.size());
                std::memcpy(out.data(), &header, std::min<size_t>(head, sizeof(header)));
                for (size_t i = 0; i < programs.size(); i++) {
                        const size_t at = header.programs + i * sizeof(Program);
                        if (at < head && sizeof(Program) <= head - at)
                                std::memcpy(&out[at], &programs[i], sizeof(Program));
                }
                return out;
        }

        std::string read()
        {
                return read(bytes(), head);
        }
};

TEST(elf, reads_segments_in_the_order_of_addresses)
{
        Image i;
        i.programs.resize(3);
        i.programs[0].address = 0x500000;
        i.programs[0].flags = 6;
        i.programs[0].memory = 0x1800;
        i.programs[2].address = 0x401000;
        i.programs[2].offset = 0x2000;
        i.programs[2].flags = 4;
        EXPECT_EQ(i.read(), "");
        ASSERT_EQ(i.count, 3u);
        EXPECT_EQ(i.entry, 0x400000u);
        EXPECT_EQ(i.segments[0].address, 0x400000u);
        EXPECT_EQ(i.segments[0].perms, unsigned(NOVA_MEM_R | NOVA_MEM_X));
        EXPECT_EQ(i.segments[1].address, 0x401000u);
        EXPECT_EQ(i.segments[1].offset, 0x2000u);
        EXPECT_EQ(i.segments[1].perms, unsigned(NOVA_MEM_R));
        EXPECT_EQ(i.segments[2].perms, unsigned(NOVA_MEM_R | NOVA_MEM_W));
        EXPECT_EQ(i.segments[2].file_size, 0x800u);
        EXPECT_EQ(i.segments[2].memory_size, 0x1800u);
        EXPECT_EQ(elf_segment_end_page(&i.segments[2]), 0x502u);
}

TEST(elf, accepts_segments_that_touch_and_the_last_user_page)
{
        Image i;
        i.programs.resize(3);
        i.programs[1].address = 0x400800;
        i.programs[2].address = LIMIT - 0x800;
        EXPECT_EQ(i.read(), "");
}

TEST(elf, passes_over_headers_that_load_nothing)
{
        Image i;
        i.programs.resize(3);
        i.programs[0].type = 6;
        i.programs[0].offset = ~uint64_t{0};
        i.programs[1].memory = i.programs[1].file = 0;
        EXPECT_EQ(i.read(), "");
        EXPECT_EQ(i.count, 1u);
}

TEST(elf, refuses_a_file_that_is_not_an_elf_image)
{
        Image i;
        i.header.magic[1] = 'e';
        EXPECT_EQ(i.read(), "is not an ELF image");
}

TEST(elf, refuses_each_length_that_cuts_the_headers)
{
        for (uint64_t head = 0; head < 64 + 56; head++) {
                Image i;
                i.head = head;
                EXPECT_NE(i.read(), "") << head;
        }
}

TEST(elf, refuses_other_machines)
{
        Image i, j, k;
        i.header.kind = 1;
        j.header.data = 2;
        k.header.machine = 3;
        for (Image *image : {&i, &j, &k})
                EXPECT_EQ(image->read(), "is not a 64-bit x86 image");
}

TEST(elf, refuses_position_independent_images)
{
        Image i;
        i.header.type = 3;
        EXPECT_EQ(i.read(), "is not an executable image (position independent or an object file)");
}

TEST(elf, refuses_program_headers_of_an_odd_size)
{
        Image i;
        i.header.program_size = 32;
        EXPECT_EQ(i.read(), "has program headers of an unexpected size");
}

TEST(elf, refuses_program_headers_outside_the_file)
{
        for (uint64_t place :
             {uint64_t{0x3000}, uint64_t{0x2fff}, ~uint64_t{0}, uint64_t{1} << 63}) {
                Image i;
                i.header.programs = place;
                EXPECT_EQ(i.read(), "is truncated: its program headers lie outside");
        }
        Image i;
        i.header.count = 0xffff;
        EXPECT_EQ(i.read(), "is truncated: its program headers lie outside");
}

TEST(elf, reads_program_headers_after_the_first_bytes)
{
        Image i;
        i.header.programs = i.size = i.head = 0x123457;
        i.size += sizeof(Program);
        i.head += sizeof(Program);
        EXPECT_EQ(i.read(), "");
        EXPECT_EQ(elf_head(i.bytes().data(), ELF_HEAD_USUAL), i.size);
        EXPECT_EQ(elf_head(i.bytes().data(), i.size + 1), i.size + 1);
}

TEST(elf, refuses_program_headers_that_are_not_mapped)
{
        for (uint64_t place : {ELF_HEAD_MAX - sizeof(Program) + 1, ~uint64_t{0}}) {
                Image i;
                i.header.programs = place;
                EXPECT_EQ(elf_head(i.bytes().data(), i.head), i.head);
        }
        Image i;
        i.size = uint64_t{1} << 40;
        i.header.programs = i.head - sizeof(Program) + 1;
        EXPECT_EQ(i.read(), "has program headers that do not lie in its first 4 MiB");
        EXPECT_EQ(elf_head(i.bytes().data(), sizeof(Header) - 1), sizeof(Header) - 1);
}

TEST(elf, refuses_a_segment_outside_of_the_file)
{
        for (uint64_t offset : {uint64_t{0x2801}, uint64_t{0x3001}, ~uint64_t{0}}) {
                Image i;
                i.programs[0].offset = offset;
                EXPECT_EQ(i.read(), "is truncated: a segment lies outside of the file");
        }
}

TEST(elf, refuses_a_segment_larger_in_the_file_than_in_memory)
{
        Image i;
        i.programs[0].memory = 0x7ff;
        EXPECT_EQ(i.read(), "has a segment that is larger in the file than in memory");
}

TEST(elf, refuses_a_segment_outside_of_user_memory)
{
        for (uint64_t address : {uint64_t{LIMIT}, uint64_t{LIMIT - 0x7ff}, ~uint64_t{0}}) {
                Image i;
                i.programs[0].address = address;
                EXPECT_EQ(i.read(), "has a segment outside of user memory");
        }
        Image i;
        i.programs[0].memory = ~uint64_t{0};
        EXPECT_EQ(i.read(), "has a segment outside of user memory");
}

TEST(elf, refuses_segments_that_overlap)
{
        for (uint64_t address : {0x3ffff0, 0x400000, 0x4007ff}) {
                Image i;
                i.programs.resize(2);
                i.programs[1].address = address;
                EXPECT_EQ(i.read(), "has segments that overlap");
        }
}

TEST(elf, refuses_too_many_segments)
{
        Image i;
        i.programs.resize(ELF_SEGMENTS_MAX + 1);
        for (size_t n = 0; n < i.programs.size(); n++)
                i.programs[n].address += n << 12;
        EXPECT_EQ(i.read(), "has too many segments");
        i.programs.pop_back();
        i.header.count = 0;
        EXPECT_EQ(i.read(), "");
}

TEST(elf, refuses_images_without_a_segment)
{
        Image i;
        i.programs[0].type = 2;
        EXPECT_EQ(i.read(), "has no segment to load");
}

TEST(elf, refuses_an_entry_outside_of_its_segments)
{
        for (uint64_t entry : {0x3fffff, 0x400800, 0}) {
                Image i;
                i.header.entry = entry;
                EXPECT_EQ(i.read(), "has its entry outside of its executable segments");
        }
}

TEST(elf, refuses_an_entry_in_data)
{
        Image i;
        i.programs.push_back({});
        i.programs[1].flags = 6;
        i.programs[1].address = i.header.entry = 0x500000;
        EXPECT_EQ(i.read(), "has its entry outside of its executable segments");
}

// Checks the properties of an accepted image.
void check_accepted(const Image &image)
{
        bool inside = false;
        ASSERT_GE(image.count, 1u);
        ASSERT_LE(image.count, unsigned(ELF_SEGMENTS_MAX));
        for (unsigned i = 0; i < image.count; i++) {
                const elf_segment &s = image.segments[i];
                ASSERT_LE(s.offset, image.size);
                ASSERT_LE(s.file_size, image.size - s.offset);
                ASSERT_LE(s.file_size, s.memory_size);
                ASSERT_LE(s.memory_size, LIMIT - s.address);
                if (i) {
                        const elf_segment &before = image.segments[i - 1];
                        ASSERT_LE(before.address + before.memory_size, s.address);
                }
                inside |= image.entry >= s.address && image.entry < s.address + s.memory_size;
        }
        ASSERT_TRUE(inside);
}

TEST(elf, survives_100000_random_mutations)
{
        Image i;
        i.programs.resize(6);
        for (size_t n = 0; n < 6; n++)
                i.programs[n].address += n << 12;
        i.head = 64 + 6 * 56;
        const std::vector<uint8_t> good = i.bytes();
        std::mt19937_64 random(1);
        unsigned accepted = 0;
        for (unsigned round = 0; round < 100000; round++) {
                std::vector<uint8_t> bytes = good;
                for (unsigned n = 1 + unsigned(random() % 4); n; n--) {
                        static const uint64_t odd[] = {0,           1,          0x7f,
                                                       0x80,        0xff,       0xfff,
                                                       0x1000,      0x7fffffff, uint64_t{1} << 63,
                                                       ~uint64_t{0}};
                        const uint64_t value = random() % 2 ? random() : odd[random() % 10];
                        const size_t width = size_t{1} << random() % 4;
                        const size_t at = random() % (bytes.size() / width) * width;
                        std::memcpy(&bytes[at], &value, width);
                }
                const bool cut = random() % 16 == 0;
                const uint64_t head = cut ? random() % (bytes.size() + 1) : bytes.size();
                if (i.read(bytes, head).empty()) {
                        check_accepted(i);
                        accepted++;
                }
        }
        EXPECT_GT(accepted, 100u);
        EXPECT_LT(accepted, 99000u);
}

} // namespace
