/* SPDX-License-Identifier: BSD-2-Clause */
/* States of a secure VM's pages (see page.h). */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((uint64_t)FRAME_BLOCK * FRAME_BYTES)

static bool has_address(const struct page_slot *slot, uint64_t gpa)
{
        return !slot->closed && gpa >= slot->start && gpa - slot->start < slot->bytes;
}

struct page *page_find(struct pages *pages, uint64_t gpa)
{
        for (unsigned i = 0; gpa < pages->end && i < PAGE_SLOTS; i++) {
                const struct page_slot *const slot = &pages->slot[i];

                if (has_address(slot, gpa))
                        return &slot->page[(gpa - slot->start) / FRAME_BYTES];
        }
        return NULL;
}

/* Returns the number of pages from an address to the end of its slot; 0 if it is in no slot. */
static uint64_t pages_from(const struct pages *pages, uint64_t gpa)
{
        for (unsigned i = 0; i < PAGE_SLOTS; i++) {
                const struct page_slot *const slot = &pages->slot[i];

                if (has_address(slot, gpa))
                        return (slot->bytes - (gpa - slot->start)) / FRAME_BYTES;
        }
        return 0;
}

bool page_has(const struct pages *pages, uint64_t gpa, uint64_t count)
{
        uint64_t here = pages_from(pages, gpa);

        while (here && here < count) {
                gpa += here * FRAME_BYTES;
                count -= here;
                here = pages_from(pages, gpa);
        }
        return here;
}

bool page_slot_is_free(const struct pages *pages, uint64_t start, uint64_t bytes)
{
        for (unsigned i = 0; i < PAGE_SLOTS; i++) {
                const struct page_slot *const slot = &pages->slot[i];

                if (slot->bytes && start < slot->start + slot->bytes && slot->start < start + bytes)
                        return false;
        }
        return true;
}

struct page *page_records(uint64_t bytes)
{
        struct page *const page = malloc(bytes / FRAME_BYTES * sizeof(*page));

        for (uint64_t i = 0; page && i < bytes / FRAME_BYTES; i++)
                page[i] = (struct page){.frame = FRAME_NONE, .normal = PAGE_NO_PAGE};
        return page;
}

void page_slot_reserve(struct pages *pages, unsigned slot, uint64_t start, uint64_t bytes)
{
        pages->slot[slot] = (struct page_slot){
                .start = start, .bytes = bytes, .records = bytes / FRAME_BYTES, .closed = true};
}

void page_slot_open(struct pages *pages, unsigned slot, struct page *records)
{
        struct page_slot *const at = &pages->slot[slot];

        if (records) {
                at->page = records;
                at->closed = false;
                if (pages->end < at->start + at->bytes)
                        pages->end = at->start + at->bytes;
        } else {
                *at = (struct page_slot){.page = NULL};
        }
}

uint32_t page_room(const struct pages *pages)
{
        const uint32_t free = pages->frames->free;
        uint32_t left;

        if (!pages->share)
                return free;
        left = pages->share->limit - pages->share->used;
        return left < free ? left : free;
}

static void count_taken(struct pages *pages, uint32_t count)
{
        pages->secure += count;
        if (pages->share)
                pages->share->used += count;
}

/* Takes a frame for the VM. @return FRAME_NONE: none is left */
static uint32_t take_frame(struct pages *pages)
{
        const uint32_t frame = page_room(pages) ? frame_take(pages->frames) : FRAME_NONE;

        if (frame != FRAME_NONE)
                count_taken(pages, 1);
        return frame;
}

static void give_frame(struct pages *pages, uint32_t frame)
{
        frame_give(pages->frames, frame);
        pages->secure--;
        if (pages->share)
                pages->share->used--;
}

/* Frees the frame of a page that is no longer mapped. */
static void empty(struct pages *pages, struct page *page)
{
        if (page->state == PAGE_SECURE)
                give_frame(pages, page->frame);
        page->frame = FRAME_NONE;
        page->state = PAGE_NONE;
        page->attributes[PAGE_SECURE_PLACE] = 0;
        page->snapshot = page->aliased = page->narrow = false;
}

/* Forgets the shared place of a page that is no longer mapped there. */
static void leave_shared(struct page *page)
{
        page->normal = PAGE_NO_PAGE;
        page->attributes[PAGE_SHARED_PLACE] = 0;
}

/* Removes a page from the guest.
 * @return false if that is not possible now, or if an exit uses the frame */
static bool unmap(struct pages *pages, struct page *page, uint64_t gpa)
{
        if (page->pins ||
            (page->state == PAGE_SECURE &&
             !pages->ops->unmap(pages, page, gpa, PAGE_SECURE_PLACE)) ||
            (page->normal != PAGE_NO_PAGE &&
             !pages->ops->unmap(pages, page, gpa, PAGE_SHARED_PLACE)))
                return false;
        page->narrow = false;
        return true;
}

