/* SPDX-License-Identifier: BSD-2-Clause */
/* The cipher of the fuzz test of ultracalls. It hides nothing, but its tag detects each change. */
#ifndef NOVA_TESTS_FUZZ_ULTRACALLS_CIPHER_H
#define NOVA_TESTS_FUZZ_ULTRACALLS_CIPHER_H

#include <string.h>

#include "page.h"

/* Mixes a value into a sum. The cipher uses this for the key of each word, which depends on the
 * page's address and version and on the word's index, and for the tag, which depends on all words.
 */
static uint64_t mix(uint64_t sum, uint64_t value)
{
        return (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15) ^ sum >> 29;
}

static uint64_t cipher(const uint64_t *from, uint64_t *to, uint64_t gpa, uint64_t version)
{
        uint64_t key = mix(gpa, version), tag = key;

        for (unsigned i = 0; i < FRAME_BYTES / sizeof(*from); i++) {
                key = mix(key, i + 1);
                tag = mix(tag, from[i]);
                to[i] = from[i] ^ key;
        }
        return tag;
}

static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from, void *to,
                    uint8_t tag[PAGE_TAG_BYTES])
{
        const uint64_t sum = cipher(from, to, gpa, version);

        (void)pages;
        memset(tag, 0, PAGE_TAG_BYTES);
        memcpy(tag, &sum, sizeof(sum));
        return true;
}

static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        static uint64_t again[FRAME_BYTES / sizeof(uint64_t)];
        uint8_t other[PAGE_TAG_BYTES];

        cipher(from, to, gpa, version);
        encrypt(pages, gpa, version, to, again, other);
        if (!memcmp(tag, other, PAGE_TAG_BYTES))
                return true;
        memset(to, 0, FRAME_BYTES);
        return false;
}

#endif
