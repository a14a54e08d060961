/* SPDX-License-Identifier: BSD-2-Clause */
/* An action of the child (child.c): checks standard input with and without a source. */
#ifndef TESTS_RUNTIME_CHILD_INPUT_H
#define TESTS_RUNTIME_CHILD_INPUT_H

#define INPUT_GOOD 7

/* @return INPUT_GOOD if only an input with a source is a terminal */
int do_input(char **argv);

#endif
