/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of secure guests: uses the machine's RAM to serve the ultravisor's calls for pages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "secure.h"

/* Maximum number of places for which one call asks whether their pages still exist, because the
 * guest waits meanwhile. The next call continues. */
#define ASK_MAX 4096u

enum nova_h_status novavmm_secure_answer(enum nova_u_status status)
{
        switch (status) {
        case NOVA_U_SUCCESS:
                return NOVA_H_SUCCESS;
        case NOVA_U_P4:
                return NOVA_H_P2;
        case NOVA_U_P5:
                return NOVA_H_P3;
        default:
                return NOVA_H_PARAMETER;
        }
}

/* Use of a page of the machine's RAM after the guest has become secure, and the place of the
 * encrypted page with the same number. */
struct nova_secure_place {
        enum { PLACE_FREE, PLACE_SHARED, PLACE_ENCRYPTED } use;
        uint32_t owner; /* if ENCRYPTED: number of the guest's page */
        uint32_t at;    /* page of the RAM that holds the encrypted page, + 1; 0: it is not out */
};

static uint32_t page_count(const struct nova_secure *secure)
{
        return (uint32_t)(secure->vm->memory.bytes / NOVA_PAGE_SIZE);
}

static uint64_t address_of(uint32_t page)
{
        return (uint64_t)page * NOVA_PAGE_SIZE;
}

size_t novavmm_secure_places_bytes(const struct nova_secure *secure)
{
        return page_count(secure) * sizeof(*secure->place);
}

bool novavmm_secure_places(struct nova_secure *secure)
{
        secure->place = calloc(page_count(secure), sizeof(*secure->place));
        return secure->place;
}

void novavmm_secure_clear(struct nova_secure *secure)
{
        memset(secure->place, 0, page_count(secure) * sizeof(*secure->place));
        secure->pages_out = secure->pages_returned = 0;
}

/* Returns true for a page of the machine's RAM, false for a page of a slot that the monitor has
 * added. The RAM has no page with the number of a page of an added slot, so such a page cannot be
 * shared. */
static bool is_in_ram(const struct nova_secure *secure, uint32_t page)
{
        return page < page_count(secure);
}

/* Returns the page of the RAM that holds an encrypted page, + 1; 0: it is not out. The place of a
 * page of an added slot is noted nowhere else. */
static uint32_t find_encrypted(const struct nova_secure *secure, uint32_t page)
{
        const uint32_t count = page_count(secure);

        if (is_in_ram(secure, page))
                return secure->place[page].at;
        for (uint32_t i = 0; i < count; i++)
                if (secure->place[i].use == PLACE_ENCRYPTED && secure->place[i].owner == page)
                        return i + 1;
        return 0;
}

/* Frees a page of the RAM whose encrypted page belongs to a slot that the monitor has removed. Asks
 * the ultravisor, because the monitor removes slots by ultracalls of its own.
 * @return the number of the freed page; page_count(): none was found */
static uint32_t free_removed(struct nova_secure *secure)
{
        const uint32_t count = page_count(secure);
        unsigned asked = 0, unused;

        for (uint32_t i = 0; i < count && asked < ASK_MAX; i++) {
                secure->hand = (secure->hand + 1) % count;

                struct nova_secure_place *const place = &secure->place[secure->hand];

                if (place->use != PLACE_ENCRYPTED || is_in_ram(secure, place->owner))
                        continue;
                asked++;
                if (nova_uv_attributes(&secure->uv, address_of(place->owner), &unused, &unused) !=
                    EINVAL)
                        continue;
                place->use = PLACE_FREE;
                return secure->hand;
        }
        return count;
}

/* Finds a free page of the RAM, the one with the same number if possible.
 * @return its number; page_count(): none is free */
static uint32_t find_free(struct nova_secure *secure, uint32_t page)
{
        const uint32_t count = page_count(secure);

        if (is_in_ram(secure, page) && secure->place[page].use == PLACE_FREE)
                return page;
        for (uint32_t i = 0; i < count; i++) {
                secure->hand = (secure->hand + 1) % count;
                if (secure->place[secure->hand].use == PLACE_FREE)
                        return secure->hand;
        }
        return free_removed(secure);
}

/* Notes where an encrypted page is. Its previous place, if any, becomes free. */
static void put(struct nova_secure *secure, uint32_t page, uint32_t at)
{
        const uint32_t before = find_encrypted(secure, page);

        if (before)
                secure->place[before - 1].use = PLACE_FREE;
        secure->place[at].use = PLACE_ENCRYPTED;
        secure->place[at].owner = page;
        if (is_in_ram(secure, page))
                secure->place[page].at = at + 1;
}

/* Moves an encrypted page away from a page of the RAM that is to be shared. No copy stays, because
 * the ultravisor would accept the copy as the guest's page. */
static bool make_free(struct nova_secure *secure, uint32_t page)
{
        char *const base = (char *)secure->vm->memory.base;
        uint32_t to;

        if (secure->place[page].use != PLACE_ENCRYPTED)
                return true;
        to = find_free(secure, page);
        if (to == page_count(secure))
                return false;
        if (to == page) /* the encrypted page was that of a removed slot */
                return true;
        memcpy(base + (size_t)to * NOVA_PAGE_SIZE, base + (size_t)page * NOVA_PAGE_SIZE,
               NOVA_PAGE_SIZE);
        memset(base + (size_t)page * NOVA_PAGE_SIZE, 0, NOVA_PAGE_SIZE);
        put(secure, secure->place[page].owner, to);
        return true;
}

