/* SPDX-License-Identifier: BSD-2-Clause */
/* The budget of a step with interrupts off: the number of table entries that it may write. */
#ifndef SPACE_BUDGET_H
#define SPACE_BUDGET_H

#include "lib/bits.h"

/* Cost of a large page or of an absent table: the walk down to another table takes 16 times as long
 * as the move to the next page of a table, which costs 1. */
#define BUDGET_TABLE 16

/* Cost of a new table, which must be cleared. */
#define BUDGET_NEW_TABLE 64

/* Cost of the end of a mapping, which may leave up to nine tables empty. */
#define BUDGET_OLD_TABLES 64

static inline void budget_spend(unsigned *budget, word_t cost)
{
        *budget -= (unsigned)min_word(cost, *budget);
}

#endif
