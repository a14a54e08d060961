/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing, measuring and cleaning texts without a C library. */
#ifndef NOVA_TEXT_H
#define NOVA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** A part of a longer text: it is not ended by a 0. */
struct nova_text {
        const char *begin; /**< first character; valid, but not to be read, if length is 0 */
        size_t length;     /**< number of characters */
};

/** True if the texts @p a and @p b, which end with a 0, are the same. */
static inline bool nova_text_same(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        return *a == *b;
}

/** True if a part of a text is the same as a text that ends with a 0. */
static inline bool nova_text_is(struct nova_text part, const char *text)
{
        for (size_t i = 0; i < part.length; i++)
                if (!text[i] || text[i] != part.begin[i])
                        return false;
        return !text[part.length];
}

/** Length of a text that ends with a 0, but not more than @p max: nothing behind that is read. */
static inline size_t nova_text_length(const char *text, size_t max)
{
        size_t length = 0;

        while (length < max && text[length])
                length++;
        return length;
}

/** A byte of strangers' text for a terminal: '?' for control characters of 7 and of 8 bits, but for
 *  the tabulator, and the byte itself otherwise. A terminal may take 0x9b as it takes ESC [; of
 *  text with characters of more than one byte nova/utf8.h keeps more. */
static inline char nova_text_printable(char c)
{
        const unsigned char u = (unsigned char)c;

        return (u < 0x20 && c != '\t') || (u >= 0x7f && u < 0xa0) ? '?' : c;
}

#endif
