/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembles the output of many clients line by line, and splits typed text into lines. */
#include "lines.h"

#include <string.h>

#define NAME_MAX  8
#define BACKSPACE 0x08
#define DELETE    0x7f

/* Copies the beginning of a name, which appears in brackets. Replaces brackets and unprintable
 * characters. */
static size_t put_name(char *out, const char *name)
{
        struct nova_utf8 utf8 = {{0}, 0};
        size_t length = 0;

        for (size_t i = 0; i < NAME_MAX && name[i]; i++) {
                const bool bracket = name[i] == '[' || name[i] == ']';

                length += nova_utf8_take(&utf8, bracket ? '?' : name[i], out + length);
        }
        return length + nova_utf8_end(&utf8, out + length);
}

static void send_line(struct log_line *line, const char *name, log_sink *sink, void *argument)
{
        char out[NAME_MAX + NOVA_UTF8_MAX + LOG_LINE_MAX + 4];
        size_t length = 0;

        out[length++] = '[';
        length += put_name(out + length, name);
        out[length++] = ']';
        if (line->used)
                out[length++] = ' ';
        memcpy(out + length, line->text, line->used);
        length += line->used;
        out[length++] = '\n';
        line->used = 0;
        sink(argument, out, length);
}

/* Appends the bytes of one character without splitting them between two lines. */
static void append(struct log_line *line, const char *name, const char *shown, unsigned count,
                   log_sink *sink, void *argument)
{
        if (line->used + count > LOG_LINE_MAX)
                send_line(line, name, sink, argument);
        memcpy(line->text + line->used, shown, count);
        line->used += count;
}

void log_line_flush(struct log_line *line, const char *name, log_sink *sink, void *argument)
{
        char shown[NOVA_UTF8_MAX];

        append(line, name, shown, nova_utf8_end(&line->utf8, shown), sink, argument);
        if (line->used)
                send_line(line, name, sink, argument);
}

void log_line_write(struct log_line *line, const char *name, const char *text, size_t bytes,
                    log_sink *sink, void *argument)
{
        for (size_t i = 0; i < bytes; i++) {
                const bool ends = text[i] == '\n' || text[i] == '\r';
                char shown[NOVA_UTF8_MAX];
                const unsigned count = ends ? nova_utf8_end(&line->utf8, shown)
                                            : nova_utf8_take(&line->utf8, text[i], shown);

                append(line, name, shown, count, sink, argument);
                if (text[i] == '\n')
                        send_line(line, name, sink, argument);
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

        /* The last byte is reserved for the line feed. */
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
