/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that a child writes on its parent's console: whole lines, each after the child's name. */
#ifndef NOVA_ROOTTASK_CHILD_TEXT_H
#define NOVA_ROOTTASK_CHILD_TEXT_H

#include "nova/utf8.h"
#include "novart/start_page.h"

#define CHILD_LINE 256 /* maximum number of bytes that are kept until the end of their line */

/* Text that a child has written since its last line. Zeroed initially. */
struct child_line {
        unsigned bytes;
        char text[CHILD_LINE + NOVA_UTF8_MAX]; /* the last character may extend past the line */
        struct nova_utf8 utf8;                 /* the incomplete character at the text's end */
};

/* A line of a child's text, ready for the console. */
struct child_text {
        size_t bytes; /* number of bytes; 0: there is no line */
        char text[NOVA_START_NAME_SIZE + CHILD_LINE + NOVA_UTF8_MAX + 4];
};

/* Consumes text until a line ends or becomes too long, or all of it. Returns the number of bytes
 * consumed. */
size_t novart_child_line_write(struct child_line *line, const char *name, const char *text,
                               size_t bytes, struct child_text *out);

/* Ends the text. If its last line has no line feed, returns this line. */
void novart_child_line_end(struct child_line *line, const char *name, struct child_text *out);

#endif
