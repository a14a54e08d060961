/* SPDX-License-Identifier: BSD-2-Clause */
/* Expectations of the clients of files: each one that does not hold is counted and printed. */
#ifndef NOVA_TESTS_FILES_EXPECT_H
#define NOVA_TESTS_FILES_EXPECT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned wrong;

static inline void expect(bool good, const char *text)
{
        if (good)
                return;
        wrong++;
        printf("not so: %s (%s)\n", text, strerror(errno));
}

/* Prints the result of a program. @return its status */
static inline int end_of(const char *what)
{
        printf("%s: %u expectations failed\n", what, wrong);
        return wrong != 0;
}

#endif
