// SPDX-License-Identifier: BSD-2-Clause
// ELF images of children: valid ones, one for each error, the layout of pages, and random images.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

extern "C" {
#include "elf.h"
#include "nova/abi/crd.h"
}

namespace
{

constexpr nova_word_t BEGIN = 0x1000, END = 0x10000000;
constexpr unsigned R = NOVA_MEM_R, RW = NOVA_MEM_R | NOVA_MEM_W, RX = NOVA_MEM_R | NOVA_MEM_X;

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

struct Free {
        void operator()(uint8_t *memory) const
        {
                std::free(memory);
        }
};

// An image in a separate allocation, page-aligned and of the exact size, so that the sanitizer sees
// each access outside.
struct Image {
        Header header;
        std::vector<Program> programs{1};
        size_t size = 0x4000;
        std::unique_ptr<uint8_t, Free> memory;
        struct elf elf;

        void build()
        {
                void *pages = nullptr;
                ASSERT_EQ(posix_memalign(&pages, 4096, size), 0);
                memory.reset(static_cast<uint8_t *>(pages));
                for (size_t i = 0; i < size; i++)
                        memory.get()[i] = static_cast<uint8_t>(i >> 8 | 1);
                if (!header.count)
                        header.count = static_cast<uint16_t>(programs.size());
                if (size)
                        std::memcpy(memory.get(), &header, std::min(size, sizeof(header)));
                for (size_t i = 0; i < programs.size(); i++) {
                        const size_t at = header.programs + i * sizeof(Program);
                        if (at < size && sizeof(Program) <= size - at)
                                std::memcpy(memory.get() + at, &programs[i], sizeof(Program));
                }
        }

        std::string read()
        {
                build();
                const char *error = novart_elf_read(&elf, memory.get(), size, BEGIN, END);
                return error ? error : "";
        }

