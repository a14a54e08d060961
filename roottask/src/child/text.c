/* SPDX-License-Identifier: BSD-2-Clause */
/* Divides the text of children into lines. */
#include "child/text.h"

#include <stdio.h>
#include <string.h>

/* Moves the first bytes of a line to `out`. */
static void finish(struct child_line *line, unsigned bytes, const char *name,
                   struct child_text *out)
{
        out->bytes = (size_t)snprintf(out->text, sizeof(out->text), "%s: %.*s\n", name, (int)bytes,
                                      line->text);
        line->bytes -= bytes;
        memmove(line->text, line->text + bytes, line->bytes);
}

/* Returns the number of bytes up to the last blank of a line that is too long, so that no word is
 * divided. If the last word is very long, returns the number of all bytes. */
static unsigned up_to_blank(const struct child_line *line)
{
        for (unsigned bytes = line->bytes; bytes > CHILD_LINE / 2; bytes--)
                if (line->text[bytes - 1] == ' ')
                        return bytes;
        return line->bytes;
}

/* Adds the bytes of an incomplete character at the end of a line or of the text. */
static void end_character(struct child_line *line)
{
        line->bytes += nova_utf8_end(&line->utf8, line->text + line->bytes);
}

void novart_child_line_end(struct child_line *line, const char *name, struct child_text *out)
{
        end_character(line);
        out->bytes = 0;
        if (line->bytes)
                finish(line, line->bytes, name, out);
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
                if (c == '\n')
                        finish(line, line->bytes, name, out);
                else if (line->bytes >= CHILD_LINE)
                        finish(line, up_to_blank(line), name, out);
        }
        return taken;
}
