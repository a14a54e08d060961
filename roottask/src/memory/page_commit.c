/* SPDX-License-Identifier: BSD-2-Clause */
/* Commits pages to regions (see page_commit.h). */
#include "memory/page_commit.h"

#include <errno.h>

#include "memory/commit_table.h"
#include "memory/mapper.h"
#include "memory/page.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/layout.h"
#include "novart/program.h"

/* Order of the largest block that is committed at once: 64 KiB. */
#define FILL_ORDER 4

#define LEAVES(begin, end) (((end) - (begin)) / COMMIT_TABLE_SPAN)
#define FAR_LEAVES         LEAVES(NOVA_LAYOUT_FAR, NOVA_LAYOUT_FAR_END)

/* The `own` area lies near a child's segments; most children use only this one. The directory of
 * the `far` area is allocated at its first use. */
static uint32_t near_leaf[LEAVES(NOVA_LAYOUT_REGION, NOVA_LAYOUT_REGION_END)];
static struct commit_table own;
static struct commit_table near = {.begin = NOVA_LAYOUT_REGION,
                                   .leaves = LEAVES(NOVA_LAYOUT_REGION, NOVA_LAYOUT_REGION_END),
                                   .leaf = near_leaf};
static struct commit_table far = {.begin = NOVA_LAYOUT_FAR};
static nova_word_t commits; /* number of commits of blocks, including those that failed in map() */

static void *take_leaf(void *context)
{
        (void)context;
        return novart_page_take(0);
}

static void give_leaf(void *context, void *page)
{
        (void)context;
        novart_page_give(page, 0);
}

static const struct commit_table_pages leaves = {take_leaf, give_leaf, NULL};

static struct commit_table *table_of(nova_word_t addr)
{
        if (addr >= NOVA_LAYOUT_FAR)
                return &far;
        return addr >= NOVA_LAYOUT_REGION ? &near : &own;
}

int novart_page_commit_start(void)
{
        const struct nova_start_page *const start = nova_program.start;

        own.pool = near.pool = far.pool = start ? start->pool : NOVA_LAYOUT_POOL;
        if (!start || start->region >= start->region_end)
                return 0;

        const size_t pages = (start->region_end - start->region) >> NOVA_PAGE_BITS;
        const size_t bytes = pages * sizeof(*own.flat);

        own.begin = start->region;
        own.flat = novart_page_spare(bytes);
        if (!own.flat)
                own.flat = novart_page_take(page_order(bytes));
        if (!own.flat)
                return ENOMEM;
        own.flat_pages = pages;
        for (unsigned i = 0; i < 2 && start->stack[i]; i++)
                novart_commit_table_set(&own, start->stack[i],
                                        start->pool + start->pool_bytes - (i + 1) * NOVA_PAGE_SIZE);
        return 0;
}

bool novart_page_commit_prepare(nova_word_t addr)
{
        struct commit_table *const table = table_of(addr);

        if (table == &far && !table->leaf) {
                table->leaf = novart_page_take(page_order(FAR_LEAVES * sizeof(*table->leaf)));
                if (!table->leaf)
                        return false;
                table->leaves = FAR_LEAVES;
        }
        return novart_commit_table_prepare(table, addr, &leaves);
}

bool novart_page_is_committed(nova_word_t addr)
{
        return novart_commit_table_get(table_of(addr), addr);
}

bool novart_page_commit_some(nova_word_t addr, size_t pages)
{
        const nova_word_t end = addr + (pages << NOVA_PAGE_BITS);

        return novart_commit_table_next(table_of(addr), addr, end) < end;
}

nova_word_t novart_page_commits(void)
{
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(&commits, __ATOMIC_RELAXED);
}

static int map(nova_word_t page, nova_word_t addr, unsigned order)
{
        return novart_mapper_map(page >> NOVA_PAGE_BITS, addr >> NOVA_PAGE_BITS, order,
                                 NOVA_MEM_R | NOVA_MEM_W);
}

