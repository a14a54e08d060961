/* SPDX-License-Identifier: BSD-2-Clause */
/* The limit on the number of semaphores that get an up from the parent when a program has ended. */
#ifndef TESTS_RUNTIME_CHILD_WATCH_H
#define TESTS_RUNTIME_CHILD_WATCH_H

#include <stdbool.h>

/* The parent accepts NOVA_PARENT_WATCHES semaphores, and new ones in place of destroyed ones. */
bool watches_are_limited(void);

#endif
