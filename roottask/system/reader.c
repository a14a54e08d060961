/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits a description into lines and words, and reads it section by section. */
#include "system/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 512

void reader_mistake(struct reader *reader, unsigned line, const char *format, ...)
{
        char sentence[SENTENCE_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        reader->mistakes++;
        reader->report(reader->context, line, sentence);
}

bool text_equal(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

/* Appends one character to the word that is being read. */
static bool store(struct reader *reader, char c)
{
        struct nova_system *system = reader->system;

        if (system->text_bytes >= NOVA_SYSTEM_TEXT_MAX) {
                reader_mistake(reader, reader->line,
                               "the description is too long: all its words together can have at "
                               "most %u characters; split it into two systems.",
                               NOVA_SYSTEM_TEXT_MAX);
                reader->at = reader->end;
                return false;
        }
        system->text[system->text_bytes++] = c;
        return true;
}

static bool check_character(struct reader *reader, char c)
{
        if ((unsigned char)c >= ' ' && c != 0x7f)
                return true;
        if (c == '\t')
                return true;
        reader_mistake(
                reader, reader->line,
                "the line contains the control character 0x%02x; a description is plain text.",
                (unsigned char)c);
        reader->no_text = true;
        reader->at = reader->end;
        return false;
}

/* Reads the rest of a quoted word; `at` is after the opening quote. */
static bool read_quoted(struct reader *reader)
{
        for (; reader->at < reader->end && *reader->at != '\n'; reader->at++) {
                char c = *reader->at;

                if (c == '"') {
                        reader->at++;
                        return true;
                }
                if (c == '\\' && reader->end - reader->at > 1 &&
                    (reader->at[1] == '"' || reader->at[1] == '\\'))
                        c = *++reader->at;
                if (!check_character(reader, c) || !store(reader, c))
                        return false;
        }
        reader_mistake(reader, reader->line,
                       "a quotation mark is not closed; add the closing one.");
        return false;
}

static bool read_word(struct reader *reader)
{
        if (reader->words >= LINE_WORDS_MAX) {
                reader_mistake(reader, reader->line,
                               "the line has more than %u words; split it or shorten it.",
                               LINE_WORDS_MAX);
                return false;
        }
        reader->word[reader->words++] = reader->system->text + reader->system->text_bytes;

        while (reader->at < reader->end && *reader->at != '\n' && *reader->at != '#' &&
               !is_blank(*reader->at)) {
                const char c = *reader->at++;

                if (c == '"') {
                        if (!read_quoted(reader))
                                return false;
                } else if (!check_character(reader, c) || !store(reader, c)) {
                        return false;
                }
        }
        return store(reader, 0);
}

/* Reads the words of one line. Returns false after a mistake. */
static bool read_words(struct reader *reader)
{
        reader->words = 0;
        while (reader->at < reader->end && *reader->at != '\n' && *reader->at != '#') {
                if (is_blank(*reader->at))
                        reader->at++;
                else if (!read_word(reader))
                        return false;
        }
        return true;
}

bool reader_next_line(struct reader *reader)
{
        while (reader->at < reader->end) {
                reader->line++;
                const bool good = read_words(reader);

                while (reader->at < reader->end && *reader->at != '\n')
                        reader->at++;
                if (reader->at < reader->end)
                        reader->at++;
                if (good && reader->words)
                        return true;
        }
        return false;
}

static void read_line(struct reader *reader)
{
        if (!reader->skipped && !value_keyword(reader, reader->word[0]))
                return;
        /* An author who writes `device NAME` in a program may mean `devices NAME`. This line begins
         * a section nevertheless, and the mistakes in the section are reported. */
        if (section_is(reader->word[0]))
                section_begin(reader);
        else if (reader->program)
                section_program_line(reader);
        else if (reader->device)
                section_device_line(reader);
        else if (reader->machine)
                section_machine_line(reader);
        else if (!reader->skipped && !section_misspelt(reader, NULL))
                reader_mistake(
                        reader, reader->line,
                        "'%s' comes before the first section; begin with a line 'program NAME'.",
                        reader->word[0]);
}

/* Some editors write a byte-order mark, which is invisible, before a text. */
static bool check_begin(struct reader *reader)
{
        static const struct {
                const char *bytes, *name;
        } marks[] = {{"\xef\xbb\xbf", "UTF-8"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"}};

        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
                const size_t length = strlen(marks[i].bytes);

                if ((size_t)(reader->end - reader->at) < length ||
                    memcmp(reader->at, marks[i].bytes, length) != 0)
                        continue;
                reader_mistake(reader, 1,
                               "the file begins with a byte order mark of %s; save it as plain "
                               "text, or UTF-8 without the mark.",
                               marks[i].name);
                return false;
        }
        return true;
}

unsigned nova_system_read(struct nova_system *system, const char *text, size_t bytes,
                          nova_system_report *report, void *context)
{
        struct reader reader = {
                .system = system,
                .report = report,
                .context = context,
                .at = text,
                .end = text + bytes,
        };

        memset(system, 0, sizeof(*system));
        section_known_devices(system);
        if (!check_begin(&reader))
                return reader.mistakes;
        while (reader_next_line(&reader))
                read_line(&reader);
        if (reader.no_text)
                return reader.mistakes;
        section_end(&reader);
        if (!system->programs && !reader.mistakes)
                reader_mistake(&reader, 0,
                               "the description names no program; write a line 'program NAME'.");
        check_programs(&reader);
        return reader.mistakes;
}
