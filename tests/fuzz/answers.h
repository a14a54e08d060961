/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile server, and the kernel between it and a library of its clients. The server answers each
 * call with any words and any items; the runtime's own code reads them from the UTCB. */
#ifndef FUZZ_ANSWERS_H
#define FUZZ_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "nova/utcb.h"
#include "require.h"

extern struct nova_utcb answers_utcb;
extern unsigned answers_calls;       /* number of calls that have got an answer */
extern nova_word_t answers_items;    /* items word of the last answer */
extern nova_word_t answers_first[2]; /* first words of the last answer, 0 where it has none */

/* Begins an input. The next functions return its next bytes, 0 after its end. */
void answers_begin(const uint8_t *data, size_t size);
bool answers_has_input(void);
uint8_t answers_take(void);

/* Returns a number that is small, near a border of its type, or any. */
nova_word_t answers_take_word(void);

/* Kernel calls: each fuzzer defines what the client may do. */

/* Checks a message before the server gets it. The portal is that of the call. */
void answers_check_call(nova_sel_t portal, const struct nova_utcb *utcb);

/* Checks a selector at which the client looks for what has arrived. */
void answers_check_lookup(nova_crd_t crd);

/* Checks a range that the client revokes from others and, if @p own, from itself, too. */
void answers_check_revoke(nova_crd_t crd, bool own);

#endif
