/* SPDX-License-Identifier: BSD-2-Clause */
/* Commit tables: pages of the pool by address (see commit_table.h). */
#include "memory/commit_table.h"

static size_t number_of(const struct commit_table *table, uintptr_t page)
{
        return ((page - table->pool) >> NOVA_PAGE_BITS) + 1;
}

static uintptr_t page_of(const struct commit_table *table, uint32_t number)
{
        return number ? table->pool + ((uintptr_t)(number - 1) << NOVA_PAGE_BITS) : 0;
}

/* Returns the directory's entry for an address; NULL outside the area. */
static uint32_t *entry_of(const struct commit_table *table, uintptr_t addr)
{
        const uintptr_t index = (addr - table->begin) / COMMIT_TABLE_SPAN;

        return addr >= table->begin && index < table->leaves ? &table->leaf[index] : NULL;
}

/* Returns true if the entry of an address is in the flat table, not in a leaf. */
static bool is_flat(const struct commit_table *table, uintptr_t addr)
{
        return addr >= table->begin && (addr - table->begin) >> NOVA_PAGE_BITS < table->flat_pages;
}

static uint32_t *slot_of(const struct commit_table *table, uintptr_t addr)
{
        if (is_flat(table, addr))
                return &table->flat[(addr - table->begin) >> NOVA_PAGE_BITS];

        const uint32_t *entry = entry_of(table, addr);
        uint32_t *leaf = entry ? (uint32_t *)page_of(table, *entry) : NULL;

        return leaf ? &leaf[(addr >> NOVA_PAGE_BITS) % COMMIT_TABLE_LEAF_PAGES] : NULL;
}

uintptr_t novart_commit_table_get(const struct commit_table *table, uintptr_t addr)
{
        const uint32_t *slot = slot_of(table, addr);

        return slot ? page_of(table, *slot) : 0;
}

bool novart_commit_table_prepare(struct commit_table *table, uintptr_t addr,
                                 const struct commit_table_pages *pages)
{
        uint32_t *entry = entry_of(table, addr);

        if (is_flat(table, addr))
                return true;
        if (!entry)
                return false;
        if (!*entry) {
                void *page = pages->take(pages->context);

                if (!page)
                        return false;
                *entry = (uint32_t)number_of(table, (uintptr_t)page);
        }
        return true;
}

void novart_commit_table_set(struct commit_table *table, uintptr_t addr, uintptr_t page)
{
        *slot_of(table, addr) = page ? (uint32_t)number_of(table, page) : 0;
}

void novart_commit_table_trim(struct commit_table *table, uintptr_t addr,
                              const struct commit_table_pages *pages)
{
        uint32_t *entry = entry_of(table, addr);
        uint32_t *leaf = entry ? (uint32_t *)page_of(table, *entry) : NULL;

        if (!leaf)
                return;
        for (size_t i = 0; i < COMMIT_TABLE_LEAF_PAGES; i++)
                if (leaf[i])
                        return;
        *entry = 0;
        pages->give(pages->context, leaf);
}

/* Returns the end of the contiguous slots that begin at an address. */
static uintptr_t end_of(const struct commit_table *table, uintptr_t addr)
{
        const uintptr_t flat_end = table->begin + (table->flat_pages << NOVA_PAGE_BITS);

        return is_flat(table, addr) ? flat_end
                                    : (addr & ~(COMMIT_TABLE_SPAN - 1)) + COMMIT_TABLE_SPAN;
}

uintptr_t novart_commit_table_next(const struct commit_table *table, uintptr_t addr, uintptr_t end)
{
        while (addr < end) {
                const uint32_t *slot = slot_of(table, addr);
                uintptr_t stop = end_of(table, addr);

                if (stop > end)
                        stop = end;
                for (; slot && addr < stop; addr += NOVA_PAGE_SIZE)
                        if (*slot++)
                                return addr;
                addr = stop;
        }
        return end;
}
