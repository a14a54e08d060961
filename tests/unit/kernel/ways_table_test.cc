// SPDX-License-Identifier: BSD-2-Clause
// Page tables: a write by the short path, for a part of one existing table, gives the same result
// as the same write by the general path.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "kernel.h"

extern "C" {
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "space/page_table.h"
}

namespace
{

constexpr word_t TABLE = 512, USER_PAGES = NOVA_USER_END >> PAGE_BITS,
                 LAST_TABLE = USER_PAGES - TABLE;

// WHOLE: at once. IN_STEPS: in steps, each with a budget for half of the remaining pages, until one
// page is left. BEYOND: with USER_PAGES as the last page, one page beyond user memory, for which
// nothing is written. WRITTEN: without a budget.
enum Way { WHOLE, IN_STEPS, BEYOND, WRITTEN };

struct Write {
        word_t first, last;
        uint64_t value;
};

std::ostream &operator<<(std::ostream &out, const Write &one)
{
        return out << std::hex << one.first << ".." << one.last << " value " << one.value;
}

// Appends all entries of user memory to out. In place of a table's address it shows how many
// entries the table has.
void show_table(const uint64_t *table, unsigned level, word_t page, std::string &out)
{
        for (word_t i = 0; i < (level == 3 ? TABLE / 2 : TABLE); i++) {
                const uint64_t entry = table[i];
                if (!entry)
                        continue;
                const bool leaf = !level || entry & PTE_LARGE;
                auto *below = static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS));
                out += std::to_string(level) + " " + std::to_string(page | i << 9 * level) + ": " +
                       std::to_string(leaf ? entry : entry & ~PTE_ADDRESS) + "\n";
                if (leaf)
                        continue;
                out += "used " + std::to_string(frame_info(below)->used) + "\n";
                show_table(below, level - 1, page | i << 9 * level, out);
        }
}

// Executes a step. Returns whether translations must be flushed.
bool apply(pd *owner, word_t *at, word_t last, uint64_t value, unsigned *budget)
{
        flush all;
        flush_init(&all);
        EXPECT_TRUE(page_table_apply(owner, at, last, value, budget, &all));
        const bool flushed = all.count;
        flush_run(&all);
        return flushed;
}

// Writes without a budget. Returns whether translations must be flushed.
bool write(pd *owner, const Write &one)
{
        flush all;
        flush_init(&all);
        EXPECT_TRUE(page_table_write(owner, one.first, one.last, one.value, &all));
        const bool flushed = all.count;
        flush_run(&all);
        return flushed;
}

// Returns the visible result: tables, memory, and whether TLBs were flushed.
std::string after(pd *owner, const Write &one, Way way)
{
        const Taken before = taken_now();
        const word_t last = way == BEYOND ? USER_PAGES : one.last;
        word_t at = one.first;
        bool flushed = false;
        unsigned used = 0;

        if (way == WRITTEN) {
                flushed = write(owner, one);
                used = unsigned(last - at + 1);
                at = last + 1;
        }
        while (at <= last) {
                const word_t page = at, left = last - page + 1;
                unsigned budget = way == IN_STEPS && left > 1 ? unsigned(left) / 2 : TABLE * 8;
                const unsigned given = budget;
                const uint64_t value =
                        one.value ? one.value + ((page - one.first) << PAGE_BITS) : 0;
                flushed |= apply(owner, &at, last, value, &budget);
                EXPECT_GT(at, page);
                used += given - budget;
        }
        EXPECT_EQ(at, last + 1);
        const Taken now = taken_now();
        std::string out;
        if (one.value && one.last - one.first < TABLE - 1) // no large page
                out = std::to_string(used) + " entries\n";
        show_table(owner->memory.tables.root, 3, 0, out);
        return out + "flushed " + std::to_string(flushed) + ", frames " +
               std::to_string(now.frames - before.frames) + ", bytes " +
               std::to_string(now.bytes - before.bytes);
}

class PageTables : public Kernel
{
      public:
        ~PageTables()
        {
                for (pd *owner : {one, two})
                        for (const word_t first : {word_t{0}, LAST_TABLE}) {
                                word_t at = first;
                                unsigned budget = UINT32_MAX;
                                apply(owner, &at, first + 3 * TABLE - 1, 0, &budget);
                        }
        }

        void expect_same(const Write &what, Way way)
        {
                SCOPED_TRACE(testing::Message() << what << ", way " << way);
                const std::string whole = after(one, what, WHOLE);
                ASSERT_EQ(whole, after(two, what, way));
        }

        // Returns 0 in about one of eight cases, otherwise an entry; the frames of some entries
        // allow a large page.
        uint64_t value()
        {
                const unsigned perms = unsigned(random() % 8);
                return page_table_value(random() % 3 ? random() % 0x10000 : 0x20000, perms);
        }

        std::mt19937 random;
        pd *one = make_pd(), *two = make_pd();
};

TEST(ways, of_parts_of_page_tables_are_the_same)
{
        PageTables tables;
        for (unsigned i = 0; i < 3000; i++) {
                const word_t first = tables.random() % (2 * TABLE);
                const word_t count = tables.random() % 8 ? 1 + tables.random() % 40
                                                         : 1 + tables.random() % TABLE;
                const bool all = tables.random() % 16 == 0; // so that tables are freed, too
                const Write what = {all ? 0 : first, all ? 3 * TABLE - 1 : first + count - 1,
                                    all || i % 3 == 0 ? 0 : tables.value()};
                ASSERT_NO_FATAL_FAILURE(tables.expect_same(what, i % 2 ? IN_STEPS : WRITTEN));
        }
}

// A revocation that has lost its place continues inside a large page of the mapping that it clears.
TEST(page_table, loses_a_large_page_without_memory)
{
        for (const word_t inside : {0, 1, 100, 511}) {
                SCOPED_TRACE(inside);
                PageTables tables;
                const Taken before = taken_now();
                write(tables.one, {TABLE, 3 * TABLE - 1, page_table_value(0x20000, NOVA_MEM_RWX)});
                word_t at = TABLE + inside;
                unsigned budget = TABLE * 8;
                fake_fail_allocations_from(0);
                EXPECT_TRUE(apply(tables.one, &at, 3 * TABLE - 1, 0, &budget));
                fake_fail_allocation(-1);
                EXPECT_EQ(at, 3 * TABLE);
                std::string left;
                show_table(tables.one->memory.tables.root, 3, 0, left);
                EXPECT_EQ(left, "");
                EXPECT_EQ(taken_now(), before);
        }
}

TEST(ways, of_the_last_page_table_are_the_same)
{
        PageTables tables;
        for (unsigned i = 0; i < 1000; i++) {
                const word_t first = LAST_TABLE + 1 + tables.random() % (TABLE - 1);
                const Write what = {first, USER_PAGES - 1, i % 2 ? 0 : tables.value()};
                ASSERT_NO_FATAL_FAILURE(tables.expect_same(what, BEYOND));
        }
}

} // namespace
