/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the bits of a message transfer descriptor. @spec 7.4 */
#ifndef NOVA_MTD_H
#define NOVA_MTD_H

#include "nova/abi/mtd.h"
#include "nova/text.h"

/** Number of defined bits. */
#define NOVA_MTD_BITS 29

/** Returns the name of bit number @p bit ("ACDB"), or "reserved". @spec 7.4 */
static inline const char *nova_mtd_name(unsigned bit)
{
        switch (bit) {
#define NOVA_MTD_NAME(number, name, fields) \
        case number:                        \
                return #name;
                NOVA_MTD_ROWS(NOVA_MTD_NAME)
#undef NOVA_MTD_NAME
        default:
                return "reserved";
        }
}

/** Returns the names of the registers that bit number @p bit transfers ("ax, cx, dx, bx"), or "".
 * @spec 7.4 */
static inline const char *nova_mtd_fields(unsigned bit)
{
        switch (bit) {
#define NOVA_MTD_FIELDS(number, name, fields) \
        case number:                          \
                return (fields);
                NOVA_MTD_ROWS(NOVA_MTD_FIELDS)
#undef NOVA_MTD_FIELDS
        default:
                return "";
        }
}

/** Returns the number of the bit called @p name ("ACDB"), or -1. @spec 7.4 */
static inline int nova_mtd_bit_number(const char *name)
{
        for (unsigned bit = 0; bit < NOVA_MTD_BITS; bit++)
                if (nova_text_same(nova_mtd_name(bit), name))
                        return (int)bit;
        return -1;
}

/** Size in bytes of a buffer that holds the text of every descriptor with its terminating 0. */
#define NOVA_MTD_TEXT_SIZE 160

/** A text that grows in a buffer. Characters that do not fit are only counted. */
struct nova_mtd_text {
        char *to;      /**< the buffer */
        size_t size;   /**< size of the buffer in bytes */
        size_t length; /**< length of the whole text */
};

/** Appends a character. */
static inline void nova_mtd_put(struct nova_mtd_text *text, char c)
{
        if (text->length + 1 < text->size)
                text->to[text->length] = c;
        text->length++;
}

/** Appends a name, after a '|' unless it is the first. */
static inline void nova_mtd_put_name(struct nova_mtd_text *text, const char *name)
{
        if (text->length)
                nova_mtd_put(text, '|');
        while (*name)
                nova_mtd_put(text, *name++);
}

/**
 * Writes a descriptor as text such as "ACDB|ESP|EIP". Bits without a name follow as one number
 * ("EIP|0x80000000"); the text of an empty descriptor is "0".
 * @code
 * char text[NOVA_MTD_TEXT_SIZE];
 *
 * nova_mtd_format(utcb->state.mtd, text, sizeof(text));
 * nova_printf(&console, "the message carries %s\n", text);
 * @endcode
 * @param mtd     the descriptor
 * @param[out] to buffer for the text, which is cut to its size and ends with a 0; may be NULL if @p
 *                size is 0
 * @param size    size of the buffer in bytes; NOVA_MTD_TEXT_SIZE is always enough
 * @return length of the whole text without the 0; the text was cut if the length is not below @p
 *         size
 * @spec 7.4
 */
static inline size_t nova_mtd_format(nova_mtd_t mtd, char *to, size_t size)
{
        const nova_mtd_t unknown = mtd >> NOVA_MTD_BITS << NOVA_MTD_BITS;
        struct nova_mtd_text text = {to, size, 0};

        for (unsigned bit = 0; bit < NOVA_MTD_BITS; bit++)
                if (mtd >> bit & 1)
                        nova_mtd_put_name(&text, nova_mtd_name(bit));
        if (unknown) {
                unsigned shift = NOVA_WORD_BITS - 4;

                while (!(unknown >> shift))
                        shift -= 4;
                nova_mtd_put_name(&text, "0x");
                for (; shift < NOVA_WORD_BITS; shift -= 4)
                        nova_mtd_put(&text, "0123456789abcdef"[unknown >> shift & 0xf]);
        }
        if (!mtd)
                nova_mtd_put_name(&text, "0");
        if (size)
                to[text.length < size ? text.length : size - 1] = 0;
        return text.length;
}

#endif
