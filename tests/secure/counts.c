/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked to the ultravisor, this makes the program secure-counted. Its second service, "counts",
 * reports to a test the memory and selectors that the ultravisor has and uses, and how often its
 * writable memory contains the phrase of a guest and the key of the guest's pages. The service also
 * marks the guest's secure pages. */
#include "counts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "novart/layout.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service.h"
#include "vm.h"

#define SELECTORS 0x8000u                         /* more than the ultravisor has */
#define LOW_END   (NOVA_LAYOUT_POOL + 0x4000000u) /* above the ultravisor's memory */
#define FAR_END   (NOVA_LAYOUT_FAR + 0x4000000u)

/* Secrets of the last guest: the phrase of phrase.txt and the key of its pages. Each byte has two
 * bytes here, so this program's own data does not contain the secrets. */
static const uint_least16_t phrase[] = u"The VMM never sees this phrase.";
static uint_least16_t key[CRYPTO_KEY_BYTES];
static struct vm *last; /* record of that guest */

static const char marker[] = "18aee85171716d99"; /* the marker for which search.c looks */
static char (*other)[sizeof(marker) - 1];        /* place for the first bytes of each secure page */

struct secret {
        const uint_least16_t *value;
        size_t bytes;
};

static const struct secret secrets[COUNTS_FOUND] = {
        [COUNT_PHRASE] = {phrase, sizeof(phrase) / sizeof(phrase[0]) - 1},
        [COUNT_KEY] = {key, CRYPTO_KEY_BYTES}};

int __real_server_start(void);
int __wrap_server_start(void);
enum crypto_result __real_crypto_gcm_begin(struct crypto_gcm *gcm,
                                           const uint8_t bytes[CRYPTO_KEY_BYTES]);
enum crypto_result __wrap_crypto_gcm_begin(struct crypto_gcm *gcm,
                                           const uint8_t bytes[CRYPTO_KEY_BYTES]);

extern const char __image_end[]; /* end of the program's segments, from the linker script */

/* Notes the key of a guest's pages, which is in the VM's record. The keys of its blob are on a
 * stack. */
enum crypto_result __wrap_crypto_gcm_begin(struct crypto_gcm *gcm,
                                           const uint8_t bytes[CRYPTO_KEY_BYTES])
{
        for (size_t i = 0; i < CRYPTO_KEY_BYTES && (const char *)gcm < __image_end; i++)
                key[i] = bytes[i];
        if ((const char *)gcm < __image_end)
                last = (struct vm *)((char *)gcm - offsetof(struct vm, key));
        return __real_crypto_gcm_begin(gcm, bytes);
}

static nova_word_t capabilities(void)
{
        nova_word_t sum = 0;

        for (nova_sel_t sel = 0; sel < SELECTORS; sel++) {
                nova_crd_t crd = nova_crd_obj(sel, 0, 0);

                nova_lookup(&crd);
                sum += crd != 0;
        }
        return sum;
}

static int serve(struct nova_request *request)
{
        nova_word_t used = 0, limit = 0;

        nova_quota_query(nova_program.pd, &used, &limit);
        nova_request_answer(request, used);
        nova_request_answer(request, nova_sel_used());
        nova_request_answer(request, capabilities());
        vm_lock();
        nova_request_answer(request, memory_frames.free);
        vm_unlock();
        nova_request_answer(request, nova_page_free_count());
        return 0;
}

static bool is_at(const struct secret *secret, const volatile uint8_t *at)
{
        for (size_t i = 0; i < secret->bytes; i++)
                if (at[i] != secret->value[i])
                        return false;
        return true;
}

/* Adds how often a range of memory contains each secret. Most memory has only zeroes. */
static void find_in(nova_word_t from, nova_word_t end, nova_word_t *found)
{
        for (nova_word_t at = from; at < end; at++) {
                while (at % sizeof(at) == 0 && at < end && !*(const nova_word_t *)at)
                        at += sizeof(at);
                for (unsigned i = 0; i < COUNTS_FOUND; i++)
                        found[i] += end > at && end - at >= secrets[i].bytes &&
                                    is_at(&secrets[i], (const volatile uint8_t *)at);
        }
}

/* Returns true if the kernel finds a page that the ultravisor can write to. */
static bool is_writable(nova_word_t address)
{
        nova_crd_t crd = nova_crd_mem(page_number((const void *)address), 0, 0);

        nova_lookup(&crd);
        return (nova_crd_perms(crd) & (NOVA_MEM_R | NOVA_MEM_W)) == (NOVA_MEM_R | NOVA_MEM_W);
}

/* Looks for the secrets in each run of adjacent pages. */
static void find_among(nova_word_t from, nova_word_t end, nova_word_t *found)
{
        for (nova_word_t at = from; at < end; at += NOVA_PAGE_SIZE) {
                const nova_word_t first = at;

                while (at < end && is_writable(at))
                        at += NOVA_PAGE_SIZE;
                find_in(first, at, found);
        }
}

static int find(struct nova_request *request)
{
        nova_word_t found[COUNTS_FOUND] = {0};

        find_among(0, LOW_END, found);
        find_among(NOVA_LAYOUT_FAR, FAR_END, found);
        for (unsigned i = 0; i < COUNTS_FOUND; i++)
                nova_request_answer(request, found[i]);
        return 0;
}

static void exchange(void *frame, char bytes[sizeof(other[0])])
{
        char before[sizeof(other[0])];

        memcpy(before, frame, sizeof(before));
        memcpy(frame, bytes, sizeof(before));
        memcpy(bytes, before, sizeof(before));
}

/* Marks or restores the secure pages of a slot. */
static void mark_slot(const struct page_slot *slot, nova_word_t *found)
{
        for (uint64_t i = 0; !slot->closed && i < slot->bytes / FRAME_BYTES; i++) {
                const struct page *const page = &slot->page[i];
                const unsigned kind = page->state == PAGE_SECURE     ? COUNT_SECURE
                                      : page->normal != PAGE_NO_PAGE ? COUNT_SHARED
                                                                     : COUNT_EMPTY;

                if (kind == COUNT_SECURE)
                        exchange(frame_address(&memory_frames, page->frame),
                                 other[found[COUNT_SECURE]]);
                found[kind]++;
        }
}

static bool prepare_marks(void)
{
        other = malloc(memory_frames.count * sizeof(*other));
        for (uint32_t i = 0; other && i < memory_frames.count; i++)
                memcpy(other[i], marker, sizeof(*other));
        return other;
}

static int mark(struct nova_request *request)
{
        nova_word_t found[COUNTS_MARKED] = {0};

        if (!other && !prepare_marks())
                return ENOMEM;
        vm_lock();
        for (unsigned i = 0; last && i < PAGE_SLOTS; i++)
                mark_slot(&last->pages.slot[i], found);
        vm_unlock();
        for (unsigned i = 0; i < COUNTS_MARKED; i++)
                nova_request_answer(request, found[i]);
        return 0;
}

int __wrap_server_start(void)
{
        static const struct nova_service_operation operations[] = {
                {.handler = serve}, {.handler = find}, {.handler = mark}};
        static const struct nova_service_config config = {
                .name = "counts", .operations = operations, .operation_count = 3};
        const int error = __real_server_start();

        return error ? error : nova_service_start(NULL, &config);
}
