/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the debug kernel. The release kernel does not even evaluate the conditions.
 * docs/kernel/objects.md and locking.md list the checks. */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

#include "lib/stop.h"

/* Checks an invariant of the kernel, never a value that user mode can influence. */
#ifdef __cplusplus
#include <assert.h> /* the host tests use the macro of their C library */
#elif defined(NOVA_DEBUG)
#define assert(condition)                                                                   \
        do {                                                                                \
                if (!__builtin_expect(!!(condition), 1))                                    \
                        kernel_stop("assertion '%s' failed at %s:%d", #condition, __FILE__, \
                                    __LINE__);                                              \
        } while (0)
#else
#define assert(condition) ((void)sizeof(!(condition)))
#endif

/* Marks a function that only assert() calls. */
#define assert_only inline __attribute__((unused))

/* Checks that need memory: the locks that a CPU holds, and the pattern in freed memory. The host
 * tests use neither check: there, locks are taken by threads of the host, and a sanitizer watches
 * memory. */
#if defined(NOVA_DEBUG) && !__STDC_HOSTED__
#define KERNEL_CHECKS 1
#else
#define KERNEL_CHECKS 0
#endif

#endif
