/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the programs and the output of init, for HTML and JSON. */
#ifndef EXAMPLES_STATUS_STATE_H
#define EXAMPLES_STATUS_STATE_H

#include <stdio.h>

#include "novart/parent_status.h"

/* Returns the word for a program's state. */
const char *state_text(const struct nova_parent_program *program);

/* Returns the last output of init. The string is valid until the next call. */
const char *state_log(void);

/* Writes the state of the system. */
void html_write(FILE *page);
void json_write(FILE *page);

#endif
