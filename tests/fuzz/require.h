/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdlib.h>

/* Ends the test unless the condition holds. */
static inline void require(bool condition)
{
        if (!condition)
                abort();
}

#endif
