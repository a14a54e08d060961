/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases of a test program, reported as TAP. Only the main thread may call these functions. */
#ifndef TESTS_RUNTIME_CASE_H
#define TESTS_RUNTIME_CASE_H

#include <stdbool.h>
#include <stdio.h>

static unsigned case_count, case_failed;

/* Reports one case; its name is a sentence. */
static inline void check(bool good, const char *name)
{
        case_failed += !good;
        printf("%sok %u - %s\n", good ? "" : "not ", ++case_count, name);
}

/* Returns the status for main(). */
static inline int check_end(void)
{
        printf("1..%u\n", case_count);
        return case_failed != 0;
}

#endif
