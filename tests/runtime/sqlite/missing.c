/* SPDX-License-Identifier: BSD-2-Clause */
/* The program if the build could not get SQLite's source: it says why, so its test fails. */
#if !__has_include("sqlite3.h")
#include <stdio.h>

#include "missing_sqlite.h"

int main(void)
{
        printf("the source of SQLite is missing: %s\n", REASON);
        return 1;
}
#endif
