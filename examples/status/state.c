/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for states, and the text of init. */
#include "state.h"

#include <string.h>

#include "novart/parent.h"

#define LOG_MAX 20000 /* bytes; further text is left out */

static const char *const states[] = {
        [NOVA_PARENT_WAITS] = "waits",
        [NOVA_PARENT_RUNS] = "runs",
        [NOVA_PARENT_PAUSES] = "pauses",
        [NOVA_PARENT_OVER] = "over",
};

const char *state_text(const struct nova_parent_program *program)
{
        return program->state < sizeof(states) / sizeof(*states) && states[program->state]
                       ? states[program->state]
                       : "unknown";
}

const char *state_log(void)
{
        static char text[LOG_MAX + 1];
        static struct nova_parent_log piece;
        size_t bytes = 0;

        piece.next = 0;
        while (nova_parent_log_read(piece.next, &piece) == 0 && piece.bytes &&
               bytes + piece.bytes <= LOG_MAX) {
                memcpy(text + bytes, piece.text, (size_t)piece.bytes);
                bytes += (size_t)piece.bytes;
        }
        text[bytes] = 0;
        return text;
}
