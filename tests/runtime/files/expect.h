/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the clients of the service `files`: counts and prints each check that fails. */
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
        printf("check failed: %s (%s)\n", text, strerror(errno));
}

/* Prints the number of a program's checks that failed. @return the program's status */
static inline int end_of(const char *what)
{
        printf("%s: %u expectations failed\n", what, wrong);
        return wrong != 0;
}

#endif
