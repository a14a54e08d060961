// SPDX-License-Identifier: BSD-2-Clause
// Reads the data structures that the kernel has built for a PD, without the kernel's functions.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

#include "kernel.h"

extern "C" {
#include "arch/x86/pte.h"
#include "space/mapping_tree.h"
#include "space/object_mapping.h"
}

namespace
{

constexpr word_t USER_PAGES = NOVA_USER_END >> PAGE_BITS;

void collect(tree_node *node, size_t offset, std::vector<mapping *> &out)
{
        if (!node)
                return;
        collect(node->left, offset, out);
        out.push_back(reinterpret_cast<mapping *>(reinterpret_cast<char *>(node) - offset));
        collect(node->right, offset, out);
}

std::vector<mapping *> mappings_of(const space *owner)
{
        std::vector<mapping *> found;
        collect(owner->tree.root, offsetof(mapping, in_space), found);
        return found;
}

void check_mapping(mapping *m, bool settled)
{
        const word_t size = m->in_space.last - m->in_space.start;
        ASSERT_LE(m->in_space.start, m->in_space.last);
        ASSERT_EQ(m->in_parent.last - m->in_parent.start, size);
        if (settled) {
                ASSERT_TRUE(m->perms || m->attr & MAPPING_UTCB);
                ASSERT_EQ(m->pins, m->attr & MAPPING_UTCB ? 1u : 0u);
        }
        mapping *parent = mapping_parent(m);
        ASSERT_EQ(m->depth, parent ? parent->depth + 1 : 0);
        if (!parent || (!settled && parent->attr & MAPPING_BARREN))
                return;
        ASSERT_GE(m->in_parent.start, parent->in_parent.start);
        ASSERT_LE(m->in_parent.last, parent->in_parent.last);
        ASSERT_EQ(m->perms & ~unsigned(m->may), 0u);
        ASSERT_EQ(m->may & ~unsigned(parent->may), 0u) << "below a mapping that is clean";
        if (settled) {
                ASSERT_NE(parent->space, nullptr);
                ASSERT_EQ(m->perms & ~parent->perms, 0)
                        << "a child has more rights than its parent";
        }
}

// Collects the leaves of a page table: page -> (frame, relevant flags). Returns the number of
// entries in use.
unsigned read_table(const uint64_t *table, unsigned level, word_t page, Caps &out)
{
        unsigned used = 0;
        for (word_t i = 0; i < 512; i++) {
                const uint64_t entry = table[i];
                const word_t at = page | i << 9 * level;
                if (!entry || (level == 3 && at >= USER_PAGES))
                        continue;
                used++;
                EXPECT_TRUE(entry & PTE_PRESENT && entry & PTE_USER);
                if (level && !(entry & PTE_LARGE)) {
                        auto *next = static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS));
                        const unsigned count = read_table(next, level - 1, at, out);
                        EXPECT_EQ(frame_info(next)->used, count);
                        EXPECT_NE(count, 0u) << "an empty table was not freed";
                        continue;
                }
                EXPECT_LE(level, 1u);
                const unsigned perms = NOVA_MEM_R | (entry & PTE_WRITE ? NOVA_MEM_W : 0) |
                                       (entry & PTE_NOEXECUTE ? 0 : NOVA_MEM_X);
                const word_t frame = (entry & PTE_ADDRESS) >> PAGE_BITS;
                for (word_t n = 0; n < word_t{1} << 9 * level; n++)
                        out[at + n] = {frame + n, perms};
        }
        return used;
}

void check_memory(pd *owner)
{
        Caps expected, found;
        for (const mapping *m : mappings_of(&owner->memory.space)) {
                const bool utcb = m->attr & MAPPING_UTCB;
                const unsigned perms = utcb ? NOVA_MEM_R | NOVA_MEM_W : m->perms | NOVA_MEM_R;
                for (word_t i = m->in_space.start; i <= m->in_space.last && i < USER_PAGES; i++)
                        expected[i] = {m->in_parent.start + (i - m->in_space.start), perms & 7};
        }
        read_table(owner->memory.tables.root, 3, 0, found);
        EXPECT_TRUE(expected == found) << "page tables differ from the database";
        for (const auto &[page, cap] : expected)
                if (!found.count(page) || !(found[page] == cap)) {
                        ADD_FAILURE() << "page " << std::hex << page << " is not " << cap;
                        return;
                }
        for (const auto &[page, cap] : found)
                if (!expected.count(page)) {
                        ADD_FAILURE() << "page " << std::hex << page << " maps " << cap
                                      << ", the database has nothing there";
                        return;
                }
}

