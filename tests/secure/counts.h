/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources of an ultravisor: the answer of its service "counts" (counts.c). */
#ifndef NOVA_TESTS_SECURE_COUNTS_H
#define NOVA_TESTS_SECURE_COUNTS_H

#include "ask.h"

/* Words of the answer. */
enum count {
        COUNT_KERNEL,       /* kernel memory in use, in bytes */
        COUNT_SELECTORS,    /* selectors in use */
        COUNT_CAPABILITIES, /* selectors that are not null */
        COUNT_FRAMES,       /* free frames of secure memory */
        COUNT_PAGES,        /* free pages of the program's own memory */
        COUNTS
};

struct counts {
        nova_word_t of[COUNTS];
};

/* Asks an ultravisor. @return false: it does not answer */
static inline bool counts_ask(struct nova_session *session, struct counts *counts)
{
        return ask(session, NULL, 0, counts->of, COUNTS);
}

#endif
