/* SPDX-License-Identifier: BSD-2-Clause */
/* The program without SQLite's source: it prints why the source is missing, so its test fails. */
#if !__has_include("sqlite3.h")
#include <stdio.h>

#include "missing_sqlite.h"

int main(void)
{
        printf("the source of SQLite is missing: %s\n", REASON);
        return 1;
}
#endif