static enum nova_u_status share(struct nova_secure *secure, uint32_t page)
{
        if (!make_free(secure, page))
                return NOVA_U_BUSY;
        secure->place[page].use = PLACE_SHARED;
        return nova_uv_page_in(&secure->uv, address_of(page), address_of(page), 0,
                               NOVA_UV_ORDER_PAGE);
}

/* Returns an encrypted page from a page of the RAM. */
static enum nova_u_status return_page(struct nova_secure *secure, uint32_t page, uint32_t at)
{
        const enum nova_u_status status = nova_uv_page_in(&secure->uv, address_of(at),
                                                          address_of(page), 0, NOVA_UV_ORDER_PAGE);

        if (!status) {
                secure->place[at].use = PLACE_FREE;
                if (is_in_ram(secure, page))
                        secure->place[page].at = 0;
                secure->pages_returned++;
        }
        return status;
}

/* Provides the page of the RAM that has the number of the guest's page. This page of the RAM holds
 * a part of the image, or a page that the monitor itself has moved out. Afterwards, except during
 * UV_ESM, it counts as shared: if another virtual CPU has received the guest's page meanwhile, the
 * ultravisor may use the page of the RAM as the shared place. */
static enum nova_u_status provide(struct nova_secure *secure, const nova_word_t word[4],
                                  uint32_t page)
{
        enum nova_u_status status;

        if (secure->place[page].use == PLACE_ENCRYPTED)
                return NOVA_U_P3; /* it holds another page of the guest */
        status = nova_uv_page_in(&secure->uv, word[0], word[0], 0, word[2]);
        if (!status && !secure->converting)
                secure->place[page].use = PLACE_SHARED;
        return status;
}

static enum nova_u_status page_in(struct nova_secure *secure, const nova_word_t word[4])
{
        const uint32_t page = (uint32_t)(word[0] / NOVA_PAGE_SIZE);
        const uint32_t out = find_encrypted(secure, page);

        if (!is_in_ram(secure, page) && (word[1] || !out))
                return NOVA_U_P3;
        if (word[1] & NOVA_H_PAGE_IN_NONSHARED) {
                if (secure->place[page].use == PLACE_SHARED)
                        secure->place[page].use = PLACE_FREE;
                return NOVA_U_SUCCESS;
        }
        if (word[1] & NOVA_H_PAGE_IN_SHARED)
                return share(secure, page);
        if (out)
                return return_page(secure, page, out - 1);
        return provide(secure, word, page);
}

static enum nova_u_status page_out(struct nova_secure *secure, const nova_word_t word[4])
{
        const uint32_t page = (uint32_t)(word[0] / NOVA_PAGE_SIZE);
        enum nova_u_status status;
        const uint32_t to = find_free(secure, page);

        if (to == page_count(secure))
                return NOVA_U_BUSY;
        status = nova_uv_page_out(&secure->uv, address_of(to), word[0], 0, word[2]);
        if (!status) {
                put(secure, page, to);
                secure->pages_out++;
        }
        return status;
}

/* Returns true if the guest has a page: in the machine's RAM, or in a slot that the monitor has
 * added. */
static bool has_page(const struct nova_secure *secure, uint64_t gpa)
{
        unsigned unused;

        return gpa < secure->vm->memory.bytes ||
               (!secure->converting && !nova_uv_attributes(&secure->uv, gpa, &unused, &unused));
}

/* Checks a call for a page in the order of its parameters: page, flags, order. Only the parts of
 * an image, which move during UV_ESM, have more than one page. */
static enum nova_h_status check_page(const struct nova_secure *secure, nova_word_t number,
                                     const nova_word_t word[4])
{
        const bool is_in = number == NOVA_H_SVM_PAGE_IN;
        const nova_word_t most =
                is_in && secure->converting ? NOVA_UV_ORDER_MAX : NOVA_UV_ORDER_PAGE;

        if (!secure->started)
                return NOVA_H_UNSUPPORTED;
        if (word[0] % NOVA_PAGE_SIZE || !has_page(secure, word[0]))
                return NOVA_H_PARAMETER;
        if (word[1] > (is_in ? NOVA_H_PAGE_IN_NONSHARED : 0u)) /* not both flags */
                return NOVA_H_P2;
        if (word[2] < NOVA_UV_ORDER_PAGE || word[2] > most)
                return NOVA_H_P3;
        return NOVA_H_SUCCESS;
}

enum nova_h_status novavmm_secure_move(struct nova_secure *secure, nova_word_t number,
                                       const nova_word_t word[4])
{
        enum nova_h_status status;

        __atomic_add_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        status = check_page(secure, number, word);
        if (!status) {
                nova_mutex_lock(&secure->lock);
                status = novavmm_secure_answer(number == NOVA_H_SVM_PAGE_IN
                                                       ? page_in(secure, word)
                                                       : page_out(secure, word));
                nova_mutex_unlock(&secure->lock);
        }
        __atomic_sub_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        return status;
}
