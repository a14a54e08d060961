/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that build and read messages in a UTCB. None of them writes or reads outside the data
 * area, even if the items word is wrong. @spec 4.6 */
#ifndef NOVA_UTCB_H
#define NOVA_UTCB_H

#include <stdbool.h>

#include "nova/abi/utcb.h"
#include "nova/crd.h"
#include "nova/text.h"

/** A typed item as sent or received. */
struct nova_item {
        nova_crd_t crd;    /**< sent: the range; received: the result, 0 if nothing arrived */
        nova_word_t flags; /**< NOVA_ITEM_… and, when sent, the hotspot */
};

/** Returns the number of typed items in a UTCB, cut to the number that fits. */
static inline unsigned nova_utcb_item_count(const struct nova_utcb *utcb)
{
        const unsigned typed = nova_utcb_typed(utcb->items);

        return typed > NOVA_UTCB_TYPED_MAX ? (unsigned)NOVA_UTCB_TYPED_MAX : typed;
}

/** Returns the number of untyped words in a UTCB, cut to the number that fits beside the items. */
static inline unsigned nova_utcb_word_count(const struct nova_utcb *utcb)
{
        const unsigned room = (unsigned)NOVA_UTCB_WORDS - 2 * nova_utcb_item_count(utcb);
        const unsigned untyped = nova_utcb_untyped(utcb->items);

        return untyped > room ? room : untyped;
}

/** Returns the number of free words in the data area. */
static inline unsigned nova_utcb_room(const struct nova_utcb *utcb)
{
        return (unsigned)NOVA_UTCB_WORDS - 2 * nova_utcb_item_count(utcb) -
               nova_utcb_word_count(utcb);
}

/** Starts a message without words and items. The windows do not change. */
static inline void nova_utcb_clear(struct nova_utcb *utcb)
{
        utcb->items = 0;
}

/**
 * Sets the receive windows: the ranges of the PD's spaces in which the thread of this UTCB accepts
 * capabilities.
 * @code
 * // A client gets one capability at selector sel with the next reply.
 * nova_utcb_set_windows(utcb, 0, nova_crd_obj(sel, 0, NOVA_PERM_ALL));
 * nova_utcb_clear(utcb);
 * status = nova_call(pt, 0);
 * @endcode
 * @param translate range in which translated capabilities are recognised; 0 for none
 * @param delegate  range that may receive delegated capabilities; 0 for none
 * @spec 4.6.1
 */
static inline void nova_utcb_set_windows(struct nova_utcb *utcb, nova_crd_t translate,
                                         nova_crd_t delegate)
{
        utcb->translate_window = translate;
        utcb->delegate_window = delegate;
}

/**
 * Appends an untyped word.
 * @code
 * nova_utcb_clear(utcb);
 * nova_utcb_put(utcb, 7);
 * nova_utcb_delegate(utcb, nova_crd_obj(sm, 0, NOVA_PERM_ALL), 0, 0);
 * status = nova_call(pt, 0);
 * @endcode
 * @return false, and nothing is written, if the UTCB is full
 */
static inline bool nova_utcb_put(struct nova_utcb *utcb, nova_word_t word)
{
        if (!nova_utcb_room(utcb))
                return false;

        const unsigned count = nova_utcb_word_count(utcb);

        utcb->word[count] = word;
        utcb->items = nova_utcb_items(count + 1, nova_utcb_item_count(utcb));
        return true;
}

/** Appends a typed item. @return false, and nothing is written, if fewer than two words are free */
static inline bool nova_utcb_put_item(struct nova_utcb *utcb, struct nova_item item)
{
        if (nova_utcb_room(utcb) < 2)
                return false;

        const unsigned count = nova_utcb_item_count(utcb);
        const unsigned index = nova_utcb_item_index(count);

        utcb->word[index] = item.crd;
        utcb->word[index + 1] = item.flags;
        utcb->items = nova_utcb_items(nova_utcb_word_count(utcb), count + 1);
        return true;
}

/** Appends the @p count words of an array.
 *  @return false, and nothing is written, if they do not all fit */
static inline bool nova_utcb_put_words(struct nova_utcb *utcb, const nova_word_t *words,
                                       size_t count)
{
        const unsigned begin = nova_utcb_word_count(utcb);

        if (count > nova_utcb_room(utcb))
                return false;
        for (unsigned i = 0; i < count; i++)
                utcb->word[begin + i] = words[i];
        utcb->items = nova_utcb_items(begin + (unsigned)count, nova_utcb_item_count(utcb));
        return true;
}

