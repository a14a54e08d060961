/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of page tables a step with interrupts off writes. */
#ifndef SPACE_BUDGET_H
#define SPACE_BUDGET_H

#include "lib/bits.h"

/* What a large page or a table that is not there costs of a budget. The next page of the same table
 * costs 1: the way down to a table is that much longer. */
#define BUDGET_TABLE 16

static inline void budget_spend(unsigned *budget, word_t cost)
{
        *budget -= (unsigned)min_word(cost, *budget);
}

#endif
