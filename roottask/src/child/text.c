/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that children write on their parent's console: whole lines, each behind the child's name. */
#include <stdio.h>
#include <string.h>

#include "child/child.h"
#include "nova/text.h"
#include "novart/console.h"

void child_write_rest(struct nova_child *child)
{
        char line[NOVA_START_NAME_SIZE + CHILD_LINE + 4];
        const int length = snprintf(line, sizeof(line), "%s: %.*s\n", child->name,
                                    (int)child->line_bytes, child->line);

        if (child->line_bytes)
                nova_console_write(line, (size_t)length);
        child->line_bytes = 0;
}

void child_write(struct nova_child *child, const char *text, size_t bytes)
{
        for (; bytes; text++, bytes--) {
                const char c = *text;

                if (c == '\n' && !child->line_bytes)
                        child->line[child->line_bytes++] = ' ';
                /* Nobody's text may move the cursor of the console. */
                if (c != '\n' && c != '\r')
                        child->line[child->line_bytes++] = nova_text_printable(c);
                if (c == '\n' || child->line_bytes == CHILD_LINE)
                        child_write_rest(child);
        }
}