bool page_slot_close(struct pages *pages, unsigned slot)
{
        struct page_slot *const from = &pages->slot[slot];

        if (pages->converting || pages->ops->uses(pages, from->start, from->bytes))
                return false;
        from->closed = true;
        return true;
}

bool page_slot_free(struct pages *pages, unsigned slot)
{
        struct page_slot *const from = &pages->slot[slot];

        if (!from->page)
                return false;
        for (unsigned left = PAGE_PART; from->bytes && left; left--) {
                const uint64_t last = from->bytes - FRAME_BYTES;
                struct page *const page = &from->page[last / FRAME_BYTES];

                if (!unmap(pages, page, from->start + last))
                        return true;
                empty(pages, page);
                from->bytes = last;
        }
        if (from->bytes)
                return true;
        free(from->page);
        *from = (struct page_slot){.page = NULL};
        return false;
}

bool page_fill(struct pages *pages, struct page *page)
{
        const uint32_t frame = take_frame(pages);

        if (frame == FRAME_NONE)
                return false;
        page->frame = frame;
        page->state = PAGE_SECURE;
        return true;
}

/* Returns the first of the 512 pages in the block around an address, NULL if no slot has all of
 * them. The records of two slots may lie at any distance from each other, whatever the addresses of
 * their pages are. */
static struct page *block_of(struct pages *pages, uint64_t gpa)
{
        const uint64_t begin = gpa & ~(BLOCK_BYTES - 1);

        return pages_from(pages, begin) >= FRAME_BLOCK ? page_find(pages, begin) : NULL;
}

bool page_fill_block(struct pages *pages, uint64_t gpa)
{
        struct page *const page = block_of(pages, gpa);
        uint32_t frame;

        for (unsigned i = 0; page && i < FRAME_BLOCK; i++)
                if (page[i].state != PAGE_NONE || page[i].shared)
                        return false;
        frame = page && page_room(pages) >= FRAME_BLOCK ? frame_take_block(pages->frames)
                                                        : FRAME_NONE;
        if (frame == FRAME_NONE)
                return false;
        for (unsigned i = 0; i < FRAME_BLOCK; i++) {
                page[i].frame = frame + i;
                page[i].state = PAGE_SECURE;
        }
        count_taken(pages, FRAME_BLOCK);
        return true;
}

void page_expect_block(struct pages *pages, uint64_t gpa, uint64_t count)
{
        if (count == FRAME_BLOCK && gpa % BLOCK_BYTES == 0 && page_find(pages, gpa)->expected)
                page_fill_block(pages, gpa);
}

bool page_is_whole(struct pages *pages, uint64_t gpa)
{
        const struct page *const page = block_of(pages, gpa);

        if (!page || page->frame % FRAME_BLOCK)
                return false;
        for (unsigned i = 0; i < FRAME_BLOCK; i++)
                if (page[i].state != PAGE_SECURE || page[i].frame != page->frame + i ||
                    page[i].shared || page_is_protected(&page[i], PAGE_SECURE_PLACE) ||
                    page[i].snapshot || page[i].narrow)
                        return false;
        return true;
}

/* Returns true if pages have the frames of one aligned block. */
static bool is_row(const struct page *page, unsigned count)
{
        if (page->frame % count)
                return false;
        for (unsigned i = 0; i < count; i++)
                if (page[i].state != PAGE_SECURE || page[i].frame != page->frame + i)
                        return false;
        return true;
}

unsigned page_row(struct pages *pages, uint64_t gpa, uint64_t count)
{
        const struct page *const page = page_find(pages, gpa);
        unsigned order = 0;

        while (page && 2u << order <= PAGE_PART && 2u << order <= count &&
               2u << order <= pages_from(pages, gpa) && is_row(page, 2u << order))
                order++;
        return order;
}

/* Encrypts a page for the VMM. A page that has not changed since its snapshot keeps its version:
 * its ciphertext is the same, so the version is used for one content only. */
static enum nova_u_status encrypt(struct pages *pages, struct page *page, uint64_t gpa,
                                  uint32_t normal)
{
        const uint64_t version = page->snapshot ? page->version : ++pages->versions;

        if (!pages->ops->encrypt(pages, gpa, version, frame_address(pages->frames, page->frame),
                                 pages->buffer, page->tag))
                return NOVA_U_BUSY;
        page->version = version;
        return pages->ops->copy_out(pages, normal, pages->buffer) ? NOVA_U_SUCCESS : NOVA_U_P2;
}

