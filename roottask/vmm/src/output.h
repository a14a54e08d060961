/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's console, which the text of guests and the reports of their monitors share. */
#ifndef NOVAVMM_SRC_OUTPUT_H
#define NOVAVMM_SRC_OUTPUT_H

#include <stddef.h>

/* Begins a report on a line of its own. The text of guests waits until novavmm_output_end(). */
void novavmm_output_begin(void);

void novavmm_output_end(void);

/* Ends the line if a guest's text ended without a line feed. */
void novavmm_output_end_line(void);

/* Writes text of a guest. */
void novavmm_output_write(const char *text, size_t bytes);

#endif