/** Number of words that hold 64 bits. */
#define NOVA_UTCB_U64_WORDS (64 / NOVA_WORD_BITS)

/** Appends 64 bits: on x86-32 two words, the low half first.
 *  @return false, and nothing is written, if there is no room */
static inline bool nova_utcb_put_u64(struct nova_utcb *utcb, uint64_t value)
{
        const nova_word_t words[] = {(nova_word_t)value, (nova_word_t)(value >> 32)};

        return nova_utcb_put_words(utcb, words, NOVA_UTCB_U64_WORDS);
}

/** Returns the number of words that @p size bytes occupy in a message, including the word with the
 * number of bytes. */
static inline size_t nova_utcb_bytes_words(size_t size)
{
        return 1 + size / sizeof(nova_word_t) + (size % sizeof(nova_word_t) != 0);
}

/**
 * Appends bytes: one word with their number, then the bytes, filled up to a word with zeros.
 * @code
 * static const char key[3] = {1, 2, 3};
 *
 * nova_utcb_clear(utcb);
 * if (nova_utcb_put_bytes(utcb, key, sizeof(key)))
 *         status = nova_call(pt, 0);
 * @endcode
 * @param bytes may be NULL if @p size is 0
 * @param size  number of bytes
 * @return false, and nothing is written, if they do not all fit
 */
static inline bool nova_utcb_put_bytes(struct nova_utcb *utcb, const void *bytes, size_t size)
{
        const size_t words = nova_utcb_bytes_words(size);
        const unsigned begin = nova_utcb_word_count(utcb);

        if (words > nova_utcb_room(utcb))
                return false;

        unsigned char *to = (unsigned char *)&utcb->word[begin + 1];

        utcb->word[begin] = size;
        utcb->word[begin + words - 1] = words > 1 ? 0 : size;
        for (size_t i = 0; i < size; i++)
                to[i] = ((const unsigned char *)bytes)[i];
        utcb->items = nova_utcb_items(begin + (unsigned)words, nova_utcb_item_count(utcb));
        return true;
}

/** Appends a text, without the 0 at its end, in the format of nova_utcb_put_bytes().
 *  @return false, and nothing is written, if it does not fit */
static inline bool nova_utcb_put_string(struct nova_utcb *utcb, const char *text)
{
        return nova_utcb_put_bytes(utcb, text, nova_text_length(text, NOVA_PAGE_SIZE));
}

/** Appends an item that lets the receiver recognise a capability that it once delegated to the
 * sender.
 *  @return false if there is no room  @spec 4.6.2.2 */
static inline bool nova_utcb_translate(struct nova_utcb *utcb, nova_crd_t crd)
{
        const struct nova_item item = {crd, NOVA_ITEM_TRANSLATE};

        return nova_utcb_put_item(utcb, item);
}

/**
 * Appends an item that delegates capabilities of the sender to the receiver.
 * @code
 * // A semaphore on which the receiver may only do an up.
 * nova_utcb_clear(utcb);
 * nova_utcb_delegate(utcb, nova_crd_obj(sm, 0, NOVA_SM_UP), 0, 0);
 * status = nova_call(pt, 0);
 * @endcode
 * @param crd     the range to delegate
 * @param hotspot selector that determines the destination if range and window differ in size
 * @param flags   0 or an OR of NOVA_ITEM_D, NOVA_ITEM_G, NOVA_ITEM_H (root PD only)
 * @return false if there is no room
 * @spec 3.5, 4.6.2.2
 */
static inline bool nova_utcb_delegate(struct nova_utcb *utcb, nova_crd_t crd, nova_sel_t hotspot,
                                      nova_word_t flags)
{
        const struct nova_item item = {crd, hotspot << NOVA_ITEM_HOTSPOT_SHIFT | flags |
                                                    NOVA_ITEM_DELEGATE};

        return nova_utcb_put_item(utcb, item);
}

/**
 * Appends as many delegate items as fit for a range of any length and alignment.
 *
 * @param[in,out] range the range; on return, the part that did not fit and is left for later
 *                      messages
 * @param flags   0 or an OR of NOVA_ITEM_D, NOVA_ITEM_G, NOVA_ITEM_H (root PD only)
 * @return true if the message now has the whole range, false if a part is left in @p range
 * @spec 3.5, 4.3, 4.6.2.2
 */
