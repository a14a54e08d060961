/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits system descriptions with arbitrary content, of the lengths in main(), into lines and
 * words, even if the words of earlier lines leave room for only a few characters. The functions
 * that read a line are stubs. */
#include "system/reader.h"

#include "../driver.h"

static struct nova_system system;

static void report(void *context, unsigned line, const char *sentence)
{
        (void)context;
        (void)line;
        (void)sentence;
}

bool value_keyword(struct reader *reader, const char *word)
{
        (void)reader;
        (void)word;
        return any_bool();
}

bool section_is(const char *word)
{
        (void)word;
        return any_bool();
}

bool section_misspelt(struct reader *reader, const char *closest)
{
        (void)reader;
        (void)closest;
        return any_bool();
}

void section_begin(struct reader *reader)
{
        reader->machine = any_bool();
        reader->skipped = any_bool();
}

void section_end(struct reader *reader)
{
        (void)reader;
}

void section_program_line(struct reader *reader)
{
        (void)reader;
}

void section_device_line(struct reader *reader)
{
        (void)reader;
}

void section_machine_line(struct reader *reader)
{
        (void)reader;
}

void section_known_devices(struct nova_system *of)
{
        (void)of;
}

void check_programs(struct reader *reader)
{
        (void)reader;
}

/* Splits one line, after this number of bytes of earlier words. */
static void split_after(const char *text, size_t bytes, size_t earlier)
{
        static struct reader reader;

        reader = (struct reader){.system = &system, .report = report};
        reader.at = text;
        reader.end = text + bytes;
        system.text_bytes = earlier;
        reader_next_line(&reader);
}

static void split(char *text, size_t bytes)
{
        split_after(text, bytes, 0);
        split_after(text, bytes, NOVA_SYSTEM_TEXT_MAX - 2);
}

static void read(char *text, size_t bytes)
{
        nova_system_read(&system, text, bytes, report, NULL);
}

int main(void)
{
        TRY(split, 1);
        TRY(split, 3);
        TRY(read, 0);
        TRY(read, 2);
        return 0;
}
