/* SPDX-License-Identifier: BSD-2-Clause */
/* The limit of semaphores that the parent ups when a program has ended. */
#ifndef TESTS_RUNTIME_CHILD_WATCH_H
#define TESTS_RUNTIME_CHILD_WATCH_H

#include <stdbool.h>

/* The parent takes NOVA_PARENT_WATCHES semaphores, and others in place of destroyed ones. */
bool watches_are_limited(void);

#endif
