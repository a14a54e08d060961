/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap, which grows at its end. Its pages are allocated when it grows and not on first touch,
 * so malloc() can return NULL. Its caller, malloc(), admits one thread at a time. */
#include <errno.h>

#include "memory/page.h"
#include "memory/region.h"
#include "novart/layout.h"

/* Number of pages that the heap keeps free for stacks and tables. */
#define LEFT_PAGES 8

static nova_word_t begin, end, committed, limit;

/* Reserves addresses for all memory of the program. If this is too much, tries half of it, and so
 * on. */
static bool reserve(void)
{
        size_t pages = novart_page_total();

        /* nova_region_reserve() aligns a power of two to its size. The heap needs no alignment, so
         * the number of pages is odd. */
        for (pages |= 1; pages > 1; pages = pages / 2 | 1) {
                begin = (nova_word_t)nova_region_reserve(pages * NOVA_PAGE_SIZE);
                if (begin)
                        break;
        }
        end = committed = begin;
        limit = begin + pages * NOVA_PAGE_SIZE;
        nova_region_name((void *)begin, "heap");
        return begin;
}

static nova_word_t page_up(nova_word_t addr)
{
        return (addr + NOVA_PAGE_SIZE - 1) & ~(nova_word_t)(NOVA_PAGE_SIZE - 1);
}

void *nova_sbrk(ptrdiff_t bytes)
{
        const nova_word_t old = begin || reserve() ? end : 0;

        if (!old ||
            (bytes < 0 ? (nova_word_t)-bytes > end - begin : (nova_word_t)bytes > limit - end))
                return (void *)-1;

        const nova_word_t to = page_up(end + (nova_word_t)bytes);

        if (to > committed) {
                if (nova_page_free_count() < (to - committed) / NOVA_PAGE_SIZE + LEFT_PAGES)
                        return (void *)-1;
                if (nova_region_commit((void *)committed, to - committed)) {
                        novart_region_decommit((void *)committed, to - committed);
                        return (void *)-1;
                }
        } else if (to < committed) {
                novart_region_decommit((void *)to, committed - to);
        }
        committed = to;
        end += (nova_word_t)bytes;
        return (void *)old;
}
