/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader of sealed images: it copies the parts that the start page names, and refuses images
 * that it cannot copy. */
#include "loader.h"
#include "novavmm/secure.h"

namespace
{

constexpr size_t ram_bytes = 4u << 20, file_bytes = 5 * 4096;
constexpr unsigned version_at = 8, stub_at = 12, file_bytes_at = 16, memory_at = 24, at_at = 40,
                   blob_at = 48, blob_offset_at = 56, blob_bytes_at = 60, parts_at = 72,
                   rows_at = 80, row_bytes = 32;

/* A file of a start page, a page for the blob, and two parts. */
struct sealed : loader {
        sealed() : loader(ram_bytes, 0xee)
        {
                file.assign(file_bytes, 0);
                memcpy(file.data(), "NOVASEAL", 8);
                put<uint32_t>(version_at, 1);
                put<uint32_t>(stub_at, 0x400);
                put<uint64_t>(file_bytes_at, file_bytes);
                put<uint64_t>(memory_at, ram_bytes);
                put<uint64_t>(at_at, 0x8000);
                put<uint64_t>(blob_at, 0x30000);
                put<uint32_t>(blob_offset_at, 4096);
                put<uint32_t>(blob_bytes_at, 4096);
                put<uint32_t>(parts_at, 2);
                row(0, 0, 0x8000, 4096);
                row(1, 2 * 4096, 0x200000, 3 * 4096);
                memset(&file[4096], 0xbb, 4096);
                memset(&file[2 * 4096], 0x11, 3 * 4096);
        }

        void row(unsigned i, uint64_t offset, uint64_t at, uint64_t bytes)
        {
                put<uint64_t>(rows_at + i * row_bytes + 8, offset);
                put<uint64_t>(rows_at + i * row_bytes + 16, at);
                put<uint64_t>(rows_at + i * row_bytes + 24, bytes);
        }

        std::string load()
        {
                const char *const why = nova_sealed_load(&memory, file.data(), file.size(), &start);

                return why ? why : "";
        }
};

TEST_F(sealed, copies_the_blob_and_each_part)
{
        EXPECT_EQ(load(), "");
        EXPECT_EQ(get<uint64_t>(0x30000), 0xbbbbbbbbbbbbbbbb);
        EXPECT_EQ(get<uint64_t>(0x200000), 0x1111111111111111);
        EXPECT_EQ(get<uint64_t>(0x203000 - 8), 0x1111111111111111);
        EXPECT_EQ(get<uint64_t>(0x203000), 0xeeeeeeeeeeeeeeee);
        EXPECT_EQ(memcmp(&ram[0x8000], file.data(), 4096), 0);
        EXPECT_EQ(start.state.ip, 0x8400u);
        EXPECT_EQ(nova_sealed_memory(file.data(), file.size()), ram_bytes);
}

TEST_F(sealed, refuses_another_file)
{
        file[3] = 'X';
        EXPECT_EQ(load(), "it is not a sealed image: make one with 'nova seal'");
        EXPECT_EQ(nova_sealed_memory(file.data(), file.size()), 0u);
        file[3] = 'A';
        file.resize(4095);
        EXPECT_EQ(load(), "it is not a sealed image: make one with 'nova seal'");
}

TEST_F(sealed, refuses_another_version_and_too_many_parts)
{
        put<uint32_t>(version_at, 2);
        EXPECT_EQ(load(), "it is a sealed image of another version");
        put<uint32_t>(version_at, 1);
        put<uint32_t>(parts_at, 17);
        EXPECT_EQ(load(), "it is a sealed image of another version");
        put<uint32_t>(parts_at, UINT32_MAX);
        EXPECT_EQ(load(), "it is a sealed image of another version");
}

TEST_F(sealed, refuses_a_part_of_a_file)
{
        file.resize(file_bytes - 1);
        EXPECT_EQ(load(), "it is truncated");
        file.resize(file_bytes + 1);
        EXPECT_EQ(load(), "it is truncated");
}

TEST_F(sealed, refuses_a_guest_that_does_not_fit)
{
        put<uint64_t>(memory_at, ram_bytes + 1);
        EXPECT_EQ(load(), "its guest needs more memory than the machine has");
        put<uint64_t>(memory_at, UINT64_MAX);
        EXPECT_EQ(load(), "its guest needs more memory than the machine has");
}

TEST_F(sealed, refuses_a_blob_outside_of_the_file_or_the_memory)
{
        for (const uint64_t at : {uint64_t(ram_bytes - 4095), uint64_t(ram_bytes), UINT64_MAX}) {
                put<uint64_t>(blob_at, at);
                EXPECT_EQ(load(), "its blob is outside of the file or of the memory") << at;
        }
        put<uint64_t>(blob_at, 0x30000);
        put<uint32_t>(blob_offset_at, file_bytes - 4095);
        EXPECT_EQ(load(), "its blob is outside of the file or of the memory");
        put<uint32_t>(blob_offset_at, UINT32_MAX);
        EXPECT_EQ(load(), "its blob is outside of the file or of the memory");
}

TEST_F(sealed, refuses_a_part_outside_of_the_file_or_the_memory)
{
        const std::string sentence = "a part of it is outside of the file or of the memory";

        for (const uint64_t at : {uint64_t(ram_bytes - 4095), UINT64_MAX, UINT64_MAX - 4095}) {
                row(1, 2 * 4096, at, 4096);
                EXPECT_EQ(load(), sentence) << at;
        }
        for (const uint64_t offset : {uint64_t(file_bytes - 4095), UINT64_MAX, UINT64_MAX - 4095}) {
                row(1, offset, 0x200000, 4096);
                EXPECT_EQ(load(), sentence) << offset;
        }
        row(1, 0, 0x200000, UINT64_MAX);
        EXPECT_EQ(load(), sentence);
}

} // namespace
