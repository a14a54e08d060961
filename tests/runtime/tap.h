/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases of a test program, reported as TAP. Only the main thread may call these functions. */
#ifndef TESTS_RUNTIME_TAP_H
#define TESTS_RUNTIME_TAP_H

#include <stdbool.h>
#include <stdio.h>

static unsigned tap_cases, tap_failed;

/* Reports one case; its name is a sentence. */
static inline void check(bool good, const char *name)
{
        tap_failed += !good;
        printf("%sok %u - %s\n", good ? "" : "not ", ++tap_cases, name);
}

/* Returns the status for main(). */
static inline int tap_end(void)
{
        printf("1..%u\n", tap_cases);
        return tap_failed != 0;
}

#endif