// Collects the leaves of a DMA page table.
unsigned read_dma(const uint64_t *table, unsigned level, word_t page, Caps &out)
{
        unsigned used = 0;
        for (word_t i = 0; i < 512; i++) {
                const uint64_t entry = table[i];
                const word_t at = page | i << 9 * level;
                if (!entry)
                        continue;
                used++;
                EXPECT_TRUE(entry & FAKE_DMA_PAGE);
                if (level && !(entry & SECOND_LEVEL_LARGE)) {
                        const uint64_t flags = entry & ~PTE_ADDRESS;
                        EXPECT_EQ(flags, FAKE_DMA_TABLE | level * FAKE_DMA_LEVEL);
                        auto *next = static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS));
                        const unsigned count = read_dma(next, level - 1, at, out);
                        EXPECT_EQ(frame_info(next)->used, count);
                        EXPECT_NE(count, 0u) << "an empty DMA table was not freed";
                        continue;
                }
                EXPECT_LE(level, 2u);
                const unsigned perms = (entry & FAKE_DMA_READ ? NOVA_MEM_R : 0) |
                                       (entry & FAKE_DMA_WRITE ? NOVA_MEM_W : 0);
                const word_t frame = (entry & PTE_ADDRESS) >> PAGE_BITS;
                for (word_t n = 0; n < word_t{1} << 9 * level; n++)
                        out[at + n] = {frame + n, perms};
        }
        return used;
}

void check_dma(pd *owner)
{
        Caps expected, found;
        for (const mapping *m : mappings_of(&owner->memory.space)) {
                const unsigned perms = m->attr & MAPPING_DMA ? m->perms & ~NOVA_MEM_X : 0;
                for (word_t i = m->in_space.start; perms && i <= m->in_space.last; i++)
                        expected[i] = {m->in_parent.start + (i - m->in_space.start), perms};
        }
        if (owner->dma.root)
                read_dma(owner->dma.root, 3, 0, found);
        EXPECT_TRUE(expected == found) << "DMA tables differ from the database";
}

void check_ports(pd *owner)
{
        for (word_t half = 0; half < 2; half++) {
                const word_t base = half * PAGE_SIZE * 8;
                uint8_t expected[PAGE_SIZE];
                bool any = false;
                std::memset(expected, 0xff, sizeof(expected));
                for (const mapping *m : mappings_of(&owner->io.space)) {
                        if (!(m->perms & NOVA_IO_A))
                                continue;
                        for (word_t i = m->in_space.start; i <= m->in_space.last; i++)
                                if (i - base < PAGE_SIZE * 8) {
                                        expected[(i - base) / 8] &= uint8_t(~(1u << i % 8));
                                        any = true;
                                }
                }
                const word_t *bitmap = owner->io.bitmap[half];
                EXPECT_TRUE(bitmap || !any);
                EXPECT_TRUE(!bitmap || !std::memcmp(bitmap, expected, PAGE_SIZE));
        }
}

void check_object(const object_mapping *m, const object_space *owner, word_t sel, bool settled)
{
        ASSERT_EQ(m->space, owner);
        ASSERT_EQ(m->sel, sel);
        if (settled) {
                ASSERT_NE(m->perms, 0);
                ASSERT_EQ(m->pins, 0u);
        }
        for (const object_mapping *child = m->children; child; child = child->next) {
                ASSERT_EQ(*child->link, child);
                ASSERT_EQ(child->parent, m);
                ASSERT_EQ(child->depth, m->depth + 1);
        }
        const object_mapping *parent = m->parent;
        if (!parent) {
                ASSERT_EQ(m->depth, 0);
        } else if (settled) {
                ASSERT_EQ(*m->link, m);
                ASSERT_NE(parent->space, nullptr);
                ASSERT_EQ(m->object, parent->object);
                ASSERT_EQ(m->perms & ~parent->perms, 0)
                        << "a child has more rights than its parent";
        }
}

