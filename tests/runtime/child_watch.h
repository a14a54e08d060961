/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts that a parent must not report to a child: the state of programs, if the child lacks the
 * grant; ends of programs, if the child has used up its semaphores for them. */
#ifndef TESTS_RUNTIME_CHILD_WATCH_H
#define TESTS_RUNTIME_CHILD_WATCH_H

#include <stdbool.h>

/* Returns true if the parent accepts only NOVA_PARENT_WATCHES semaphores, and new ones in place of
 * destroyed ones. */
bool watches_are_limited(void);

/* Returns true if the parent passes the first and the last of many reports of ends on, but most
 * reports only together with others. The program may have children. */
bool ends_are_limited(void);

/* Returns true if, without the grant `status`, the parent answers no question about programs, CPUs,
 * sessions or text. */
bool status_is_denied(void);

#endif
