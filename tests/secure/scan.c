/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks for texts in memory and in streams of bytes (see search.h). */
#include <stdio.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/layout.h"

#include "counts.h"
#include "search.h"

#define PAGE      4096u
#define LOW_END   0x58000000u /* end of the search, above the monitor's memory */
#define FAR_BYTES 0x4000000u

/* Texts of the encrypted disk. The module nova.guest_crypt has a copy, and the test sdk.guest_crypt
 * compares the two. Each character has two bytes, so this program's own memory does not contain the
 * texts. */
#define PHRASE u"the phrase of the encrypted disk"
#define MOTD   u"This line was on the encrypted disk."

static const uint_least16_t *const plain[SEARCH_TEXTS] = {[SEARCH_HEADER] = u"LUKS\xba\xbe",
                                                          [SEARCH_PHRASE] = PHRASE,
                                                          [SEARCH_MOTD] = MOTD,
                                                          [SEARCH_MARKED] = u"Marked: "};

/* The marker is the beginning of the SHA-256 sum of the text on the disk, in hexadecimal digits.
 * This program has the binary number only, so its own memory does not contain the marker. */
static const uint8_t marker[] = {0x18, 0xae, 0xe8, 0x51, 0x71, 0x71, 0x6d, 0x99};

/* Returns a byte of a text, 0 after its end. */
static uint8_t byte_of(enum search_text text, size_t at)
{
        unsigned digit;

        if (text != SEARCH_MARKER)
                return (uint8_t)plain[text][at];
        if (at / 2 >= sizeof(marker))
                return 0;
        digit = at % 2 ? marker[at / 2] & 0xfu : marker[at / 2] >> 4;
        return (uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}

static size_t length_of(enum search_text text)
{
        size_t length = 0;

        while (byte_of(text, length))
                length++;
        return length;
}

static bool is_at(enum search_text text, const uint8_t *in, const uint8_t *end)
{
        for (size_t i = 0; byte_of(text, i); i++)
                if (in + i == end || in[i] != byte_of(text, i))
                        return false;
        return true;
}

/* Returns true if a page has only zeroes. Most pages do. */
static bool is_empty(const uint8_t *page)
{
        uint64_t word, all = 0;

        for (unsigned i = 0; i < PAGE; i += sizeof(word)) {
                memcpy(&word, page + i, sizeof(word));
                all |= word;
        }
        return !all;
}

void search_count(struct search_found *found, const uint8_t *in, size_t bytes)
{
        const uint8_t *const end = in + bytes;
        bool first[256] = {false};

        for (unsigned text = 0; text < SEARCH_TEXTS; text++)
                first[byte_of(text, 0)] = true;
        for (const uint8_t *at = in; at < end; at++) {
                if ((at - in) % PAGE == 0 && end - at >= (ptrdiff_t)PAGE && is_empty(at)) {
                        at += PAGE - 1;
                        continue;
                }
                for (unsigned text = 0; first[*at] && text < SEARCH_TEXTS; text++)
                        found->of[text] += is_at(text, at, end);
        }
}

static bool ends_with(const struct search_stream *stream, enum search_text text)
{
        const size_t length = length_of(text);

        if (stream->bytes < length)
                return false;
        for (size_t i = length; i-- > 0;)
                if (stream->last[(stream->bytes - length + i) % sizeof(stream->last)] !=
                    byte_of(text, i))
                        return false;
        return true;
}

enum search_text search_pass(struct search_stream *stream, uint8_t byte)
{
        static uint8_t final[SEARCH_TEXTS];
        enum search_text completed = SEARCH_TEXTS;

        stream->last[stream->bytes++ % sizeof(stream->last)] = byte;
        for (unsigned text = 0; text < SEARCH_TEXTS; text++) {
                if (!final[text])
                        final[text] = byte_of(text, length_of(text) - 1);
                if (byte == final[text] && ends_with(stream, text)) {
                        stream->found.of[text]++;
                        completed = text;
                }
        }
        return completed;
}

/* Looks at pages one by one, as the kernel's look-up finds them. Returns the number of pages. */
static unsigned walk(struct search_found *found, nova_word_t from, nova_word_t end)
{
        unsigned pages = 0;

        for (nova_word_t at = from; at < end; at += PAGE) {
                nova_crd_t crd = nova_crd_mem(at / PAGE, 0, 0);

                nova_lookup(&crd);
                if (!crd || !(nova_crd_perms(crd) & NOVA_MEM_R))
                        continue;
                pages++;
                search_count(found, (const uint8_t *)at, PAGE);
        }
        return pages;
}

unsigned search_own(struct search_found *found, const struct nova_guest_memory *memory)
{
        const nova_word_t base = (nova_word_t)memory->base;
        unsigned pages = walk(found, 0, base < LOW_END ? base : LOW_END);

        pages += base < LOW_END ? walk(found, base + memory->bytes, LOW_END) : 0;
        return pages + walk(found, NOVA_LAYOUT_FAR, NOVA_LAYOUT_FAR + FAR_BYTES);
}

void search_scan(const char *when, const struct nova_guest_memory *memory)
{
        struct search_found normal = {{0}}, own = {{0}};
        const unsigned pages = search_own(&own, memory);

        search_count(&normal, memory->base, memory->bytes);
        printf("Scan %s: marker %s in the %u pages of normal memory, %s in %u other pages.\n", when,
               normal.of[SEARCH_MARKER] ? "found" : "not found", (unsigned)(memory->bytes / PAGE),
               own.of[SEARCH_MARKER] ? "found" : "not found", pages);
}

/* Scans after the ultravisor has written the marker to all secure pages. Meanwhile the guest's
 * virtual CPU waits for an answer. */
void search_scan_all(const struct nova_guest_memory *memory)
{
        struct nova_session *counter;
        struct counts_marked marked, restored;

        if (nova_session_open(&counter, "counts", NULL) || !counts_mark(counter, &marked))
                return;
        search_scan("of all secure pages", memory);
        if (counts_mark(counter, &restored) && restored.of[COUNT_SECURE] == marked.of[COUNT_SECURE])
                printf("All %u secure pages had the marker; %u pages have only a shared place, and "
                       "%u are not used.\n",
                       (unsigned)restored.of[COUNT_SECURE], (unsigned)marked.of[COUNT_SHARED],
                       (unsigned)marked.of[COUNT_EMPTY]);
        nova_session_close(counter);
}
