/* SPDX-License-Identifier: BSD-2-Clause */
/* Strangers' text for a terminal: of UTF-8 what is well-formed and no control character. */
#ifndef NOVA_UTF8_H
#define NOVA_UTF8_H

#include "nova/text.h"

/** Bytes of a character at most. */
#define NOVA_UTF8_MAX 4

/** A text that comes byte by byte, in pieces of any size. Begins as zeroes. */
struct nova_utf8 {
        unsigned char byte[NOVA_UTF8_MAX]; /**< of a character that has begun */
        unsigned char have;                /**< bytes of it that have come */
};

/** True if @p c goes on with the character that has begun. Unicode 15, table 3-7; but behind 0xc2,
 *  too, the first bytes are left out: U+0080 to U+009F are control characters. */
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
 * The text has ended, or something else comes in between: give what is left of a character.
 *
 * @param utf8       the text
 * @param[out] shown '?' for each byte that came of it
 * @return how many
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
 * Take a byte, and give what can be shown of the text by now.
 *
 * Characters of well-formed UTF-8 come as they are, when their last byte has come. '?' comes for
 * each byte of anything else: of control characters but the tabulator, also as U+0080 to U+009F or
 * as single bytes; of overlong forms, surrogates and what is beyond U+10FFFF; of what is cut off.
 * @param utf8       the text
 * @param c          its next byte
 * @param[out] shown what can be shown
 * @return bytes of it; 0: a character has begun
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
