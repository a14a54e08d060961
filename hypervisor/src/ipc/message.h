/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a message, from UTCB to UTCB. @spec 4.6.2 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "arch/x86/insn.h"
#include "lib/bits.h"
#include "object/ec.h"

/* Minimum number of words for which the CPU's string instruction is faster than a loop. */
#define MESSAGE_STRING_WORDS 8

/** Copies header and untyped words. Clamps the counts so that all items fit into the UTCB; typed
 *  items have precedence. Returns the number of typed items. */
static always_inline unsigned message_copy(const struct ec *from, struct ec *to)
{
        const struct nova_utcb *source = from->utcb;
        struct nova_utcb *target = to->utcb;
        uint32_t items = (uint32_t)load_once(source->items); /* other threads may write it */
        unsigned typed = 0, untyped = items;

        if (unlikely(items > NOVA_UTCB_WORDS)) {
                typed = nova_utcb_typed(items);
                untyped = nova_utcb_untyped(items);
                if (unlikely(untyped + 2 * typed > NOVA_UTCB_WORDS)) {
                        typed = (unsigned)min_word(typed, NOVA_UTCB_TYPED_MAX);
                        untyped = (unsigned)min_word(untyped, NOVA_UTCB_WORDS - 2 * typed);
                        items = (uint32_t)nova_utcb_items(untyped, typed);
                }
        }
        target->items = items;
        if (untyped >= MESSAGE_STRING_WORDS)
                rep_movs(target->word, source->word, untyped);
        else
                for (unsigned i = 0; i < untyped; i++)
                        target->word[i] = source->word[i];
        return typed;
}

#endif
