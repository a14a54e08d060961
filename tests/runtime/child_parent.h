/* SPDX-License-Identifier: BSD-2-Clause */
/* A child that is a parent itself. */
#ifndef TESTS_RUNTIME_CHILD_PARENT_H
#define TESTS_RUNTIME_CHILD_PARENT_H

#include <stdbool.h>

/* Starts a child from the module granted to this program. @p deed is the child's action, and @p
 * argument the argument of that action. Waits for the child's end if `waits`. Returns the child's
 * status, 0 without waiting, or -1 if the child does not start. */
int parent_of(const char *deed, const char *argument, bool waits);

/* Revokes the capabilities at all selectors that the runtime has allocated, including the selectors
 * that it has allocated for this program's children. */
void parent_revoke_all(void);

#endif
