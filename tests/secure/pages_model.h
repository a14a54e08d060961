/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the model of a secure VM's pages, the real objects that are made from it, and the
 * invariants (pages_model.c). */
#ifndef NOVA_TESTS_SECURE_PAGES_MODEL_H
#define NOVA_TESTS_SECURE_PAGES_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

#define PAGES   2u
#define VCPUS   2u
#define VIEWS   2u /* addresses of a page: 0 without the encryption bit, 1 with it */
#define NORMALS 2u /* maximum number of pages of the VMM's memory */
#define BASE    0x400000u
#define NONE    0xffu

/* Kinds of words. A ciphertext also has the version, the page and the code of its content. */
#define SECRET  0x1000u
#define CIPHER  0x2000u
#define GARBAGE 0x3000u
#define KIND    0xf000u

#define AT_FRAME  0x10u /* target of a mapping: a frame */
#define AT_NORMAL 0x20u /* a page of the VMM's memory */
#define WRITABLE  0x80u
#define PROTECTED NOVA_UV_WRITE_PROTECTION

/* Next step of a virtual CPU. */
enum next {
        GUEST,      /* runs the guest */
        LOOK,       /* looks up the page of an access */
        GET,        /* makes the secure place present, or waits for the VMM's answer */
        GET_SHARED, /* makes the shared place present, or waits for the VMM's answer */
        MAP,
        REPLY, /* the kernel maps what the reply gives */
        SHARE,
        UNSHARE,
        PINNED /* an exit uses the frame */
};

/* Rights of the mapping in a virtual CPU's last reply. */
enum { GIVES = 1, GIVES_NARROW /* without the permission to write */ };

struct vcpu {
        uint8_t next, page, view, write, secure, given, gives, frame;
};

/* A state of the system, without padding. */
struct state {
        struct {
                uint32_t tag;
                uint16_t ghost; /* value that the secure place must contain */
                uint8_t state, frame, normal, version, flags, pins, invited, room[3];
        } page[PAGES];
        struct vcpu vcpu[VCPUS];
        uint16_t word[PAGES], normal[NORMALS], saved, nonce[4];
        uint8_t map[PAGES][VIEWS], versions, secure, used, phase, room[6];
};

static struct state now;
static unsigned frame_count, normal_count, most_versions;
static bool uses[128];    /* whether the model has a use, by its letter */
static const char *wrong; /* the invariant that does not hold */

/* The real objects, which are made from a state and read back. */
static struct frames frames;
static struct pages pages;
static struct page *real;
static uint8_t *memory;

static void *must(void *object)
{
        if (!object) {
                puts("The model needs more memory than the host has.");
                exit(1);
        }
        return object;
}

static bool has(char use)
{
        return uses[(unsigned char)use];
}

static unsigned first_frame(void)
{
        return FRAME_BLOCK - frame_count;
}

static void put_word(void *at, uint16_t word)
{
        memcpy(at, &word, sizeof(word));
}

