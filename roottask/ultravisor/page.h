/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages of a secure VM and their states. This module uses neither hypercalls nor sessions: it
 * moves pages through the functions of struct page_ops. The caller serializes all calls.
 *
 * A guest-physical page has a secure place and a shared place, which are independent:
 *
 *   secure place: NONE (it has never been used, or its content was discarded), SECURE (in a frame),
 *   OUT (encrypted in the VMM's memory; the ultravisor keeps nonce and tag);
 *   shared place: a page of the memory that the VMM shares, or none yet.
 *
 * After UV_SHARE_PAGE, both views of the page lead to its shared place, and its secure place is
 * NONE. Otherwise each view leads to its own place. */
#ifndef ULTRAVISOR_PAGE_H
#define ULTRAVISOR_PAGE_H

#include "frame.h"
#include "novart/service/ultravisor_calls.h"

#define PAGE_SLOTS       32u
#define PAGE_PART        64u /* pages of one part of long work: the lock is free between parts */
#define PAGE_NO_PAGE     UINT32_MAX
#define PAGE_NONCE_BYTES 12u
#define PAGE_TAG_BYTES   16u

enum page_place { PAGE_SECURE_PLACE, PAGE_SHARED_PLACE };
enum page_state { PAGE_NONE, PAGE_SECURE, PAGE_OUT };

/* A guest-physical page. */
struct page {
        uint32_t frame;   /* valid in state SECURE */
        uint32_t normal;  /* shared place: page number in the VMM's memory, or PAGE_NO_PAGE */
        uint64_t version; /* number of the encryption; valid in state OUT, and for a snapshot */
        uint8_t tag[PAGE_TAG_BYTES]; /* valid in state OUT */
        uint8_t state;               /* enum page_state */
        bool shared;                 /* the guest has shared it by UV_SHARE_PAGE */
        bool asked;                  /* UV_PAGE_IN may provide the shared place */
        bool expected;               /* UV_PAGE_IN may provide the secure place, once, in UV_ESM */
        uint8_t attributes[2];       /* flags of the last UV_PAGE_IN for each place */
        bool snapshot; /* SECURE and unchanged since version `version` was encrypted */
        bool narrow;   /* SECURE, and mapped without the permission to write */
        bool aliased;  /* SECURE, and mapped in the normal view, too, for a page-table walk */
        uint8_t pins;  /* number of virtual CPUs whose exit uses the frame */
};

/* Returns true if UV_PAGE_IN has protected a place of a page from writes of the guest. */
static inline bool page_is_protected(const struct page *page, enum page_place place)
{
        return page->attributes[place] & NOVA_UV_WRITE_PROTECTION;
}

/* A memory slot. */
struct page_slot {
        uint64_t start;    /* guest-physical address */
        uint64_t bytes;    /* 0: the slot is not in use */
        struct page *page; /* NULL: the slot is reserved */
        uint64_t records;  /* pages that have or get a record; not fewer while they are freed */
        bool closed;       /* its pages are being made or freed, so no search finds them */
        uint64_t hand;     /* page at which the search for pages to move out continues */
};

/* The place in the slots at which a search in parts continues. If a slot is removed meanwhile, the
 * pages of other slots do not move. */
struct page_hand {
        unsigned slot;
        uint64_t page; /* index in the slot */
};

struct pages;

/* Functions of the ultravisor that the pages call. Tests replace them. */
struct page_ops {
        /* Unmaps a place of the page from the guest on all CPUs.
         * @return false if a virtual CPU's reply may still map it: try again later */
        bool (*unmap)(struct pages *pages, const struct page *page, uint64_t gpa,
                      enum page_place place);
        /* Returns true if an exit uses the frame of a page of a range, or if a virtual CPU's reply
         * may still map a page of the range. */
        bool (*uses)(struct pages *pages, uint64_t gpa, uint64_t bytes);
        /* Copy from and to page @p normal of the VMM's memory, which the VMM may take away.
         * @return false if the VMM has taken it away */
        bool (*copy_in)(struct pages *pages, void *to, uint32_t normal);
        bool (*copy_out)(struct pages *pages, uint32_t normal, const void *from);
        /* Encrypt and decrypt one page. @return false if that failed; decrypt fails if the tag is
         * wrong */
        bool (*encrypt)(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                        void *to, uint8_t tag[PAGE_TAG_BYTES]);
        bool (*decrypt)(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                        const uint8_t tag[PAGE_TAG_BYTES], void *to);
};

/* Frames of one client's VMs. */
struct page_budget {
        uint32_t used, limit;
};

/* The memory of a VM. */
struct pages {
        const struct page_ops *ops;
        struct frames *frames;
        void *context;         /* for the functions of `ops` */
        uint64_t versions;     /* number of encryptions so far; never repeats */
        uint64_t frameless;    /* number of times that UV_PAGE_IN found no frame for a page */
        uint32_t normal_pages; /* pages of the memory that the VMM shares */
        bool converting;       /* UV_ESM measures the parts: no page moves out, no slot vanishes */
        uint32_t secure;       /* number of frames that the VM has */
        struct page_budget *share; /* NULL: only the number of frames is a limit */
        unsigned hand;             /* slot at which the search for pages to move out continues */
        struct page_slot slot[PAGE_SLOTS];
        uint64_t end;                /* end of the slots' addresses; devices are above */
        uint8_t buffer[FRAME_BYTES]; /* ciphertext in transit */
};

/* Finds a page by its guest-physical address. @return NULL if it is in no slot */
struct page *page_find(struct pages *pages, uint64_t gpa);

/* Returns true if the slots have @p count pages without a gap, beginning at @p gpa. */
bool page_has(const struct pages *pages, uint64_t gpa, uint64_t count);

/* Makes the records of a new slot's pages. It uses no other state, so the caller holds no lock.
 * @return NULL: no memory is left */
struct page *page_records(uint64_t bytes);
/* Adds a slot, whose addresses have been checked, in two steps. After the first step no other slot
 * can have these addresses; after the second step the slot's pages are found.
 * @param records NULL: the slot is not added */
void page_slot_reserve(struct pages *pages, unsigned slot, uint64_t start, uint64_t bytes);
void page_slot_open(struct pages *pages, unsigned slot, struct page *records);
/* Begins to remove a slot: its pages are no longer found.
 * @return false if a page is in use; the slot is unchanged, so try again */
bool page_slot_close(struct pages *pages, unsigned slot);
/* Unmaps and frees pages of a closed slot, at most PAGE_PART. A reserved slot has none.
 * @return true if some are left: call again */
bool page_slot_free(struct pages *pages, unsigned slot);
/* Returns true if [start, start + bytes) overlaps no slot. */
bool page_slot_is_free(const struct pages *pages, uint64_t start, uint64_t bytes);

/* Finds the next page that the guest has shared by UV_SHARE_PAGE, among at most PAGE_PART pages. A
 * search begins with a hand of zeroes.
 * @param[out] gpa its guest-physical address, or UINT64_MAX if none of these pages is shared
 * @return false if there are no further pages */
bool page_next_shared(const struct pages *pages, struct page_hand *hand, uint64_t *gpa);

/* Returns the number of pages in all slots. A slot whose pages are being freed has the original
 * number, because the memory of its records is freed last. */
uint64_t page_total(const struct pages *pages);

/* Returns the number of frames that the VM can still take. */
uint32_t page_room(const struct pages *pages);

/* Gives a page a frame that is filled with 0. @return false if there is no free frame */
bool page_fill(struct pages *pages, struct page *page);
/* Gives the pages of a block of 2 MiB, all of them NONE, the frames of one block.
 * @return false if that is not possible */
bool page_fill_block(struct pages *pages, uint64_t gpa);
/* Gives a range of pages the frames of one block before UV_PAGE_IN fills them, if the range is a
 * block of 2 MiB and the first page is expected. Any other range gets no block, because pages of
 * the block outside the range would get frames, too. */
void page_expect_block(struct pages *pages, uint64_t gpa, uint64_t count);
/* Returns true if the 512 pages around @p gpa are in one block of frames, in order, and one mapping
 * can permit all accesses to them. If a page is mapped without the permission to write, it cannot:
 * a new mapping does not widen an old one. */
bool page_is_whole(struct pages *pages, uint64_t gpa);

/* UV_PAGE_OUT, UV_PAGE_IN and UV_PAGE_INVAL for one page. */
enum nova_u_status page_out(struct pages *pages, uint64_t gpa, uint32_t normal, unsigned flags);
enum nova_u_status page_in(struct pages *pages, uint64_t gpa, uint32_t normal, unsigned flags);
enum nova_u_status page_invalidate(struct pages *pages, uint64_t gpa);

/* UV_SHARE_PAGE and UV_UNSHARE_PAGE for one page. The shared place is filled in later, when the
 * guest accesses the page. @return BUSY: try again */
enum nova_u_status page_share(struct pages *pages, uint64_t gpa);
enum nova_u_status page_unshare(struct pages *pages, uint64_t gpa);

/* Finds the longest run of consecutive secure pages that begins at @p gpa and whose frames form one
 * aligned block. The run has at most @p count and at most PAGE_PART pages. @return the order of the
 * run; 0 for one page or no page */
unsigned page_row(struct pages *pages, uint64_t gpa, uint64_t count);

/* Finds the next page to be moved out, among at most PAGE_PART pages. Each search continues where
 * the last one ended, in a circle: twice as many steps as there are pages reach each page. @return
 * its guest-physical address, or UINT64_MAX if none of these pages can be moved now */
uint64_t page_victim(struct pages *pages);
/* Makes the next search begin in the next slot if the page at @p gpa, which the last search found,
 * still has its frame: perhaps the VMM moves no page of this slot out. The next search in this slot
 * continues after this page. */
void page_spare(struct pages *pages, uint64_t gpa);
/* Returns the number of slots whose pages a search visits. */
unsigned page_slots(const struct pages *pages);

/* Frees the frames and slots of a guest that has ended, at most PAGE_PART pages in one call.
 * @return true if some are left: call again */
bool page_end(struct pages *pages);

#endif
