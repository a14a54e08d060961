// SPDX-License-Identifier: BSD-2-Clause
// Physical memory that init gives to no device of a description.
#include "init/memory.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

// A hypervisor information page with some memory descriptors.
class Page
{
        std::vector<nova_word_t> words = std::vector<nova_word_t>(NOVA_PAGE_SIZE / 8);

      public:
        explicit Page(const std::vector<nova_hip_mem> &mem)
        {
                auto *const hip = reinterpret_cast<nova_hip *>(words.data());

                hip->mem_offset = sizeof(nova_hip);
                hip->mem_size = sizeof(nova_hip_mem);
                hip->length = static_cast<uint16_t>(sizeof(nova_hip) + mem.size() * sizeof(mem[0]));
                std::memcpy(hip + 1, mem.data(), mem.size() * sizeof(mem[0]));
        }

        std::string content(uint64_t first, uint64_t last) const
        {
                const auto *const hip = reinterpret_cast<const nova_hip *>(words.data());
                const char *const content = memory_content(hip, first, last);

                return content ? content : "";
        }
};

TEST(init_memory, without_descriptors_may_belong_to_a_device)
{
        EXPECT_EQ(Page({}).content(0, 0xfff), "");
}

TEST(init_memory, is_refused_from_the_first_to_the_last_page_of_ram)
{
        const Page page({{0x100000, 0x200000, NOVA_MEM_AVAILABLE, 0}});

        EXPECT_EQ(page.content(0xff000, 0xfffff), "");
        EXPECT_EQ(page.content(0xff000, 0x100fff), "RAM");
        EXPECT_EQ(page.content(0x2ff000, 0x2fffff), "RAM");
        EXPECT_EQ(page.content(0x200000, 0x200fff), "RAM");
        EXPECT_EQ(page.content(0, 0xffffffffff), "RAM");
        EXPECT_EQ(page.content(0x300000, 0x300fff), "");
}

TEST(init_memory, is_refused_if_a_part_of_its_page_is_ram)
{
        const Page page({{0, 0x9fc00, NOVA_MEM_AVAILABLE, 0}});

        EXPECT_EQ(page.content(0x9f000, 0x9ffff), "RAM");
        EXPECT_EQ(page.content(0xa0000, 0xbffff), "");
}

TEST(init_memory, is_refused_with_the_content_of_its_descriptor)
{
        const Page page({{0x1000, 0x1000, NOVA_MEM_KERNEL, 0},
                         {0x2000, 0x1000, NOVA_MEM_MODULE, 0},
                         {0x3000, 0x1000, NOVA_MEM_CMDLINE, 0},
                         {0x4000, 0x1000, NOVA_MEM_LOG, 0},
                         {0x5000, 0x1000, NOVA_MEM_BOOT, 0},
                         {0x6000, 0x100000, NOVA_MEM_PCI, 0},
                         {0x200000, 0x1000, -7, 0}});

        EXPECT_EQ(page.content(0x1000, 0x1fff), "the kernel's memory");
        EXPECT_EQ(page.content(0x2000, 0x2fff), "a boot module");
        for (const unsigned addr : {0x3000u, 0x4000u, 0x5000u, 0x200000u})
                EXPECT_EQ(page.content(addr, addr + 0xfff), "the kernel's memory") << addr;
        EXPECT_EQ(page.content(0x6000, 0x6fff), "PCI's configuration space");
        EXPECT_EQ(page.content(0x105000, 0x106fff), "PCI's configuration space");
}

TEST(init_memory, of_the_firmware_and_of_acpi_may_belong_to_a_device)
{
        const Page page({{0xf0000, 0x10000, NOVA_MEM_RESERVED, 0},
                         {0x100000, 0x1000, NOVA_MEM_ACPI_RECLAIM, 0},
                         {0x101000, 0x1000, NOVA_MEM_ACPI_NVS, 0}});

        EXPECT_EQ(page.content(0xf0000, 0x101fff), "");
}

TEST(init_memory, that_is_reserved_is_refused_if_it_is_also_pci_configuration_space)
{
        const Page page({{0xb0000000, 0x10000000, NOVA_MEM_RESERVED, 0},
                         {0xb0000000, 0x10000000, NOVA_MEM_PCI, 0}});

        EXPECT_EQ(page.content(0xbffff000, 0xbfffffff), "PCI's configuration space");
}

TEST(init_memory, descriptors_may_be_empty_or_end_beyond_the_last_address)
{
        EXPECT_EQ(Page({{0x1000, 0, NOVA_MEM_AVAILABLE, 0}}).content(0, 0xffff), "");
        EXPECT_EQ(Page({{0x1000, UINT64_MAX, NOVA_MEM_AVAILABLE, 0}}).content(0x2000, 0x2fff),
                  "RAM");
}

} // namespace
