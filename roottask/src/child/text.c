/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that children write on their parent's console: whole lines, each behind the child's name. */
#include <stdio.h>
#include <string.h>

#include "child/child.h"
#include "nova/text.h"
#include "novart/console.h"

static void finish_line(struct nova_child *child, struct child_text *out)
{
        out->bytes = (size_t)snprintf(out->text, sizeof(out->text), "%s: %.*s\n", child->name,
                                      (int)child->line_bytes, child->line);
        child->line_bytes = 0;
}

void child_write_rest(struct nova_child *child)
{
        struct child_text out;

        if (!child->line_bytes)
                return;
        finish_line(child, &out);
        nova_console_write(out.text, out.bytes);
}

size_t child_write(struct nova_child *child, const char *text, size_t bytes, struct child_text *out)
{
        size_t taken = 0;

        out->bytes = 0;
        while (taken < bytes && !out->bytes) {
                const char c = text[taken++];

                if (c == '\n' && !child->line_bytes)
                        child->line[child->line_bytes++] = ' ';
                /* Nobody's text may move the cursor of the console. */
                if (c != '\n' && c != '\r')
                        child->line[child->line_bytes++] = nova_text_printable(c);
                if (c == '\n' || child->line_bytes == CHILD_LINE)
                        finish_line(child, out);
        }
        return taken;
}