enum nova_u_status page_out(struct pages *pages, uint64_t gpa, uint32_t normal, unsigned flags)
{
        struct page *const page = page_find(pages, gpa);
        enum nova_u_status status;

        if (!page)
                return NOVA_U_P3;
        if (pages->converting)
                return NOVA_U_BUSY;
        if (page->shared || (page->state == PAGE_NONE && page->normal != PAGE_NO_PAGE))
                return NOVA_U_SUCCESS;
        if (page->state != PAGE_SECURE)
                return NOVA_U_P3;
        /* The guest must not change the page while it is encrypted, nor use it afterwards. */
        if (page->pins || !pages->ops->unmap(pages, page, gpa, PAGE_SECURE_PLACE))
                return NOVA_U_BUSY;
        page->aliased = page->narrow = false;
        status = encrypt(pages, page, gpa, normal);
        if (status)
                return status;
        page->snapshot = flags & NOVA_UV_SNAPSHOT;
        if (!page->snapshot) {
                const uint8_t attributes = page->attributes[PAGE_SECURE_PLACE];

                empty(pages, page);
                page->state = PAGE_OUT;
                page->attributes[PAGE_SECURE_PLACE] = attributes;
        }
        return NOVA_U_SUCCESS;
}

static const uint8_t zeros[FRAME_BYTES];

/* Makes a page of the VMM's memory the shared place, and fills that page with 0. */
static enum nova_u_status share_in(struct pages *pages, struct page *page, uint32_t normal,
                                   unsigned flags)
{
        if (!pages->ops->copy_out(pages, normal, zeros))
                return NOVA_U_P2;
        page->normal = normal;
        page->attributes[PAGE_SHARED_PLACE] = (uint8_t)flags;
        page->asked = false;
        return NOVA_U_SUCCESS;
}

/* Copies a page of the normal VM into secure memory. Each page is copied only once, so that the VMM
 * cannot change measured content. */
static enum nova_u_status convert(struct pages *pages, struct page *page, uint32_t normal,
                                  unsigned flags)
{
        if (page->state == PAGE_NONE && !page_fill(pages, page))
                return NOVA_U_BUSY;
        page->expected = false;
        page->attributes[PAGE_SECURE_PLACE] = (uint8_t)flags;
        return pages->ops->copy_in(pages, frame_address(pages->frames, page->frame), normal)
                       ? NOVA_U_SUCCESS
                       : NOVA_U_P2;
}

/* Brings back a page that was moved out. Without a frame the page is decrypted only if the caller
 * must know whether the VMM's page is the right one.
 * @return U_PERMISSION: it is not the right one; U_BUSY: no frame is left */
static enum nova_u_status restore(struct pages *pages, struct page *page, uint64_t gpa,
                                  uint32_t normal, unsigned flags, bool must_know)
{
        static uint8_t plain[FRAME_BYTES];
        uint32_t frame;
        bool good;

        if (!pages->ops->copy_in(pages, pages->buffer, normal))
                return NOVA_U_P2;
        frame = take_frame(pages);
        if (frame == FRAME_NONE) {
                good = !must_know || pages->ops->decrypt(pages, gpa, page->version, pages->buffer,
                                                         page->tag, plain);
                memset(plain, 0, sizeof(plain));
                pages->frameless += good;
                return good ? NOVA_U_BUSY : NOVA_U_PERMISSION;
        }
        if (!pages->ops->decrypt(pages, gpa, page->version, pages->buffer, page->tag,
                                 frame_address(pages->frames, frame))) {
                give_frame(pages, frame);
                return NOVA_U_PERMISSION;
        }
        page->frame = frame;
        page->state = PAGE_SECURE;
        page->attributes[PAGE_SECURE_PLACE] = (uint8_t)flags;
        return NOVA_U_SUCCESS;
}

/* UV_PAGE_IN does not say which place its page is for. If a page is out and also has no shared
 * place, two virtual CPUs may wait, one for each place. A page that becomes the shared place is
 * filled with 0, so it must not be the only copy of the secure place. */
enum nova_u_status page_in(struct pages *pages, uint64_t gpa, uint32_t normal, unsigned flags)
{
        struct page *const page = page_find(pages, gpa);
        enum nova_u_status status;

        if (!page)
                return NOVA_U_P3;
        if (page->state == PAGE_OUT) {
                status = restore(pages, page, gpa, normal, flags, page->asked);
                if (status != NOVA_U_PERMISSION || !page->asked)
                        return status;
        }
        if (page->asked)
                return share_in(pages, page, normal, flags);
        return page->expected ? convert(pages, page, normal, flags) : NOVA_U_P3;
}

