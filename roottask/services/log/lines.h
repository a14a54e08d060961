/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the output of many clients together line by line, and cuts typed text into lines. */
#ifndef NOVART_LOG_LINES_H
#define NOVART_LOG_LINES_H

#include <stddef.h>

#include "nova/utf8.h"

#define LOG_LINE_MAX 160 /* a longer line goes out in pieces, each with the prefix */

/* Where finished lines go. */
typedef void log_sink(void *argument, const char *text, size_t bytes);

/* What one client has written since its last line feed. */
struct log_line {
        size_t used;
        char text[LOG_LINE_MAX];
        struct nova_utf8 utf8; /* a character that has begun */
};

/* Add text; each line that gets finished goes out as "[name] text\n" in one call of the sink. Bytes
 * that nova_utf8_take() rejects become '?', so that no client can imitate another.
 */
void log_line_write(struct log_line *line, const char *name, const char *text, size_t bytes,
                    log_sink *sink, void *argument);

/* Send what has no line feed yet, as a line. */
void log_line_flush(struct log_line *line, const char *name, log_sink *sink, void *argument);

/* What was typed for one client: the line being edited, and finished ones. */
struct log_input {
        size_t editing; /* bytes of the line that is not finished; they lie behind ready */
        size_t ready;   /* bytes of finished lines, each with its line feed */
        char text[LOG_LINE_MAX];
};

/* Add a typed character (carriage return counts as line feed, backspace takes one back).
 * @return what to echo, ended by a 0 in @p echo (at least 4 bytes); NULL if it did not fit */
const char *log_input_key(struct log_input *input, char key, char echo[4]);

/* Take at most @p max bytes of the first finished line. @return how many, 0 if there is none */
size_t log_input_take(struct log_input *input, char *to, size_t max);

#endif
