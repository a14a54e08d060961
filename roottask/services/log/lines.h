/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembles the output of many clients line by line, and splits typed text into lines. */
#ifndef NOVART_LOG_LINES_H
#define NOVART_LOG_LINES_H

#include <stddef.h>

#include "nova/utf8.h"

#define LOG_LINE_MAX 256 /* a longer line is written in pieces, each with the client's name */

/* Destination of finished lines. */
typedef void log_sink(void *argument, const char *text, size_t bytes);

/* Text that one client has written since its last line feed. */
struct log_line {
        size_t used;
        char text[LOG_LINE_MAX];
        struct nova_utf8 utf8; /* the incomplete character at the end of the text */
};

/* Adds text. Each finished line goes to the sink in one call, as "[name] text\n". Bytes that
 * nova_utf8_take() rejects become '?', so no client can imitate another. */
void log_line_write(struct log_line *line, const char *name, const char *text, size_t bytes,
                    log_sink *sink, void *argument);

/* Writes the incomplete line, if there is one, with a line feed at its end. */
void log_line_flush(struct log_line *line, const char *name, log_sink *sink, void *argument);

/* Input typed for one client: the line being edited, and finished lines. */
struct log_input {
        size_t editing; /* bytes of the unfinished line, which follow those of the finished lines */
        size_t ready;   /* bytes of finished lines, each with its line feed */
        char text[LOG_LINE_MAX];
};

/* Adds a typed character (carriage return counts as line feed; backspace removes the last
 * character).
 * @return the text to echo, which lies in @p echo and ends with a 0; NULL if the character did not
 *   fit */
const char *log_input_key(struct log_input *input, char key, char echo[4]);

/* Removes at most @p max bytes of the first finished line.
 * @return number of bytes, 0 if there is no such line */
size_t log_input_take(struct log_input *input, char *to, size_t max);

#endif