static uint16_t word_at(const void *at)
{
        uint16_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

static uint16_t *frame_word(unsigned frame)
{
        return (uint16_t *)(void *)frame_address(&frames, first_frame() + frame);
}

static void fail(const char *invariant)
{
        if (!wrong)
                wrong = invariant;
}

static uint64_t gpa_of(unsigned page)
{
        return BASE + (uint64_t)page * FRAME_BYTES;
}

static unsigned page_of(uint64_t gpa)
{
        return (unsigned)((gpa - BASE) / FRAME_BYTES);
}

static void revoke(unsigned target)
{
        for (unsigned i = 0; i < PAGES; i++)
                for (unsigned view = 0; view < VIEWS; view++)
                        if ((now.map[i][view] & ~WRITABLE) == target)
                                now.map[i][view] = 0;
}

static bool is_in_flight(unsigned page)
{
        for (unsigned i = 0; i < VCPUS; i++)
                if (now.vcpu[i].gives && now.vcpu[i].page == page)
                        return true;
        return false;
}

static bool unmap(struct pages *unused, const struct page *page, uint64_t gpa,
                  enum page_place place)
{
        (void)unused;
        if (is_in_flight(page_of(gpa)))
                return false;
        revoke(place == PAGE_SECURE_PLACE ? AT_FRAME + page->frame - first_frame()
                                          : AT_NORMAL + page->normal);
        return true;
}

static bool copy_in(struct pages *unused, void *to, uint32_t normal)
{
        (void)unused;
        put_word(to, now.normal[normal]);
        return true;
}

static bool copy_out(struct pages *unused, uint32_t normal, const void *from)
{
        (void)unused;
        now.normal[normal] = word_at(from);
        return true;
}

/* Converts a content to four bits, and back. */
static uint16_t code_of(uint16_t word)
{
        return (uint16_t)((word & KIND) == SECRET ? word & 3 : word >> 12);
}

static uint16_t content_of(uint16_t code)
{
        return (uint16_t)(code == 1 || code == 2 ? code + SECRET : code * 0x1000u);
}

static uint32_t tag_of(uint64_t gpa, uint64_t version, uint16_t cipher)
{
        return 1u << 31 | page_of(gpa) << 24 | (uint32_t)version << 16 | cipher;
}

/* Returns the ciphertext of the content that a page must have. */
static uint16_t cipher_of(unsigned page, uint64_t version)
{
        return (uint16_t)(CIPHER | version << 8 | page << 4 | code_of(now.page[page].ghost));
}

static bool encrypt(struct pages *unused, uint64_t gpa, uint64_t version, const void *from,
                    void *to, uint8_t tag[PAGE_TAG_BYTES])
{
        const uint16_t plain = word_at(from);
        const uint16_t cipher =
                (uint16_t)(CIPHER | version << 8 | page_of(gpa) << 4 | code_of(plain));
        const uint32_t sum = tag_of(gpa, version, cipher);

        (void)unused;
        /* Another virtual CPU cannot change the page meanwhile, for it is not mapped. */
        if (now.nonce[version] != UINT16_MAX && now.nonce[version] != (cipher & 0xff))
                fail("a nonce is used for one content");
        now.nonce[version] = cipher & 0xff;
        for (unsigned view = 0; view < VIEWS; view++)
                if (now.map[page_of(gpa)][view] & AT_FRAME)
                        fail("a page that is encrypted is not mapped");
        put_word(to, cipher);
        memcpy(tag, &sum, sizeof(sum));
        return true;
}

static bool decrypt(struct pages *unused, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        const uint16_t cipher = word_at(from);
        const uint32_t sum = tag_of(gpa, version, cipher);
        const bool good = !memcmp(tag, &sum, sizeof(sum));

        (void)unused;
        put_word(to, good ? content_of(cipher & 15) : GARBAGE);
        return good;
}

static bool is_used(struct pages *unused, uint64_t gpa, uint64_t bytes)
{
        (void)unused, (void)gpa, (void)bytes;
        return false; /* the model removes no slot */
}

static const struct page_ops ops = {unmap, is_used, copy_in, copy_out, encrypt, decrypt};

static uint8_t short_of(uint32_t number, uint32_t from)
{
        return number == UINT32_MAX ? NONE : (uint8_t)(number - from);
}

static uint32_t long_of(uint8_t number, uint32_t from)
{
        return number == NONE ? UINT32_MAX : number + from;
}

/* Makes the real objects of the state. */
static void restore(void)
{
        for (unsigned i = 0; i < PAGES; i++) {
                const unsigned flags = now.page[i].flags;

                real[i] = (struct page){
                        .frame = long_of(now.page[i].frame, first_frame()),
                        .normal = long_of(now.page[i].normal, 0),
                        .version = now.page[i].version,
                        .state = now.page[i].state,
                        .shared = flags & 1,
                        .asked = flags & 2,
                        .expected = flags & 4,
                        .attributes = {flags & 8 ? PROTECTED : 0, flags & 64 ? PROTECTED : 0},
                        .snapshot = flags & 16,
                        .narrow = flags & 32,
                        .pins = now.page[i].pins};
                memcpy(real[i].tag, &now.page[i].tag, sizeof(now.page[i].tag));
                if (i < frame_count)
                        put_word(frame_word(i), now.word[i]);
        }
        frames.in_use[FRAME_BLOCK / 64 - 1] =
                (UINT64_MAX >> frame_count) | (uint64_t)now.used << (64 - frame_count);
        frames.free = frame_count - (unsigned)__builtin_popcount(now.used);
        frames.left[0] = (uint16_t)frames.free;
        pages.versions = now.versions;
        pages.hand = 0; /* each victim is possible, because the VMM may move any page out */
        pages.secure = now.secure;
        pages.converting = now.phase < 2;
}

/* Reads the real objects back. */
static void save(void)
{
        for (unsigned i = 0; i < PAGES; i++) {
                const struct page *const page = &real[i];

                memcpy(&now.page[i].tag, page->tag, sizeof(now.page[i].tag));
                now.page[i].state = page->state;
                now.page[i].frame = short_of(page->frame, first_frame());
                now.page[i].normal = short_of(page->normal, 0);
                now.page[i].version = (uint8_t)page->version;
                now.page[i].flags =
                        (uint8_t)(page->shared | page->asked << 1 | page->expected << 2 |
                                  page_is_protected(page, PAGE_SECURE_PLACE) << 3 |
                                  page->snapshot << 4 | page->narrow << 5 |
                                  page_is_protected(page, PAGE_SHARED_PLACE) << 6);
                now.page[i].pins = page->pins;
                if (i < frame_count)
                        now.word[i] = *frame_word(i);
        }
        now.used = (uint8_t)(frames.in_use[FRAME_BLOCK / 64 - 1] >> (64 - frame_count));
        now.versions = (uint8_t)pages.versions;
        now.secure = (uint8_t)pages.secure;
}

/* Checks a page and its mappings. */
static void check_page(unsigned i)
{
        const struct page *const page = &real[i];
        const unsigned frame = page->frame - first_frame();
        const uint32_t right = tag_of(gpa_of(i), page->version, cipher_of(i, page->version));

        if (page->state == PAGE_SECURE && (frame >= frame_count || !(now.used >> frame & 1)))
                fail("a secure page has a frame");
        else if (page->state == PAGE_SECURE && *frame_word(frame) != now.page[i].ghost)
                fail("a secure page has the content that its guest has written");
        if (page->state == PAGE_OUT && memcmp(page->tag, &right, sizeof(right)) != 0)
                fail("a page that is out can come back");
        if (page->state == PAGE_NONE && now.page[i].ghost)
                fail("no content is lost");
        for (unsigned view = 0; view < VIEWS; view++) {
                const unsigned target = now.map[i][view] & ~WRITABLE;

                if (target & AT_FRAME && (page->state != PAGE_SECURE || page->shared || !view ||
                                          target != AT_FRAME + frame))
                        fail("a mapped frame belongs to its page");
                if (target & AT_NORMAL &&
                    (target != AT_NORMAL + page->normal || (view && !page->shared)))
                        fail("a mapped page of the VMM is the shared place");
                if (target & AT_FRAME && now.map[i][view] & WRITABLE && page->snapshot)
                        fail("a snapshot is not writable");
                if (target & AT_FRAME && !(now.map[i][view] & WRITABLE) && !page->narrow)
                        fail("a page that is mapped read-only can become writable");
                if (now.map[i][view] & WRITABLE &&
                    page_is_protected(page,
                                      target & AT_FRAME ? PAGE_SECURE_PLACE : PAGE_SHARED_PLACE))
                        fail("a protected page is not writable");
        }
}

static void check(void)
{
        unsigned owned = 0;

        for (unsigned i = 0; i < PAGES; i++) {
                const unsigned frame = real[i].frame - first_frame();

                check_page(i);
                if (real[i].state == PAGE_SECURE && owned >> frame & 1)
                        fail("a frame has one owner");
                if (real[i].state == PAGE_SECURE)
                        owned |= 1u << frame;
                if (i < frame_count && !(now.used >> i & 1) && *frame_word(i))
                        fail("a free frame is zero");
        }
        if (owned != now.used || frames.free + (unsigned)__builtin_popcount(owned) != frame_count ||
            pages.secure != (unsigned)__builtin_popcount(owned))
                fail("no frame is lost");
        for (unsigned i = 0; i < NORMALS; i++)
                if ((now.normal[i] & KIND) == SECRET)
                        fail("the VMM reads no secret");
        for (unsigned i = 0; i < VCPUS; i++) {
                const struct vcpu *const vcpu = &now.vcpu[i];

                if (vcpu->next == PINNED && (real[vcpu->page].state != PAGE_SECURE ||
                                             real[vcpu->page].frame != first_frame() + vcpu->frame))
                        fail("a frame in use stays");
        }
}

#endif
