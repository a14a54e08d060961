/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that a service under test gives to clients (see service_pages.h). */
#include "service_pages.h"

#include <stdlib.h>
#include <string.h>

#include "novart/page.h"

#define AREAS      64u
#define ZERO_ORDER 3 /* largest block that is filled with 0 */

unsigned pages_fail;
void (*pages_check)(const void *page);

static struct {
        nova_word_t page; /* 0: not used */
        unsigned order, revokes;
        bool given;
} areas[AREAS];

bool pages_must_fail(void)
{
        const bool fail = pages_fail & 1;

        pages_fail >>= 1;
        return fail;
}

/* Returns the index of the area that begins at a page or, if page is 0, of a free area. */
static unsigned find(nova_word_t page)
{
        unsigned i = 0;

        while (areas[i].page != page)
                require(++i < AREAS);
        return i;
}

/* Allocates pages. Does not fill large blocks with 0, because that would take most of the time of a
 * test. */
void *nova_page_alloc(unsigned order)
{
        const size_t bytes = (size_t)NOVA_PAGE_SIZE << order;
        const unsigned i = find(0);
        void *page;

        if (pages_must_fail())
                return NULL;
        page = aligned_alloc(NOVA_PAGE_SIZE, bytes);
        memset(page, 0, order <= ZERO_ORDER ? bytes : 1);
        memset(&areas[i], 0, sizeof(areas[i]));
        areas[i].page = (nova_word_t)page >> NOVA_PAGE_BITS;
        areas[i].order = order;
        return page;
}

void nova_page_free(void *page, unsigned order)
{
        const unsigned i = find((nova_word_t)page >> NOVA_PAGE_BITS);

        require(areas[i].order == order && (!areas[i].given || areas[i].revokes >= 2));
        if (pages_check)
                pages_check(page);
        areas[i].page = 0;
        free(page);
}

uint8_t *pages_take(nova_crd_t crd, unsigned order)
{
        const unsigned i = find(nova_crd_base(crd));

        require(crd == nova_crd_mem(areas[i].page, order, NOVA_MEM_R | NOVA_MEM_W));
        require(areas[i].order == order && !areas[i].given && !areas[i].revokes);
        areas[i].given = true;
        return (uint8_t *)(areas[i].page << NOVA_PAGE_BITS);
}

void pages_revoke(nova_crd_t crd)
{
        for (unsigned i = 0; i < AREAS && nova_crd_type(crd) == NOVA_CRD_MEM; i++)
                areas[i].revokes += areas[i].page && areas[i].page == nova_crd_base(crd) &&
                                    areas[i].order == nova_crd_order(crd);
}

unsigned pages_count(void)
{
        unsigned count = 0;

        for (unsigned i = 0; i < AREAS; i++)
                count += areas[i].page != 0;
        return count;
}
