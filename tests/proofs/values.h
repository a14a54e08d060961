/* SPDX-License-Identifier: BSD-2-Clause */
/* Stubs of the functions that read values of a system description (system/reader.h), for the proofs
 * of their callers. Each stub may fail, and then leaves the value unchanged. Otherwise it stores
 * any value. */
#ifndef PROOFS_VALUES_H
#define PROOFS_VALUES_H

#include "words.h"

bool value_name(struct reader *of, const char *what, const char *word)
{
        (void)of;
        (void)what;
        (void)word;
        return any_bool();
}

bool value_number(struct reader *of, const char *what, const char *word, unsigned min, unsigned max,
                  uint64_t *value)
{
        (void)of;
        (void)what;
        (void)word;
        (void)min;
        (void)max;
        if (!any_bool())
                return false;
        *value = any_u64();
        return true;
}

bool value_size(struct reader *of, const char *what, const char *word, uint64_t *bytes)
{
        return value_number(of, what, word, 0, 0, bytes);
}

bool value_range(struct reader *of, const char *what, const char *word,
                 struct nova_system_range *range)
{
        (void)of;
        (void)what;
        (void)word;
        if (!any_bool())
                return false;
        range->first = any_u64();
        range->last = any_u64();
        return true;
}

#endif
