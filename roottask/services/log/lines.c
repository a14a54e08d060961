/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the output of many clients together line by line, and cuts typed text into lines. */
#include "lines.h"

#include <string.h>

#include "nova/text.h"

#define NAME_MAX  8
#define BACKSPACE 0x08
#define DELETE    0x7f

/* Of a name, which stands between brackets: nothing in it may look like their end. */
static char label(char c)
{
        return c == '[' || c == ']' ? '?' : nova_text_printable(c);
}

static void send_line(struct log_line *line, const char *name, log_sink *sink, void *argument)
{
        char out[NAME_MAX + LOG_LINE_MAX + 4];
        size_t length = 0;

        out[length++] = '[';
        for (size_t i = 0; i < NAME_MAX && name[i]; i++)
                out[length++] = label(name[i]);
        out[length++] = ']';
        if (line->used)
                out[length++] = ' ';
        memcpy(out + length, line->text, line->used);
        length += line->used;
        out[length++] = '\n';
        line->used = 0;
        sink(argument, out, length);
}

void log_line_flush(struct log_line *line, const char *name, log_sink *sink, void *argument)
{
        if (line->used)
                send_line(line, name, sink, argument);
}

void log_line_write(struct log_line *line, const char *name, const char *text, size_t bytes,
                    log_sink *sink, void *argument)
{
        for (size_t i = 0; i < bytes; i++) {
                if (text[i] == '\r')
                        continue;
                if (text[i] == '\n') {
                        send_line(line, name, sink, argument);
                        continue;
                }
                if (line->used == LOG_LINE_MAX)
                        send_line(line, name, sink, argument);
                line->text[line->used++] = nova_text_printable(text[i]);
        }
}

const char *log_input_key(struct log_input *input, char key, char echo[4])
{
        if (key == BACKSPACE || key == DELETE) {
                echo[0] = 0;
                if (input->editing) {
                        input->editing--;
                        memcpy(echo, "\b \b", 4);
                        echo[3] = 0;
                }
                return echo;
        }
        if (key == '\r')
                key = '\n';

        const size_t used = input->ready + input->editing;

        /* The last byte is kept for the line feed. */
        if (used >= LOG_LINE_MAX || (key != '\n' && used >= LOG_LINE_MAX - 1))
                return NULL;
        echo[0] = key == '\n' ? '\n' : nova_text_printable(key);
        echo[1] = 0;
        input->text[used] = echo[0];
        input->editing++;
        if (key == '\n') {
                input->ready += input->editing;
                input->editing = 0;
        }
        return echo;
}

size_t log_input_take(struct log_input *input, char *to, size_t max)
{
        size_t length = 0;

        while (length < input->ready && length < max) {
                to[length] = input->text[length];
                if (to[length++] == '\n')
                        break;
        }
        input->ready -= length;
        memmove(input->text, input->text + length, input->ready + input->editing);
        return length;
}
