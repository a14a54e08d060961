/* SPDX-License-Identifier: BSD-2-Clause */
/* An action of the child (child.c): looks for other programs' data in its memory. */
#ifndef TESTS_RUNTIME_CHILD_TRACES_H
#define TESTS_RUNTIME_CHILD_TRACES_H

#define TRACES_NONE 7

/* Takes all of its memory, the largest blocks first, looks for traces, and fills the memory with
 * its own. @return TRACES_NONE if all of it was zero */
int do_traces(char **argv);

#endif
