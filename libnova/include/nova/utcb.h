/* SPDX-License-Identifier: BSD-2-Clause */
/* Building and reading messages in a UTCB. No function writes or reads outside of its data area,
 * whatever the items word says. @spec 4.6 */
#ifndef NOVA_UTCB_H
#define NOVA_UTCB_H

#include <stdbool.h>

#include "nova/abi/utcb.h"

/** A typed item as sent or received. */
struct nova_item {
        nova_crd_t crd;    /**< sent: the range; received: the result, 0 if nothing came */
        nova_word_t flags; /**< NOVA_ITEM_… and, when sent, the hotspot */
};

/** Number of typed items that a UTCB holds, never more than there is room for. */
static inline unsigned nova_utcb_item_count(const struct nova_utcb *utcb)
{
        const unsigned typed = nova_utcb_typed(utcb->items);

        return typed > NOVA_UTCB_TYPED_MAX ? (unsigned)NOVA_UTCB_TYPED_MAX : typed;
}

/** Number of untyped words that a UTCB holds, never more than typed items leave room for. */
static inline unsigned nova_utcb_word_count(const struct nova_utcb *utcb)
{
        const unsigned room = (unsigned)NOVA_UTCB_WORDS - 2 * nova_utcb_item_count(utcb);
        const unsigned untyped = nova_utcb_untyped(utcb->items);

        return untyped > room ? room : untyped;
}

/** Words of the data area that are still free. */
static inline unsigned nova_utcb_room(const struct nova_utcb *utcb)
{
        return (unsigned)NOVA_UTCB_WORDS - 2 * nova_utcb_item_count(utcb) -
               nova_utcb_word_count(utcb);
}

/** Begin a message: no words, no items. The windows stay as they are. */
static inline void nova_utcb_clear(struct nova_utcb *utcb)
{
        utcb->items = 0;
}

/**
 * Say what may be received into the owner's spaces.
 *
 * @param translate range in which capabilities may be recognised; 0 for none
 * @param delegate  range that may be filled with capabilities; 0 for none
 * @spec 4.6.1
 */
static inline void nova_utcb_set_windows(struct nova_utcb *utcb, nova_crd_t translate,
                                         nova_crd_t delegate)
{
        utcb->translate_window = translate;
        utcb->delegate_window = delegate;
}

/** Append an untyped word. @return false, and nothing is written, if the UTCB is full */
static inline bool nova_utcb_put(struct nova_utcb *utcb, nova_word_t word)
{
        if (!nova_utcb_room(utcb))
                return false;

        const unsigned count = nova_utcb_word_count(utcb);

        utcb->word[count] = word;
        utcb->items = nova_utcb_items(count + 1, nova_utcb_item_count(utcb));
        return true;
}

/** Append a typed item. @return false, and nothing is written, if fewer than two words are free */
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

/** Append an item that lets the receiver recognise a capability that it once gave to the sender.
 *  @return false if there is no room  @spec 4.6.2.2 */
static inline bool nova_utcb_translate(struct nova_utcb *utcb, nova_crd_t crd)
{
        const struct nova_item item = {crd, NOVA_ITEM_TRANSLATE};

        return nova_utcb_put_item(utcb, item);
}

/**
 * Append an item that gives the receiver capabilities of the sender.
 *
 * @param crd     what is given
 * @param hotspot selector that settles where it goes when range and window differ in size
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

/** Read untyped word @p i. @return false, and @p word is unchanged, if there are not that many */
static inline bool nova_utcb_get(const struct nova_utcb *utcb, unsigned i, nova_word_t *word)
{
        if (i >= nova_utcb_word_count(utcb))
                return false;
        *word = utcb->word[i];
        return true;
}

/** Read typed item @p i. @return false, and @p item is unchanged, if there are not that many */
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

/** True if an item was sent as a delegation, false if as a translation. */
static inline bool nova_item_is_delegate(struct nova_item item)
{
        return item.flags & NOVA_ITEM_DELEGATE;
}

/**
 * Begin the reply to an event: state as in @p mtd is written back, no typed items yet.
 *
 * The kernel looks at the descriptor in the UTCB when the reply is sent, so it must be set for
 * each reply: the one of the request would write back whatever the portal asked for.
 * @param mtd the groups of state that were changed; 0 for none
 * @spec 4.4, 7.4
 */
static inline void nova_utcb_event_reply(struct nova_utcb *utcb, nova_mtd_t mtd)
{
        utcb->state.mtd = mtd;
        utcb->items = nova_utcb_items((unsigned)NOVA_UTCB_STATE_WORDS, 0);
}

#endif
