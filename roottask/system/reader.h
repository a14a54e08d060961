/* SPDX-License-Identifier: BSD-2-Clause */
/* Internals of the parser: a description that is being read line by line, and values of words. */
#ifndef NOVA_SYSTEM_READER_H
#define NOVA_SYSTEM_READER_H

#include "system/description.h"

#define LINE_WORDS_MAX 64

/* Boot modules of a system with a sealed image, which SEALED of nova_add_system() adds. */
#define SEALED_IMAGE "sealed.img"
#define MACHINE_KEY  "machine.key" /* the machine's secret, for the ultravisor only */

/* A description that is being read. At most one of program and device is set. */
struct reader {
        struct nova_system *system;
        nova_system_report *report;
        void *context;
        unsigned mistakes;
        unsigned earlier; /* number of mistakes before the present section */

        const char *at, *end; /* the unread part */
        unsigned line;
        const char *word[LINE_WORDS_MAX]; /* words of the present line, in the system's text */
        unsigned words;

        struct nova_system_program *program;
        struct nova_system_device *device;
        bool machine; /* the present section is about the machine */
        bool skipped; /* the first line of the present section is wrong */
        bool no_text; /* the file is not text: no further messages */
};

/** Counts and reports a mistake in a line. */
__attribute__((format(printf, 3, 4))) void reader_mistake(struct reader *reader, unsigned line,
                                                          const char *format, ...);

/** Advances to the next line that has words and no mistake in them. Returns false at the end. */
bool reader_next_line(struct reader *reader);

/** Read a line of the section of a program, of a device or of the machine; reader->word[0] is the
 * keyword of the line. */
void section_program_line(struct reader *reader);
void section_device_line(struct reader *reader);
void section_machine_line(struct reader *reader);

/** Reads a line of a PCI device. Returns false, without a message, if the line has another keyword.
 */
bool pci_device_line(struct reader *reader);

#define ULTRAVISOR "ultravisor" /* service of secure virtual machines */

/** The keywords of the lines of a PCI device. */
#define PCI_KEYWORDS      "class", "id", "at", "dma-unprotected"
#define PCI_KEYWORD_COUNT 4

/** Checks the PCI devices against the programs that have them. */
void pci_check(struct reader *reader);

/** Checks that the mounts of the service `files` do not share blocks. */
void mounts_check(struct reader *reader);

/** Returns true if a word begins a section. */
bool section_is(const char *word);

/** Reports a word that was probably meant to begin a section, and skips the section. Returns false
 * if `closest` (may be NULL) is a better match, or if no keyword resembles the word. */
bool section_misspelt(struct reader *reader, const char *closest);

/** Begins a section; reader->word[0] is `program`, `device` or `machine`. */
void section_begin(struct reader *reader);

/** Checks the present section for its required lines. */
void section_end(struct reader *reader);

/** Creates the devices that need no declaration. */
void section_known_devices(struct nova_system *system);

/** Checks all programs together. */
void check_programs(struct reader *reader);

/* Functions that read values. Each reports a mistake itself and then returns false. `what` is the
 * keyword. */
bool value_keyword(struct reader *reader, const char *word);
bool value_name(struct reader *reader, const char *what, const char *word);
/* Reads a number. Does not check the bounds, which only appear in the message about a wrong word.
 */
bool value_number(struct reader *reader, const char *what, const char *word, unsigned min,
                  unsigned max, uint64_t *value);
bool value_size(struct reader *reader, const char *what, const char *word, uint64_t *bytes);
bool value_range(struct reader *reader, const char *what, const char *word,
                 struct nova_system_range *range);

/** Returns the keyword that is closest to a wrong word, or NULL. */
const char *value_closest(const char *word, const char *const *keyword, unsigned count);

/** Compares a candidate with the closest word so far (NULL: none). Returns the one that is closer
 * to `word`. */
const char *value_closer(const char *word, const char *closest, const char *candidate);

bool text_equal(const char *a, const char *b);

#endif
