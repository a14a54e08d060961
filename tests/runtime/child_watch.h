/* SPDX-License-Identifier: BSD-2-Clause */
/* What a child may not learn from its parent: the state of programs without the grant, and ends of
 * programs by more than a number of semaphores. */
#ifndef TESTS_RUNTIME_CHILD_WATCH_H
#define TESTS_RUNTIME_CHILD_WATCH_H

#include <stdbool.h>

/* The parent accepts NOVA_PARENT_WATCHES semaphores, and new ones in place of destroyed ones. */
bool watches_are_limited(void);

/* Without the grant `status` the parent answers no question about programs, CPUs, sessions or
 * text. */
bool status_is_denied(void);

#endif
