/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters untrusted text for a terminal: keeps well-formed UTF-8, except control characters other
 * than tab. */
#ifndef NOVA_UTF8_H
#define NOVA_UTF8_H

#include "nova/text.h"

/** Maximum number of bytes in a character. */
#define NOVA_UTF8_MAX 4

/** A text that arrives byte by byte, in pieces of any size. Starts as zeroes. */
struct nova_utf8 {
        unsigned char byte[NOVA_UTF8_MAX]; /**< bytes of the incomplete character */
        unsigned char have;                /**< number of bytes in @c byte */
};

/** Returns true if @p c continues the incomplete character (Unicode 15, table 3-7). After 0xc2,
 * bytes below 0xa0 are refused, because U+0080 to U+009F are control characters. */
static inline bool nova_utf8_continues(const struct nova_utf8 *utf8, unsigned char c)
{
        unsigned char least = 0x80, most = 0xbf;

        if (utf8->have == 1 && (utf8->byte[0] == 0xc2 || utf8->byte[0] == 0xe0))
                least = 0xa0;
        if (utf8->have == 1 && utf8->byte[0] == 0xf0)
                least = 0x90;
        if (utf8->have == 1 && utf8->byte[0] == 0xed)
                most = 0x9f;
        if (utf8->have == 1 && utf8->byte[0] == 0xf4)
                most = 0x8f;
        return c >= least && c <= most;
}

/**
 * Flushes an incomplete character because the text has ended or other output interrupts it.
 *
 * @param utf8       the text
 * @param[out] shown '?' for each byte of the incomplete character
 * @return the number of bytes in @p shown
 */
static inline unsigned nova_utf8_end(struct nova_utf8 *utf8, char shown[NOVA_UTF8_MAX])
{
        const unsigned have = utf8->have;

        for (unsigned i = 0; i < have; i++)
                shown[i] = '?';
        utf8->have = 0;
        return have;
}

/**
 * Consumes a byte and returns the part of the text that can now be shown.
 *
 * A character of well-formed UTF-8 is returned unchanged once its last byte has arrived. Every
 * other byte becomes '?': the bytes of control characters except tab, including U+0080 to U+009F;
 * of overlong forms, surrogates and values beyond U+10FFFF; of truncated characters; and bytes that
 * belong to no character.
 * @param utf8       the text
 * @param c          its next byte
 * @param[out] shown bytes to show
 * @return the number of bytes in @p shown; 0: a character is incomplete
 */
static inline unsigned nova_utf8_take(struct nova_utf8 *utf8, char c, char shown[NOVA_UTF8_MAX])
{
        const unsigned char u = (unsigned char)c;
        unsigned count = 0;

        if (utf8->have && nova_utf8_continues(utf8, u)) {
                const unsigned length = utf8->byte[0] < 0xe0 ? 2 : utf8->byte[0] < 0xf0 ? 3 : 4;

                utf8->byte[utf8->have++] = u;
                if (utf8->have < length)
                        return 0;
                for (; count < length; count++)
                        shown[count] = (char)utf8->byte[count];
                utf8->have = 0;
                return count;
        }
        count = nova_utf8_end(utf8, shown);
        if (u >= 0xc2 && u <= 0xf4)
                utf8->byte[utf8->have++] = u;
        else
                shown[count++] = u < 0x80 ? nova_text_printable(c) : '?';
        return count;
}

#endif
