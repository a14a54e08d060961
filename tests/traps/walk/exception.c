/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of exceptions.tsv. */
#include "exception.h"

#include "record.h"

const struct walk_exception walk_exceptions[] = {
#include "exceptions.inc"
        {0},
};
const unsigned walk_exception_count = sizeof(walk_exceptions) / sizeof(walk_exceptions[0]);