        std::vector<elf_run> runs()
        {
                std::vector<elf_run> all;
                elf_run run = {};
                while (novart_elf_next_run(&elf, run.address + run.bytes, &run))
                        all.push_back(run);
                return all;
        }
};

Image three_segments()
{
        Image i;
        i.programs.resize(3);
        i.programs[1] = {1, 4, 0x2000, 0x401000, 0, 0x1000, 0x1000, 0x1000};
        i.programs[2] = {1, 6, 0x3000, 0x402000, 0, 0x800, 0x2800, 0x1000};
        return i;
}

TEST(child_elf, reads_segments_in_the_order_of_addresses)
{
        Image i = three_segments();
        std::swap(i.programs[0], i.programs[2]);
        EXPECT_EQ(i.read(), "");
        ASSERT_EQ(i.elf.segments, 3u);
        EXPECT_EQ(i.elf.entry, 0x400000u);
        EXPECT_EQ(i.elf.begin, 0x400000u);
        EXPECT_EQ(i.elf.end, 0x405000u);
        EXPECT_EQ(i.elf.segment[0].perms, RX);
        EXPECT_EQ(i.elf.segment[1].perms, R);
        EXPECT_EQ(i.elf.segment[2].perms, RW);
}

TEST(child_elf, uses_read_only_pages_in_place)
{
        Image i = three_segments();
        i.read();
        const auto runs = i.runs();
        ASSERT_EQ(runs.size(), 3u);
        EXPECT_TRUE(runs[0].in_place && runs[1].in_place);
        EXPECT_EQ(runs[0].offset, 0x1000u);
        EXPECT_EQ(runs[1].offset, 0x2000u);
        EXPECT_FALSE(runs[2].in_place);
        EXPECT_EQ(runs[2].bytes, 0x3000u);
        EXPECT_EQ(runs[2].perms, RW);
}

TEST(child_elf, copies_a_page_that_lies_at_an_odd_place_in_the_file)
{
        Image i;
        i.programs[0].offset = 0x1010;
        i.read();
        ASSERT_EQ(i.runs().size(), 1u);
        EXPECT_FALSE(i.runs()[0].in_place);
}

TEST(child_elf, copies_a_page_that_the_file_does_not_have_whole)
{
        Image i;
        i.size = 0x1800;
        EXPECT_EQ(i.read(), "");
        EXPECT_FALSE(i.runs()[0].in_place);
}

TEST(child_elf, copies_a_page_with_zeroes_at_its_end)
{
        Image i;
        i.programs[0].memory = 0x900;
        i.read();
        EXPECT_FALSE(i.runs()[0].in_place);
}

TEST(child_elf, gives_a_shared_page_the_permissions_of_both_segments)
{
        Image i = three_segments();
        i.programs[2].address = 0x401800;
        i.programs[1].file = i.programs[1].memory = 0x800;
        EXPECT_EQ(i.read(), "");
        const auto runs = i.runs();
        ASSERT_EQ(runs.size(), 2u);
        EXPECT_EQ(runs[1].perms, RW);
        EXPECT_EQ(runs[1].address, 0x401000u);
        EXPECT_EQ(runs[1].bytes, 0x3000u);
}

TEST(child_elf, fills_pages_with_bytes_of_the_file_and_zeroes)
{
        Image i = three_segments();
        i.programs[2].offset = 0x3010;
        i.programs[2].address = 0x402020;
        i.read();
        std::vector<uint8_t> page(4096, 0);
        novart_elf_fill(&i.elf, 0x402000, page.data());
        for (size_t k = 0; k < page.size(); k++) {
                const bool file = k >= 0x20 && k < 0x820;
                EXPECT_EQ(page[k], file ? i.memory.get()[0x3010 + k - 0x20] : 0) << k;
        }
        std::fill(page.begin(), page.end(), uint8_t{0});
        novart_elf_fill(&i.elf, 0x403000, page.data());
        EXPECT_EQ(page, std::vector<uint8_t>(4096, 0));
}

TEST(child_elf, passes_over_headers_that_load_nothing)
{
        Image i;
        i.programs.resize(3);
        i.programs[0].type = 6;
        i.programs[0].offset = ~uint64_t{0};
        i.programs[1].memory = i.programs[1].file = 0;
        EXPECT_EQ(i.read(), "");
        EXPECT_EQ(i.elf.segments, 1u);
}

TEST(child_elf, refuses_a_file_that_is_not_an_elf_image)
{
        Image i;
        i.header.magic[1] = 'e';
        EXPECT_EQ(i.read(), "is not an ELF image");
}

TEST(child_elf, refuses_each_length_that_cuts_the_headers)
{
        for (size_t size = 1; size < 64 + 56; size++) {
                Image i;
                i.size = size;
                EXPECT_NE(i.read(), "") << size;
        }
}

TEST(child_elf, refuses_other_machines)
{
        Image i, j, k;
        i.header.kind = 1;
        j.header.data = 2;
        k.header.machine = 3;
        for (Image *image : {&i, &j, &k})
                EXPECT_EQ(image->read(), "is not a 64-bit x86 image");
}

TEST(child_elf, refuses_position_independent_images)
{
        Image i;
        i.header.type = 3;
        EXPECT_EQ(i.read(), "is not an executable image (position independent or an object file)");
}

TEST(child_elf, refuses_program_headers_of_another_size)
{
        Image i;
        i.header.program_size = 57;
        EXPECT_EQ(i.read(), "has program headers of an unexpected size");
}

TEST(child_elf, refuses_program_headers_that_wrap_around)
{
        Image i;
        i.header.programs = ~uint64_t{0} - 10;
        EXPECT_EQ(i.read(), "is truncated: its program headers lie outside the file");
}

TEST(child_elf, refuses_more_program_headers_than_the_file_holds)
{
        Image i;
        i.header.count = 0xffff;
        EXPECT_EQ(i.read(), "is truncated: its program headers lie outside the file");
}

TEST(child_elf, refuses_a_segment_that_ends_outside_of_the_file)
{
        Image i, j;
        i.programs[0].offset = 0x3801;
        j.programs[0].offset = ~uint64_t{0} - 0x100;
        EXPECT_EQ(i.read(), "is truncated: a segment lies outside the file");
        EXPECT_EQ(j.read(), "is truncated: a segment lies outside the file");
}

TEST(child_elf, refuses_a_segment_that_is_larger_in_the_file)
{
        Image i;
        i.programs[0].memory = 0x7ff;
        EXPECT_EQ(i.read(), "has a segment that is larger in the file than in memory");
}

TEST(child_elf, refuses_addresses_that_programs_cannot_have)
{
        for (uint64_t address : {uint64_t{0}, uint64_t{0xfff}, uint64_t{END}, END - 0x7ff,
                                 ~uint64_t{0} - 0x400, uint64_t{0x7ffffffff000}}) {
                Image i;
                i.programs[0].address = address;
                EXPECT_EQ(i.read(), "has a segment outside the addresses that programs can use")
                        << std::hex << address;
        }
}

TEST(child_elf, refuses_a_segment_larger_than_all_memory)
{
        Image i;
        i.programs[0].memory = ~uint64_t{0};
        EXPECT_EQ(i.read(), "has a segment outside the addresses that programs can use");
}

TEST(child_elf, refuses_segments_that_overlap)
{
        Image i = three_segments();
        i.programs[1].address = 0x4007ff;
        EXPECT_EQ(i.read(), "has segments that overlap");
}

TEST(child_elf, refuses_a_segment_that_is_writable_and_executable)
{
        Image i;
        i.programs[0].flags = 7;
        EXPECT_EQ(i.read(), "has a segment that is writable and executable");
}

TEST(child_elf, refuses_a_page_that_would_be_writable_and_executable)
{
        Image i;
        i.programs.resize(2);
        i.programs[1] = {1, 6, 0x2000, 0x400800, 0, 0x100, 0x100, 0x1000};
        EXPECT_EQ(i.read(), "has a page that would be writable and executable");
}

TEST(child_elf, refuses_an_entry_outside_of_code)
{
        Image i, j = three_segments();
        i.header.entry = 0x400800;
        j.header.entry = 0x401000;
        EXPECT_EQ(i.read(), "has its entry point outside its executable segments");
        EXPECT_EQ(j.read(), "has its entry point outside its executable segments");
}

TEST(child_elf, refuses_an_image_without_segments)
{
        Image i;
        i.programs[0].type = 4;
        EXPECT_EQ(i.read(), "has no segment to load");
}

TEST(child_elf, refuses_too_many_segments)
{
        Image i;
        i.programs.resize(ELF_SEGMENTS_MAX + 1);
        for (size_t k = 0; k < i.programs.size(); k++)
                i.programs[k].address = 0x400000 + k * 0x1000;
        EXPECT_EQ(i.read(), "has too many segments");
}

TEST(child_elf, stays_inside_of_random_images)
{
        std::mt19937 random(1);
        unsigned good = 0;
        for (unsigned round = 0; round < 3000; round++) {
                Image i = three_segments();
                i.build();
                for (unsigned n = random() % 6; n; n--)
                        i.memory.get()[random() % 232] = static_cast<uint8_t>(random());
                if (novart_elf_read(&i.elf, i.memory.get(), i.size, BEGIN, END))
                        continue;
                good++;
                for (const elf_run &run : i.runs()) {
                        EXPECT_GE(run.address, BEGIN);
                        EXPECT_LE(run.address + run.bytes, END);
                        EXPECT_LE(run.in_place ? run.offset + run.bytes : 0, i.size);
                }
        }
        EXPECT_GT(good, 300u);
}

} // namespace
