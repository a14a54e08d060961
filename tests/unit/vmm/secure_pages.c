/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's answers to the ultravisor's calls for pages, without the lock. */
#include "secure_pages.h"

#include "novart/sync.h"

#define nova_mutex_lock(mutex)   ((void)(mutex))
#define nova_mutex_unlock(mutex) ((void)(mutex))

#include "secure.c"

void secure_pages_init(struct nova_secure *secure)
{
        secure->place = calloc(page_count(secure), sizeof(*secure->place));
}

void secure_pages_fini(struct nova_secure *secure)
{
        free(secure->place);
}

enum nova_h_status secure_pages_serve(struct nova_secure *secure, enum nova_h_call call,
                                      uint64_t page, uint64_t flags, uint64_t order)
{
        const struct call made = {
                .number = call,
                .word = {(nova_word_t)page, (nova_word_t)flags, (nova_word_t)order}};

        return move_page(secure, &made);
}