static void unmap(nova_word_t addr, size_t pages)
{
        const nova_sel_t first = addr >> NOVA_PAGE_BITS;
        struct nova_crd_range range = {NOVA_CRD_MEM, NOVA_PERM_ALL, first, first, pages};
        nova_crd_t crd;

        while (nova_crd_next(&range, &crd, NULL))
                nova_revoke(crd, NOVA_REVOKE_SR);
}

/* Commits one block to an address. */
static int fill_block(nova_word_t addr, unsigned order)
{
        struct commit_table *const table = table_of(addr);
        const nova_word_t block =
                novart_page_commit_prepare(addr) ? (nova_word_t)novart_page_take_split(order) : 0;

        if (!block)
                return ENOMEM;
        __atomic_fetch_add(&commits, 1, __ATOMIC_RELEASE);

        const int error = map(block, addr, order);

        if (error)
                unmap(addr, (size_t)1 << order);
        for (size_t i = 0; i < (size_t)1 << order; i++) {
                const nova_word_t offset = i << NOVA_PAGE_BITS;

                if (error)
                        novart_page_give((void *)(block + offset), 0);
                else
                        novart_commit_table_set(table, addr + offset, block + offset);
        }
        if (error)
                novart_commit_table_trim(table, addr, &leaves);
        return error;
}

/* Returns the order of the largest block that fits at an address to which no page is committed. */
static unsigned fitting(nova_word_t addr, nova_word_t end)
{
        const nova_word_t next = novart_commit_table_next(table_of(addr), addr, end);
        const unsigned order =
                nova_crd_order_of(addr >> NOVA_PAGE_BITS, (next - addr) >> NOVA_PAGE_BITS);

        return order < FILL_ORDER ? order : FILL_ORDER;
}

int novart_page_commit(nova_word_t addr, size_t pages)
{
        const nova_word_t end = addr + (pages << NOVA_PAGE_BITS);

        while (addr < end) {
                if (novart_page_is_committed(addr)) {
                        addr += NOVA_PAGE_SIZE;
                        continue;
                }

                unsigned order = fitting(addr, end);
                int error = fill_block(addr, order);

                while (error && order)
                        error = fill_block(addr, --order);
                if (error)
                        return ENOMEM;
                addr += (nova_word_t)NOVA_PAGE_SIZE << order;
        }
        return 0;
}

int novart_page_commit_over(nova_word_t addr)
{
        unmap(addr, 1);
        return novart_page_commit(addr, 1);
}

unsigned novart_page_perms(nova_word_t addr)
{
        nova_crd_t crd = nova_crd_mem(addr >> NOVA_PAGE_BITS, 0, 0);

        if (nova_lookup(&crd) != NOVA_SUCCESS || nova_crd_type(crd) != NOVA_CRD_MEM)
                return 0;
        return (unsigned)nova_crd_perms(crd);
}

int novart_page_commit_renew(nova_word_t addr)
{
        const nova_word_t page = novart_commit_table_get(table_of(addr), addr);

        if (!page)
                return EFAULT;
        if (novart_page_perms(addr))
                return 0;
        return map(page, addr & ~(nova_word_t)(NOVA_PAGE_SIZE - 1), 0);
}

void novart_page_decommit(nova_word_t addr, size_t pages)
{
        struct commit_table *const table = table_of(addr);
        const nova_word_t end = addr + (pages << NOVA_PAGE_BITS);
        nova_word_t leaf = addr;

        unmap(addr, pages);
        while ((addr = novart_commit_table_next(table, addr, end)) < end) {
                novart_page_give((void *)novart_commit_table_get(table, addr), 0);
                novart_commit_table_set(table, addr, 0);
        }
        for (; leaf < end; leaf = (leaf & ~(COMMIT_TABLE_SPAN - 1)) + COMMIT_TABLE_SPAN)
                novart_commit_table_trim(table, leaf, &leaves);
}
