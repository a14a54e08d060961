/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of children's text. */
#include "child/text.h"

#include <stdio.h>

static void finish(struct child_line *line, const char *name, struct child_text *out)
{
        out->bytes = (size_t)snprintf(out->text, sizeof(out->text), "%s: %.*s\n", name,
                                      (int)line->bytes, line->text);
        line->bytes = 0;
}

/* Writes the bytes of an incomplete character, because the line or the text ends. */
static void end_character(struct child_line *line)
{
        line->bytes += nova_utf8_end(&line->utf8, line->text + line->bytes);
}

void novart_child_line_end(struct child_line *line, const char *name, struct child_text *out)
{
        end_character(line);
        out->bytes = 0;
        if (line->bytes)
                finish(line, name, out);
}

size_t novart_child_line_write(struct child_line *line, const char *name, const char *text,
                               size_t bytes, struct child_text *out)
{
        size_t taken = 0;

        out->bytes = 0;
        while (taken < bytes && !out->bytes) {
                const char c = text[taken++];

                /* A child's text must not move the cursor of the console. */
                if (c == '\n' || c == '\r')
                        end_character(line);
                else
                        line->bytes += nova_utf8_take(&line->utf8, c, line->text + line->bytes);
                if (c == '\n' && !line->bytes)
                        line->text[line->bytes++] = ' ';
                if (c == '\n' || line->bytes >= CHILD_LINE)
                        finish(line, name, out);
        }
        return taken;
}
