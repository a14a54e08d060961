/* SPDX-License-Identifier: BSD-2-Clause */
/* A check that reports the first failure and ends the run. */
#ifndef TESTS_RUNTIME_CHECK_H
#define TESTS_RUNTIME_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                     \
        do {                                                                                 \
                if (!(condition)) {                                                          \
                        printf("%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
                        exit(1);                                                             \
                }                                                                            \
        } while (0)

#endif