enum nova_u_status page_invalidate(struct pages *pages, uint64_t gpa)
{
        struct page *const page = page_find(pages, gpa);

        if (!page || page->normal == PAGE_NO_PAGE)
                return NOVA_U_P2;
        if (!pages->ops->unmap(pages, page, gpa, PAGE_SHARED_PLACE))
                return NOVA_U_BUSY;
        leave_shared(page);
        return NOVA_U_SUCCESS;
}

/* Discards the content of a page at both places. */
static enum nova_u_status discard(struct pages *pages, struct page *page, uint64_t gpa)
{
        if (!unmap(pages, page, gpa))
                return NOVA_U_BUSY;
        empty(pages, page);
        return NOVA_U_SUCCESS;
}

enum nova_u_status page_share(struct pages *pages, uint64_t gpa)
{
        struct page *const page = page_find(pages, gpa);
        const enum nova_u_status status = page ? discard(pages, page, gpa) : NOVA_U_PARAMETER;

        if (status)
                return status;
        if (page->normal != PAGE_NO_PAGE && !pages->ops->copy_out(pages, page->normal, zeros))
                leave_shared(page); /* the VMM has taken the page away */
        page->shared = true;
        return NOVA_U_SUCCESS;
}

enum nova_u_status page_unshare(struct pages *pages, uint64_t gpa)
{
        struct page *const page = page_find(pages, gpa);
        const enum nova_u_status status = page ? discard(pages, page, gpa) : NOVA_U_PARAMETER;

        if (status)
                return status;
        leave_shared(page);
        page->shared = page->asked = false;
        return NOVA_U_SUCCESS;
}

uint64_t page_total(const struct pages *pages)
{
        uint64_t count = 0;

        for (unsigned i = 0; i < PAGE_SLOTS; i++)
                count += pages->slot[i].records;
        return count;
}

/* Returns the number of a slot's pages that a search visits. */
static uint64_t count_of(const struct page_slot *slot)
{
        return slot->closed ? 0 : slot->bytes / FRAME_BYTES;
}

bool page_next_shared(const struct pages *pages, struct page_hand *hand, uint64_t *gpa)
{
        unsigned left = PAGE_PART;

        *gpa = UINT64_MAX;
        while (hand->slot < PAGE_SLOTS && left) {
                const struct page_slot *const slot = &pages->slot[hand->slot];

                if (hand->page >= count_of(slot)) {
                        *hand = (struct page_hand){hand->slot + 1, 0};
                        continue;
                }
                left--;
                if (slot->page[hand->page++].shared) {
                        *gpa = slot->start + (hand->page - 1) * FRAME_BYTES;
                        return true;
                }
        }
        return hand->slot < PAGE_SLOTS;
}

/* Returns the next slot of the search that has pages left, NULL: there is none. A search that has
 * come to the end of a slot begins at its first page the next time. */
static struct page_slot *turn(struct pages *pages)
{
        for (unsigned i = 0; i <= PAGE_SLOTS; i++) {
                struct page_slot *const slot = &pages->slot[pages->hand];

                if (slot->hand < count_of(slot))
                        return slot;
                slot->hand = 0;
                pages->hand = (pages->hand + 1) % PAGE_SLOTS;
        }
        return NULL;
}

uint64_t page_victim(struct pages *pages)
{
        struct page_slot *slot;

        for (unsigned left = PAGE_PART; left && (slot = turn(pages)); left--) {
                const uint64_t number = slot->hand++;
                const struct page *const page = &slot->page[number];

                if (page->state == PAGE_SECURE && !page->pins && !page->shared)
                        return slot->start + number * FRAME_BYTES;
        }
        return UINT64_MAX;
}

void page_spare(struct pages *pages, uint64_t gpa)
{
        const struct page *const page = page_find(pages, gpa);

        if (page && page->state == PAGE_SECURE && has_address(&pages->slot[pages->hand], gpa))
                pages->hand = (pages->hand + 1) % PAGE_SLOTS;
}

unsigned page_slots(const struct pages *pages)
{
        unsigned count = 0;

        for (unsigned i = 0; i < PAGE_SLOTS; i++)
                count += count_of(&pages->slot[i]) != 0;
        return count;
}

bool page_end(struct pages *pages)
{
        unsigned left = PAGE_PART;

        for (unsigned i = 0; i < PAGE_SLOTS; i++) {
                struct page_slot *const slot = &pages->slot[i];

                for (; slot->bytes && left; left--) {
                        slot->bytes -= FRAME_BYTES;
                        empty(pages, &slot->page[slot->bytes / FRAME_BYTES]);
                }
                if (slot->bytes)
                        return true;
                free(slot->page);
                *slot = (struct page_slot){.page = NULL};
        }
        return false;
}
