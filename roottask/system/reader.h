/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the parser: a description being read line by line, and values of words. */
#ifndef NOVA_SYSTEM_READER_H
#define NOVA_SYSTEM_READER_H

#include "system/description.h"

#define LINE_WORDS_MAX 64

/* A description that is being read. At most one of program and device is set. */
struct reader {
        struct nova_system *system;
        nova_system_report *report;
        void *context;
        unsigned mistakes;
        unsigned earlier; /* mistakes before the section that is being read */

        const char *at, *end; /* what is still to be read */
        unsigned line;
        const char *word[LINE_WORDS_MAX]; /* of this line, in the system's text */
        unsigned words;

        struct nova_system_program *program;
        struct nova_system_device *device;
        bool machine; /* in the section about the machine */
        bool skipped; /* in a section whose first line is wrong */
        bool no_text; /* what is read is not a description: the rest would only repeat that */
};

/** Counts and reports a mistake in a line. */
__attribute__((format(printf, 3, 4))) void reader_mistake(struct reader *reader, unsigned line,
                                                          const char *format, ...);

/** Goes on to the next line that has words and no mistake in them. False at the end. */
bool reader_next_line(struct reader *reader);

/** One line of a program, of a device, of the machine; reader->word[0] is its keyword. */
void section_program_line(struct reader *reader);
void section_device_line(struct reader *reader);
void section_machine_line(struct reader *reader);

/** Whether a word begins a section. */
bool section_is(const char *word);

/** Tells a word that was probably meant to begin a section, and passes over what follows; false if
 * it resembles `closest` (may be NULL) more, or nothing. */
bool section_misspelt(struct reader *reader, const char *closest);

/** Begins a section; reader->word[0] is `program`, `device` or `machine`. */
void section_begin(struct reader *reader);

/** Checks the section that has been read, for what it must have. */
void section_end(struct reader *reader);

/** Makes the devices that are known without declaration. */
void section_known_devices(struct nova_system *system);

/** Checks all programs together. */
void check_programs(struct reader *reader);

/* Values. Each reports the mistake itself and returns false. `what` is the keyword. */
bool value_name(struct reader *reader, const char *what, const char *word);
/* The bounds are for what is not a number at all. */
bool value_number(struct reader *reader, const char *what, const char *word, unsigned min,
                  unsigned max, uint64_t *value);
bool value_size(struct reader *reader, const char *what, const char *word, uint64_t *bytes);
bool value_range(struct reader *reader, const char *what, const char *word,
                 struct nova_system_range *range);

/** The keyword of several that a wrong word most resembles, or NULL. */
const char *value_closest(const char *word, const char *const *keyword, unsigned count);

/** One step of that: the candidate, or what was the closest up to now (NULL: nothing). */
const char *value_closer(const char *word, const char *closest, const char *candidate);

bool text_equal(const char *a, const char *b);

#endif
