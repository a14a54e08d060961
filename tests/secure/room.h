/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how much secure memory is left. A guest touches more pages than there are frames, and
 * its VMM counts the pages that are out at the end. Each missing frame adds one page. */
#ifndef NOVA_TESTS_SECURE_ROOM_H
#define NOVA_TESTS_SECURE_ROOM_H

#include "honest.h"

#define ROOM_FIRST 0x100000u /* the image's kernel is among the pages, and is only read */
#define ROOM_PAGES ((MEMORY - ROOM_FIRST) / PAGE)
#define ROOM_WORD  0x400000u /* address of a word in one of the pages */

static unsigned room_out; /* pages that are out */

/* Moves a page out to make room for another one, and counts it. If the guest needs a page again, it
 * comes back. */
static inline void room_count(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN)
                room_out--;
        if (call->number != NOVA_H_SVM_PAGE_OUT)
                return;
        call->words = 2;
        call->status = (nova_word_t)nova_uv_page_out(&uv, call->word[0], call->word[0], 0,
                                                     NOVA_UV_ORDER_PAGE);
        room_out += call->status == 0;
}

/* Lets a guest become secure, fill the secure memory and end.
 * @return the number of pages that moved out; 0 if the guest failed */
static inline unsigned room_measure(void)
{
        bool good = honest_become_secure() == NOVA_U_SUCCESS;

        room_out = 0;
        honest_attack = room_count;
        good = good && guest(PROBE_WRITE, ROOM_WORD, 7) == 0 &&
               guest(PROBE_TOUCH, ROOM_FIRST, ROOM_PAGES) == ROOM_PAGES &&
               guest(PROBE_READ, ROOM_WORD, 0) == 7;
        good = honest_end() == NOVA_U_SUCCESS && good;
        honest_attack = NULL;
        return good ? room_out : 0;
}

#endif
