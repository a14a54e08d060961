/* SPDX-License-Identifier: BSD-2-Clause */
/* The budget of a step with interrupts off: the number of table entries that it may write. */
#ifndef SPACE_BUDGET_H
#define SPACE_BUDGET_H

#include "lib/bits.h"

/* Cost of a large page or of an absent table. Each further page of a table costs only 1, because
 * the walk down to a table takes that much longer. */
#define BUDGET_TABLE 16

/* Cost of a new table, which must be cleared. */
#define BUDGET_NEW_TABLE 64

/* Cost of a mapping whose end empties tables: up to nine. */
#define BUDGET_OLD_TABLES 64

static inline void budget_spend(unsigned *budget, word_t cost)
{
        *budget -= (unsigned)min_word(cost, *budget);
}

#endif
