/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing, measuring and cleaning texts without a C library. */
#ifndef NOVA_TEXT_H
#define NOVA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** A part of a longer text, without a terminating 0. */
struct nova_text {
        const char *begin; /**< first character; valid, but must not be read if length is 0 */
        size_t length;     /**< number of characters */
};

/** Returns true if the texts @p a and @p b, which end with a 0, are equal. */
static inline bool nova_text_same(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        return *a == *b;
}

/** Returns true if a part of a text equals a text that ends with a 0. */
static inline bool nova_text_is(struct nova_text part, const char *text)
{
        for (size_t i = 0; i < part.length; i++)
                if (!text[i] || text[i] != part.begin[i])
                        return false;
        return !text[part.length];
}

/** Returns the length of a text that ends with a 0, at most @p max. Reads at most @p max bytes. */
static inline size_t nova_text_length(const char *text, size_t max)
{
        size_t length = 0;

        while (length < max && text[length])
                length++;
        return length;
}

/** Returns a byte of untrusted text as a terminal may show it: '?' for 7-bit and 8-bit control
 * characters except tab, otherwise the byte itself. A terminal may treat 0x9b like ESC [. For text
 * with multi-byte characters, nova/utf8.h preserves more. */
static inline char nova_text_printable(char c)
{
        const unsigned char u = (unsigned char)c;

        return (u < 0x20 && c != '\t') || (u >= 0x7f && u < 0xa0) ? '?' : c;
}

#endif
