/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the console of children with output and keys: lines must be complete and prefixed, and
 * must not contain control characters. */
#include "lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sink(void *argument, const char *text, size_t bytes)
{
        (void)argument;
        if (bytes < 7 || memcmp(text, "[anna]", 6) != 0 || text[bytes - 1] != '\n')
                abort();
        for (size_t i = 0; i + 1 < bytes; i++)
                if ((unsigned char)text[i] < ' ' && text[i] != '\t')
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct log_line line = {0};
        struct log_input input = {0};
        char to[LOG_LINE_MAX], echo[4];

        for (size_t at = 0; at < size; at += 1 + data[at] % 64) {
                const size_t part = size - at < 32 ? size - at : 32;

                log_line_write(&line, "anna", (const char *)data + at, part, sink, NULL);
                for (size_t i = 0; i < part; i++)
                        log_input_key(&input, (char)data[at + i], echo);
                const size_t max = data[at] % (LOG_LINE_MAX + 1);

                if (log_input_take(&input, to, max) > max || line.used > LOG_LINE_MAX ||
                    input.ready + input.editing > LOG_LINE_MAX)
                        abort();
        }
        return 0;
}