static inline bool nova_utcb_delegate_range(struct nova_utcb *utcb, struct nova_crd_range *range,
                                            nova_word_t flags)
{
        for (;;) {
                struct nova_crd_range rest = *range;
                nova_crd_t crd;
                nova_sel_t hotspot;

                if (!nova_crd_next(&rest, &crd, &hotspot))
                        return true;
                if (!nova_utcb_delegate(utcb, crd, hotspot, flags))
                        return false;
                *range = rest;
        }
}

/**
 * Reads untyped word @p i.
 * @code
 * nova_word_t word;
 *
 * if (status == NOVA_SUCCESS && nova_utcb_get(utcb, 0, &word))
 *         nova_printf(&console, "the answer is %zu\n", (size_t)word);
 * @endcode
 * @return false, and @p word is unchanged, if the message has no such word
 */
static inline bool nova_utcb_get(const struct nova_utcb *utcb, unsigned i, nova_word_t *word)
{
        if (i >= nova_utcb_word_count(utcb))
                return false;
        *word = utcb->word[i];
        return true;
}

/** Reads typed item @p i.
 *  @return false, and @p item is unchanged, if the message has no such item */
static inline bool nova_utcb_get_item(const struct nova_utcb *utcb, unsigned i,
                                      struct nova_item *item)
{
        if (i >= nova_utcb_item_count(utcb))
                return false;

        const unsigned index = nova_utcb_item_index(i);

        item->crd = utcb->word[index];
        item->flags = utcb->word[index + 1];
        return true;
}

/**
 * Reads the word at index @p at and advances @p at to the next.
 *
 * @param[in,out] at index of a word, initially 0
 * @param[out] word  the word
 * @return false, and nothing changes, if the message has no word at this index
 */
static inline bool nova_utcb_next(const struct nova_utcb *utcb, unsigned *at, nova_word_t *word)
{
        if (!nova_utcb_get(utcb, *at, word))
                return false;
        ++*at;
        return true;
}

/**
 * Reads the @p value that nova_utcb_put_u64() wrote at word @p at and advances @p at past it.
 * @code
 * uint64_t time;
 * unsigned at = 0;
 *
 * if (nova_utcb_next_u64(utcb, &at, &time))
 *         nova_printf(&console, "%llu ns\n", (unsigned long long)time);
 * @endcode
 * @return false, and nothing changes, if the message is too short
 */
static inline bool nova_utcb_next_u64(const struct nova_utcb *utcb, unsigned *at, uint64_t *value)
{
        const unsigned count = NOVA_UTCB_U64_WORDS;
        const unsigned there = nova_utcb_word_count(utcb);

        if (*at > there || there - *at < count)
                return false;
        *value = utcb->word[*at];
        if (count > 1)
                *value = (uint32_t)*value | (uint64_t)utcb->word[*at + 1] << 32;
        *at += count;
        return true;
}

/**
 * Finds bytes that nova_utcb_put_bytes() wrote, without copying them.
 *
 * @param[in,out] at index of the word with their number; advanced to the word after the bytes
 * @param[out] bytes the bytes inside the UTCB; valid until the message changes
 * @return false, and nothing changes, if the message does not hold this number of bytes
 */
static inline bool nova_utcb_next_bytes(const struct nova_utcb *utcb, unsigned *at,
                                        struct nova_text *bytes)
{
        const unsigned there = nova_utcb_word_count(utcb);

        if (*at >= there)
                return false;

        const nova_word_t size = utcb->word[*at];

        if (size > (nova_word_t)(there - *at - 1) * sizeof(nova_word_t))
                return false;
        bytes->begin = (const char *)utcb + offsetof(struct nova_utcb, word) +
                       (*at + (size_t)1) * sizeof(nova_word_t);
        bytes->length = size;
        *at += (unsigned)nova_utcb_bytes_words(size);
        return true;
}

/**
 * Copies bytes that nova_utcb_put_bytes() wrote.
 * @code
 * char key[16];
 * unsigned at = 0;
 * size_t length;
 *
 * if (!nova_utcb_get_bytes(utcb, &at, key, sizeof(key), &length))
 *         nova_printf(&console, "no key, or one that is too long\n");
 * @endcode
 * @param[in,out] at  index of the word with their number; advanced to the word after the bytes
 * @param[out] to     buffer
 * @param size        size of the buffer in bytes
 * @param[out] length number of bytes copied
 * @return false, and nothing changes, if there are more than @p size bytes or the message does not
 *         hold them all
 */
