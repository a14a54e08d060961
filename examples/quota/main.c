/* SPDX-License-Identifier: BSD-2-Clause */
/* An account of kernel memory for a domain: exhausting it affects no other domain. */
#include <stdio.h>
#include <stdlib.h>

#include <nova/nova.h>
#include <novart/program.h>
#include <novart/selector.h>

#define ACCOUNT 0x8000 /* bytes */
#define MORE    0x4000
#define RANGE   10 /* 2^10 selectors for semaphores */

static void print_quota(const char *what, nova_sel_t pd)
{
        nova_word_t used = 0, limit = 0;

        nova_quota_query(pd, &used, &limit);
        printf("%s: %zu of %zu bytes used\n", what, (size_t)used, (size_t)limit);
}

/* Creates semaphores that the domain pays for, until its account is exhausted. @return the number
 * of semaphores */
static unsigned fill(nova_sel_t pd, nova_sel_t first, unsigned count)
{
        while (count < 1u << RANGE && nova_create_sm(first + count, pd, 0) == NOVA_SUCCESS)
                count++;
        return count;
}

int main(void)
{
        const nova_sel_t pd = nova_sel_alloc(0);
        const nova_sel_t first = nova_sel_alloc(RANGE), own = nova_sel_alloc(0);

        if (nova_create_pd_account(pd, nova_program.pd, nova_crd_null(), ACCOUNT) != NOVA_SUCCESS)
                return EXIT_FAILURE;
        print_quota("a new domain", pd);

        unsigned count = fill(pd, first, 0);
        const enum nova_status status = nova_create_sm(first + count, pd, 0);

        printf("after %u semaphores: %s\n", count, nova_status_name(status));
        print_quota("the domain", pd);

        /* Other accounts are not affected: the roottask pays for this semaphore. */
        if (nova_create_sm(own, nova_program.pd, 0) == NOVA_SUCCESS)
                printf("the roottask continues\n");

        if (nova_quota_give(pd, nova_program.pd, MORE) != NOVA_SUCCESS)
                return EXIT_FAILURE;

        const unsigned more = fill(pd, first, count) - count;

        printf("with %u more bytes the domain gets %s semaphores\n", MORE,
               more ? "more" : "no more");

        /* When the domain ends, the kernel memory of its account returns to the roottask's account,
         * except for the memory of objects that still exist. */
        nova_pd_destroy(pd);
        nova_sel_release(first, RANGE);
        nova_sel_release(pd, 0);
        printf("the domain is gone\n");
        return EXIT_SUCCESS;
}
