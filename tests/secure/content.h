/* SPDX-License-Identifier: BSD-2-Clause */
/* The content of a monitor's pages. A test fills a page before a call, to see what the call
 * writes. */
#ifndef NOVA_TESTS_SECURE_CONTENT_H
#define NOVA_TESTS_SECURE_CONTENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CONTENT_BYTES  4096u
#define CONTENT_FILLER 0x5a

static inline void content_fill(char *page)
{
        memset(page, CONTENT_FILLER, CONTENT_BYTES);
}

/* Returns true if nothing has written to a page since it was filled. */
static inline bool content_stays(const char *page)
{
        return page[0] == CONTENT_FILLER && !memcmp(page, page + 1, CONTENT_BYTES - 1);
}

/* Returns true if a filled page now contains the ciphertext of a page with one word and zeroes: no
 * 8 aligned bytes equal the filler or the plaintext. */
static inline bool content_is_encrypted(const char *page, uint32_t word)
{
        static char plain[CONTENT_BYTES], before[CONTENT_BYTES];
        bool good = true;

        memcpy(plain, &word, sizeof(word));
        content_fill(before);
        for (unsigned i = 0; i < CONTENT_BYTES; i += 8)
                good = good && memcmp(page + i, plain + i, 8) != 0 &&
                       memcmp(page + i, before + i, 8) != 0;
        return good;
}

/* Returns true if an aligned word is in memory. */
static inline bool content_has(const char *memory, uint64_t bytes, uint32_t word)
{
        for (uint64_t at = 0; at < bytes; at += sizeof(word))
                if (!memcmp(memory + at, &word, sizeof(word)))
                        return true;
        return false;
}

#endif