static inline bool nova_utcb_get_bytes(const struct nova_utcb *utcb, unsigned *at, void *to,
                                       size_t size, size_t *length)
{
        struct nova_text bytes;
        unsigned next = *at;

        if (!nova_utcb_next_bytes(utcb, &next, &bytes) || bytes.length > size)
                return false;
        for (size_t i = 0; i < bytes.length; i++)
                ((char *)to)[i] = bytes.begin[i];
        *length = bytes.length;
        *at = next;
        return true;
}

/**
 * Copies a text that nova_utcb_put_string() wrote.
 * @code
 * char name[32];
 * unsigned at = 0;
 *
 * if (nova_utcb_get_string(utcb, &at, name, sizeof(name)))
 *         nova_printf(&console, "%s\n", name);
 * @endcode
 * @param[in,out] at index of the word with its length; advanced to the word after the text
 * @param[out] to    buffer for the text and its terminating 0
 * @param size       size of the buffer in bytes, including the 0
 * @return false, and nothing changes, if the text does not fit, exceeds the message or contains a 0
 */
static inline bool nova_utcb_get_string(const struct nova_utcb *utcb, unsigned *at, char *to,
                                        size_t size)
{
        struct nova_text text;
        unsigned next = *at;

        if (!nova_utcb_next_bytes(utcb, &next, &text) || text.length >= size ||
            nova_text_length(text.begin, text.length) != text.length)
                return false;
        for (size_t i = 0; i < text.length; i++)
                to[i] = text.begin[i];
        to[text.length] = 0;
        *at = next;
        return true;
}

/** Returns true if an item was sent as a delegation, false if as a translation. */
static inline bool nova_item_is_delegate(struct nova_item item)
{
        return item.flags & NOVA_ITEM_DELEGATE;
}

/**
 * Reads the range that arrived with typed item @p i, if it has the kind and type that the receiver
 * expects.
 *
 * The kernel writes the range, so a sender cannot forge it. The sender chooses whether the item is
 * a delegation or a translation.
 * @code
 * nova_crd_t crd;
 *
 * if (nova_utcb_received(utcb, 0, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &crd))
 *         nova_sm_up(nova_crd_base(crd));
 * @endcode
 * @param i        number of the item, 0 for the first
 * @param kind     NOVA_ITEM_DELEGATE or NOVA_ITEM_TRANSLATE
 * @param type     NOVA_CRD_MEM, _IO or _OBJ
 * @param[out] crd the range at the receiver, in its receive window
 * @return false, and @p crd is unchanged, if the message has no such item, if the item is of
 *         another kind or type, or if nothing arrived (a null descriptor, or a descriptor without
 *         permissions)
 * @spec 4.6.2.2
 */
static inline bool nova_utcb_received(const struct nova_utcb *utcb, unsigned i, nova_word_t kind,
                                      unsigned type, nova_crd_t *crd)
{
        struct nova_item item;

        if (!nova_utcb_get_item(utcb, i, &item) ||
            (item.flags & NOVA_ITEM_DELEGATE) != (kind & NOVA_ITEM_DELEGATE) ||
            nova_crd_type(item.crd) != type || type == NOVA_CRD_NULL || !nova_crd_perms(item.crd))
                return false;
        *crd = item.crd;
        return true;
}

/**
 * Starts the reply to an event: the kernel will write back the groups of state in @p mtd. Removes
 * all typed items.
 *
 * The kernel reads the MTD in the UTCB when the thread replies, so each reply must set it.
 * Otherwise the UTCB still contains the MTD of the request, and the kernel writes back every group
 * that the portal requested.
 * @code
 * // In a handler of #UD: skips the two bytes of the instruction.
 * utcb->state.ip += 2;
 * nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
 * @endcode
 * @param mtd the groups of state to write back; 0 for none
 * @spec 4.4, 7.4
 */
static inline void nova_utcb_event_reply(struct nova_utcb *utcb, nova_mtd_t mtd)
{
        utcb->state.mtd = mtd;
        utcb->items = nova_utcb_items((unsigned)NOVA_UTCB_STATE_WORDS, 0);
}

#endif