// Adds the capabilities of a page, with their mappings. Returns the number of entries in use.
unsigned read_capabilities(pd *owner, const capability_page *page, word_t base, bool settled,
                           Caps &out)
{
        unsigned used = 0;
        for (word_t k = 0; k < CAPABILITY_SLOTS; k++) {
                const object_mapping *m = page->mapping[k];
                if (!m) {
                        EXPECT_EQ(page->capability[k], 0u);
                        continue;
                }
                used++;
                check_object(m, &owner->object_space, base + k, settled);
                const word_t object = reinterpret_cast<word_t>(m->object);
                EXPECT_EQ(page->capability[k], m->perms ? object | m->perms : 0);
                out[base + k] = {object, m->perms};
        }
        return used;
}

Caps read_objects(pd *owner, bool settled)
{
        capability_page ***const null_top = kernel_pd.object_space.top;
        capability_page **const null_middle = null_top[0];
        capability_page *const null_page = null_middle[0];
        const object_space *space = &owner->object_space;
        Caps found;
        unsigned middles = 0;
        for (word_t i = 0; i < RADIX_TOP_SLOTS; i++) {
                capability_page **middle = i ? space->top[i] : space->first;
                unsigned pages = 0;
                if (middle == null_middle)
                        continue;
                middles += i != 0;
                for (word_t j = 0; j < RADIX_SLOTS; j++) {
                        if (middle[j] == null_page)
                                continue;
                        pages++;
                        const word_t base = (i << RADIX_BITS | j) << CAPABILITY_BITS;
                        const unsigned used =
                                read_capabilities(owner, middle[j], base, settled, found);
                        EXPECT_TRUE(used && frame_info(middle[j])->used == used);
                }
                EXPECT_TRUE(pages && frame_info(middle)->used == pages);
        }
        EXPECT_TRUE(space->top == null_top || frame_info(space->top)->used == middles);
        EXPECT_EQ(space->top == null_top, !middles);
        for (word_t i = 0; i < RADIX_SLOTS; i++)
                EXPECT_EQ(null_middle[i], null_page);
        for (word_t i = 0; i < CAPABILITY_SLOTS; i++)
                EXPECT_TRUE(!null_page->capability[i] && !null_page->mapping[i]);
        return found;
}

} // namespace

Caps caps_of(pd *owner, unsigned type)
{
        Caps found;
        if (type == NOVA_CRD_OBJ)
                return read_objects(owner, false);
        for (const mapping *m : mappings_of(pd_space(owner, type)))
                for (word_t i = m->in_space.start; i <= m->in_space.last; i++) {
                        EXPECT_FALSE(found.count(i)) << "mappings overlap";
                        found[i] = {m->in_parent.start + (i - m->in_space.start), m->perms};
                }
        return found;
}

word_t pages_with(const uint64_t *table, unsigned level, uint64_t permission)
{
        word_t found = 0;

        for (word_t i = 0; table && i < (level == 3 ? 256 : 512); i++) {
                if (!level || table[i] & SECOND_LEVEL_LARGE)
                        found += table[i] & permission ? word_t{1} << 9 * level : 0;
                else if (table[i])
                        found += pages_with(
                                static_cast<const uint64_t *>(phys_to_pool(table[i] & PTE_ADDRESS)),
                                level - 1, permission);
        }
        return found;
}

void check_pd(pd *owner, bool settled)
{
        for (unsigned type : {NOVA_CRD_MEM, NOVA_CRD_IO})
                for (mapping *m : mappings_of(pd_space(owner, type))) {
                        EXPECT_EQ(m->space, pd_space(owner, type));
                        check_mapping(m, settled);
                }
        check_memory(owner);
        check_dma(owner);
        check_ports(owner);
        read_objects(owner, settled);
}
