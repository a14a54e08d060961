/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of pages behind regions (see backing.h). */
#include "memory/backing.h"

static size_t number_of(const struct backing *backing, uintptr_t page)
{
        return ((page - backing->pool) >> NOVA_PAGE_BITS) + 1;
}

static uintptr_t page_of(const struct backing *backing, uint32_t number)
{
        return number ? backing->pool + ((uintptr_t)(number - 1) << NOVA_PAGE_BITS) : 0;
}

/* Entry of the directory for an address; NULL outside of the area. */
static uint32_t *entry_of(const struct backing *backing, uintptr_t addr)
{
        const uintptr_t index = (addr - backing->begin) / BACKING_SPAN;

        return addr >= backing->begin && index < backing->leaves ? &backing->leaf[index] : NULL;
}

/* True if an address has an entry without a leaf. */
static bool is_flat(const struct backing *backing, uintptr_t addr)
{
        return addr >= backing->begin &&
               (addr - backing->begin) >> NOVA_PAGE_BITS < backing->flat_pages;
}

static uint32_t *slot_of(const struct backing *backing, uintptr_t addr)
{
        if (is_flat(backing, addr))
                return &backing->flat[(addr - backing->begin) >> NOVA_PAGE_BITS];

        const uint32_t *entry = entry_of(backing, addr);
        uint32_t *leaf = entry ? (uint32_t *)page_of(backing, *entry) : NULL;

        return leaf ? &leaf[(addr >> NOVA_PAGE_BITS) % BACKING_LEAF_PAGES] : NULL;
}

uintptr_t novart_commit_table_get(const struct backing *backing, uintptr_t addr)
{
        const uint32_t *slot = slot_of(backing, addr);

        return slot ? page_of(backing, *slot) : 0;
}

bool novart_commit_table_prepare(struct backing *backing, uintptr_t addr,
                                 const struct backing_pages *pages)
{
        uint32_t *entry = entry_of(backing, addr);

        if (is_flat(backing, addr))
                return true;
        if (!entry)
                return false;
        if (!*entry) {
                void *page = pages->take(pages->context);

                if (!page)
                        return false;
                *entry = (uint32_t)number_of(backing, (uintptr_t)page);
        }
        return true;
}

void novart_commit_table_set(struct backing *backing, uintptr_t addr, uintptr_t page)
{
        *slot_of(backing, addr) = page ? (uint32_t)number_of(backing, page) : 0;
}

void novart_commit_table_trim(struct backing *backing, uintptr_t addr,
                              const struct backing_pages *pages)
{
        uint32_t *entry = entry_of(backing, addr);
        uint32_t *leaf = entry ? (uint32_t *)page_of(backing, *entry) : NULL;

        if (!leaf)
                return;
        for (size_t i = 0; i < BACKING_LEAF_PAGES; i++)
                if (leaf[i])
                        return;
        *entry = 0;
        pages->give(pages->context, leaf);
}

uintptr_t novart_commit_table_next(const struct backing *backing, uintptr_t addr, uintptr_t end)
{
        while (addr < end) {
                const uint32_t *slot = slot_of(backing, addr);

                if (slot && *slot)
                        return addr;
                if (slot)
                        addr += NOVA_PAGE_SIZE;
                else
                        addr = (addr & ~(BACKING_SPAN - 1)) + BACKING_SPAN;
        }
        return end;
}
