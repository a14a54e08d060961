/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources of an ultravisor: the answer of its service "counts" (counts.c). */
#ifndef NOVA_TESTS_SECURE_COUNTS_H
#define NOVA_TESTS_SECURE_COUNTS_H

#include "ask.h"

/* Words of the answer. */
enum count {
        COUNT_KERNEL,       /* kernel memory in use, in bytes */
        COUNT_SELECTORS,    /* selectors in use */
        COUNT_CAPABILITIES, /* selectors with a capability */
        COUNT_FRAMES,       /* free frames of secure memory */
        COUNT_PAGES,        /* free pages of the program's own memory */
        COUNTS
};

struct counts {
        nova_word_t of[COUNTS];
};

/* An operation that looks for secrets of the last guest in the ultravisor's memory. Words of its
 * answer: the number of addresses at which each secret is. A page can have two addresses. */
#define COUNTS_FIND (NOVA_OPERATION_FIRST + 1)

enum count_found {
        COUNT_PHRASE, /* phrase of the image probe.seal */
        COUNT_KEY,    /* key for pages that move out */
        COUNTS_FOUND
};

struct counts_found {
        nova_word_t of[COUNTS_FOUND];
};

/* An operation that exchanges the first bytes of each secure page of the last guest with the marker
 * of search.h. The next such operation restores the bytes. Words of its answer: numbers of the
 * guest's pages. */
#define COUNTS_MARK (NOVA_OPERATION_FIRST + 2)

enum count_marked {
        COUNT_SECURE, /* pages with a secure place, whose bytes were exchanged */
        COUNT_SHARED, /* pages with only a shared place */
        COUNT_EMPTY,  /* pages that the guest has not used */
        COUNTS_MARKED
};

struct counts_marked {
        nova_word_t of[COUNTS_MARKED];
};

/* Asks an ultravisor. @return false: it does not answer */
static inline bool counts_ask(struct nova_session *session, struct counts *counts)
{
        return ask(session, NULL, 0, counts->of, COUNTS);
}

/* Lets an ultravisor look for secrets in its own memory. @return false: it does not answer */
static inline bool counts_find(struct nova_session *session, struct counts_found *found)
{
        struct nova_message message = {
                .operation = COUNTS_FIND, .answer = found->of, .answer_max = COUNTS_FOUND};

        return !nova_session_call(session, &message) && message.answer_count == COUNTS_FOUND;
}

/* Lets an ultravisor mark the last guest's secure pages, or restore them. @return false: it does
 * not answer */
static inline bool counts_mark(struct nova_session *session, struct counts_marked *marked)
{
        struct nova_message message = {
                .operation = COUNTS_MARK, .answer = marked->of, .answer_max = COUNTS_MARKED};

        return !nova_session_call(session, &message) && message.answer_count == COUNTS_MARKED;
}

#endif
