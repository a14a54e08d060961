/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading HIPs, well-formed and hostile ones. The sanitizer watches the end of the page. */
#include "nova/hip.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace
{

using range = std::pair<uint64_t, uint64_t>;

class hip : public testing::Test
{
      protected:
        std::unique_ptr<unsigned char[]> page{new unsigned char[NOVA_PAGE_SIZE]()};
        nova_hip *h = reinterpret_cast<nova_hip *>(page.get());
        unsigned descriptors = 0;

        void SetUp() override
        {
                h->signature = NOVA_HIP_SIGNATURE;
                h->length = sizeof(nova_hip);
                h->cpu_offset = offsetof(nova_hip, cpu);
                h->cpu_size = sizeof(nova_hip_cpu);
                h->mem_offset = sizeof(nova_hip);
                h->mem_size = sizeof(nova_hip_mem);
                h->version = NOVA_HIP_VERSION;
                sum();
        }

        void sum()
        {
                h->checksum = 0;
                h->checksum = static_cast<uint16_t>(-nova_hip_checksum(h));
        }

        void add(uint64_t addr, uint64_t size, int32_t type, uint32_t aux = 0)
        {
                const nova_hip_mem mem = {addr, size, type, aux};

                std::memcpy(page.get() + h->length, &mem, sizeof(mem));
                h->length += sizeof(mem);
                sum();
        }

        std::vector<range> free_ram()
        {
                std::vector<range> ranges;
                uint64_t cursor = 0, addr, size;

                while (nova_hip_next_free(h, &cursor, &addr, &size)) {
                        ranges.emplace_back(addr, size);
                        EXPECT_LT(ranges.size(), 10000u);
                        if (ranges.size() >= 10000)
                                break;
                }
                return ranges;
        }
};

TEST_F(hip, a_page_with_the_right_sum_is_valid)
{
        EXPECT_TRUE(nova_hip_valid(h));
        h->tsc_khz++;
        EXPECT_FALSE(nova_hip_valid(h));
}

TEST_F(hip, wrong_sizes_and_offsets_are_not_valid)
{
        const auto refused = [this](uint16_t nova_hip::*field, uint16_t value) {
                const uint16_t old = h->*field;

                h->*field = value;
                sum();
                EXPECT_FALSE(nova_hip_valid(h)) << value;
                h->*field = old;
                sum();
                EXPECT_TRUE(nova_hip_valid(h));
        };
        refused(&nova_hip::length, 0);
        refused(&nova_hip::length, NOVA_PAGE_SIZE + 2);
        refused(&nova_hip::length, sizeof(nova_hip) + 1);
        refused(&nova_hip::cpu_size, 0);
        refused(&nova_hip::mem_size, 0);
        refused(&nova_hip::mem_size, sizeof(nova_hip_mem) - 1);
        refused(&nova_hip::cpu_offset, 0);
        refused(&nova_hip::mem_offset, 0);
        refused(&nova_hip::mem_offset, 0xffff);
}

TEST_F(hip, cpus_are_counted_by_their_flag)
{
        h->cpu[0].flags = NOVA_CPU_ENABLED;
        h->cpu[5].flags = NOVA_CPU_ENABLED;
        h->cpu[6].flags = 0xfe;
        EXPECT_EQ(nova_hip_cpu_count(h), 2u);
        EXPECT_TRUE(nova_hip_cpu_enabled(h, 5));
        EXPECT_FALSE(nova_hip_cpu_enabled(h, 6));
        EXPECT_FALSE(nova_hip_cpu_enabled(h, 64));
        EXPECT_FALSE(nova_hip_cpu_enabled(h, ~0u));
}

TEST_F(hip, command_lines_of_modules_are_not_free)
{
        add(0x100000, 0x100000, NOVA_MEM_AVAILABLE);
        add(0x105000, 0x1000, NOVA_MEM_MODULE, 0x103f78);
        add(0x107000, 0x1000, NOVA_MEM_MODULE, 0);
        EXPECT_EQ(
                free_ram(),
                (std::vector<range>{{0x100000, 0x3000}, {0x106000, 0x1000}, {0x108000, 0xf8000}}));
        add(0x110000, 1, NOVA_MEM_MODULE, 0xfffff000);
        EXPECT_EQ(free_ram().size(), 4u);
}

TEST_F(hip, modules_are_found_in_order)
{
        add(0, 0x1000, NOVA_MEM_AVAILABLE);
        add(0x5000, 10, NOVA_MEM_MODULE, 1);
        add(0x6000, 20, NOVA_MEM_MODULE, 2);

        nova_hip_mem mem;
        ASSERT_TRUE(nova_hip_get_module(h, 1, &mem));
        EXPECT_EQ(mem.aux, 2u);
        EXPECT_FALSE(nova_hip_get_module(h, 2, &mem));
}

TEST_F(hip, free_ram_is_available_minus_all_that_is_taken)
{
        add(0, 0x9fc00, NOVA_MEM_AVAILABLE);
        add(0x9fc00, 0x400, NOVA_MEM_RESERVED);
        add(0x100000, 0x700000, NOVA_MEM_AVAILABLE);
        add(0x200000, 0x100000, NOVA_MEM_KERNEL);
        add(0x400100, 0x100, NOVA_MEM_MODULE);
        EXPECT_EQ(free_ram(), (std::vector<range>{{0, 0x9f000},
                                                  {0x100000, 0x100000},
                                                  {0x300000, 0x100000},
                                                  {0x401000, 0x3ff000}}));
}

TEST_F(hip, taken_ranges_may_overlap_and_exceed_ram)
{
        add(0x10000, 0x10000, NOVA_MEM_AVAILABLE);
        add(0x14000, 0x3000, NOVA_MEM_MODULE);
        add(0x15000, 0x1000, NOVA_MEM_MODULE);
        add(0x16000, 0x2000, -77);
        add(0x1f000, 0x100000, NOVA_MEM_RESERVED);
        EXPECT_EQ(free_ram(), (std::vector<range>{{0x10000, 0x4000}, {0x18000, 0x7000}}));
}

TEST_F(hip, parts_of_pages_are_not_free)
{
        add(0x1001, 0x1ffe, NOVA_MEM_AVAILABLE);
        EXPECT_TRUE(free_ram().empty());
}

TEST_F(hip, ranges_that_wrap_around_end_at_the_last_byte)
{
        add(UINT64_MAX - 0x1fff, UINT64_MAX, NOVA_MEM_AVAILABLE);
        EXPECT_EQ(free_ram(), (std::vector<range>{{UINT64_MAX - 0x1fff, 0x1000}}));

        add(0, UINT64_MAX, NOVA_MEM_RESERVED);
        EXPECT_TRUE(free_ram().empty());
}

TEST_F(hip, empty_descriptors_neither_add_nor_hide_memory)
{
        add(0x1000, 0, NOVA_MEM_AVAILABLE);
        add(0x2000, 0x1000, NOVA_MEM_AVAILABLE);
        add(0x2000, 0, NOVA_MEM_RESERVED);
        EXPECT_EQ(free_ram(), (std::vector<range>{{0x2000, 0x1000}}));
}

TEST_F(hip, no_field_leads_out_of_the_page)
{
        const uint16_t values[] = {0,     1,    2,    23,   24,     25,    0x37,
                                   0x238, 4095, 4096, 4097, 0xfff0, 0xffff};

        std::memset(page.get(), 0x41, NOVA_PAGE_SIZE);
        for (uint16_t length : values)
                for (uint16_t offset : values)
                        for (uint16_t size : values) {
                                nova_hip_mem mem;
                                uint64_t cursor = 0, addr, bytes;

                                h->length = length;
                                h->cpu_offset = h->mem_offset = offset;
                                h->cpu_size = h->mem_size = size;
                                nova_hip_valid(h);
                                nova_hip_cpu_count(h);
                                nova_hip_get_module(h, 3, &mem);
                                for (unsigned i = 0; nova_hip_get_mem(h, i, &mem); i++)
                                        ASSERT_LT(i, 200u);
                                for (int i = 0; nova_hip_next_free(h, &cursor, &addr, &bytes); i++)
                                        ASSERT_LT(i, 1000);
                        }
}

TEST_F(hip, neighbours_and_overlapping_ranges_are_joined)
{
        add(0x3000, 0x1800, NOVA_MEM_AVAILABLE);
        add(0x1000, 0x1800, NOVA_MEM_AVAILABLE);
        add(0x2000, 0x1000, NOVA_MEM_AVAILABLE);
        add(0x4800, 0x800, NOVA_MEM_AVAILABLE);
        EXPECT_EQ(free_ram(), (std::vector<range>{{0x1000, 0x4000}}));
}

/* Finds free pages by brute force: a page is free if each of its bytes is available and none is
 * reserved. */
std::vector<range> brute(const std::vector<nova_hip_mem> &mems, unsigned pages)
{
        const unsigned grain = 0x100;
        std::vector<bool> available(pages * NOVA_PAGE_SIZE / grain), taken(available.size());
        std::vector<range> ranges;

        for (const nova_hip_mem &mem : mems)
                for (uint64_t at = mem.addr; at - mem.addr < mem.size; at += grain)
                        if (at / grain < available.size())
                                (mem.type == NOVA_MEM_AVAILABLE ? available : taken)[at / grain] =
                                        true;
        for (unsigned page = 0; page < pages; page++) {
                bool free = true;

                for (unsigned i = 0; i < NOVA_PAGE_SIZE / grain; i++)
                        free = free && available[page * NOVA_PAGE_SIZE / grain + i] &&
                               !taken[page * NOVA_PAGE_SIZE / grain + i];
                if (!free)
                        continue;
                const uint64_t addr = static_cast<uint64_t>(page) * NOVA_PAGE_SIZE;
                if (!ranges.empty() && ranges.back().first + ranges.back().second == addr)
                        ranges.back().second += NOVA_PAGE_SIZE;
                else
                        ranges.emplace_back(addr, NOVA_PAGE_SIZE);
        }
        return ranges;
}

TEST_F(hip, free_ram_of_random_descriptors_agrees_with_brute_force)
{
        std::mt19937 random{3};
        size_t found = 0;

        for (unsigned round = 0; round < 3000; round++) {
                std::vector<nova_hip_mem> mems;
                const int32_t types[] = {NOVA_MEM_AVAILABLE, NOVA_MEM_AVAILABLE, NOVA_MEM_AVAILABLE,
                                         NOVA_MEM_RESERVED,  NOVA_MEM_MODULE,    -99};

                SetUp();
                for (unsigned i = random() % 40; i > 0; i--) {
                        const uint64_t grain = random() % 2 ? NOVA_PAGE_SIZE : 0x100;

                        mems.push_back({random() % 0x40000 / grain * grain,
                                        random() % 0x8000 / grain * grain, types[random() % 6], 0});
                        add(mems.back().addr, mems.back().size, mems.back().type);
                }
                ASSERT_TRUE(nova_hip_valid(h));
                const auto expected = brute(mems, 80);
                ASSERT_EQ(free_ram(), expected) << round;
                found += expected.size();
        }
        EXPECT_GT(found, 10000u);
}

TEST_F(hip, free_ram_of_any_bytes_is_finite_and_in_order)
{
        std::mt19937_64 random{5};

        for (unsigned round = 0; round < 200; round++) {
                for (unsigned i = 0; i < NOVA_PAGE_SIZE; i += 8) {
                        const uint64_t word = random() >> random() % 64;

                        std::memcpy(page.get() + i, &word, sizeof(word));
                }
                h->length = random() % 2 ? NOVA_PAGE_SIZE : static_cast<uint16_t>(random());
                h->mem_offset = static_cast<uint16_t>(random() % 1000);
                h->mem_size = 24;
                uint64_t end = 0;

                for (const range &r : free_ram()) {
                        ASSERT_TRUE(end == 0 || r.first > end);
                        ASSERT_EQ((r.first | r.second) % NOVA_PAGE_SIZE, 0u);
                        ASSERT_GT(r.second, 0u);
                        ASSERT_GE(r.first + r.second, r.first);
                        end = r.first + r.second;
                }
        }
}

TEST_F(hip, only_cpus_that_run_are_iterated)
{
        unsigned cursor = 0, cpu = 99;

        EXPECT_FALSE(nova_hip_next_cpu(h, &cursor, &cpu));
        EXPECT_EQ(cpu, 99u);
        h->cpu[3].flags = NOVA_CPU_ENABLED;
        h->cpu[4].flags = 0xfe;
        h->cpu[63].flags = 0xff;
        cursor = 0;
        ASSERT_TRUE(nova_hip_next_cpu(h, &cursor, &cpu));
        EXPECT_EQ(cpu, 3u);
        ASSERT_TRUE(nova_hip_next_cpu(h, &cursor, &cpu));
        EXPECT_EQ(cpu, 63u);
        EXPECT_FALSE(nova_hip_next_cpu(h, &cursor, &cpu));
        cursor = ~0u;
        EXPECT_FALSE(nova_hip_next_cpu(h, &cursor, &cpu));
}

TEST_F(hip, features_are_there_if_all_of_them_are)
{
        h->features = NOVA_HIP_VMX | NOVA_HIP_DESTROY;
        EXPECT_TRUE(nova_hip_has(h, NOVA_HIP_DESTROY));
        EXPECT_TRUE(nova_hip_has(h, NOVA_HIP_VMX | NOVA_HIP_DESTROY));
        EXPECT_FALSE(nova_hip_has(h, NOVA_HIP_SVM | NOVA_HIP_DESTROY));
        EXPECT_TRUE(nova_hip_has(h, 0));
}

TEST_F(hip, modules_are_counted)
{
        EXPECT_EQ(nova_hip_module_count(h), 0u);
        add(0x5000, 10, NOVA_MEM_MODULE);
        add(0x5000, 10, NOVA_MEM_RESERVED);
        add(0x5000, 10, NOVA_MEM_MODULE);
        EXPECT_EQ(nova_hip_module_count(h), 2u);
}

TEST_F(hip, finds_the_first_descriptor_of_a_type)
{
        nova_hip_mem mem;

        add(0x1000, 0x1000, NOVA_MEM_AVAILABLE);
        EXPECT_FALSE(nova_hip_find_mem(h, NOVA_MEM_LOG, &mem));
        add(0x5000, 0x3000, NOVA_MEM_LOG);
        add(0x9000, 0x3000, NOVA_MEM_LOG);
        ASSERT_TRUE(nova_hip_find_mem(h, NOVA_MEM_LOG, &mem));
        EXPECT_EQ(mem.addr, 0x5000u);
}

} // namespace
