/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a system description for drivers. One word, any_word_text, stands for all words that
 * the description can contain: it may be equal to any other word. Two constant words are compared
 * exactly. */
#ifndef PROOFS_WORDS_H
#define PROOFS_WORDS_H

#include "system/reader.h"

#include "driver.h"

#define WORD_BYTES 4

static char any_word_text[WORD_BYTES];

/* Returns the word that stands for all words. Its characters are unknown. */
static const char *word_of_any(void)
{
        Frama_C_make_unknown(any_word_text, WORD_BYTES - 1);
        return any_word_text;
}

bool text_equal(const char *a, const char *b)
{
        if (a == any_word_text || b == any_word_text)
                return any_bool();
        /*@ loop unroll 32; */
        while (*a && *a == *b) {
                a++;
                b++;
        }
        return *a == *b;
}

void reader_mistake(struct reader *of, unsigned line, const char *format, ...)
{
        (void)of;
        (void)line;
        (void)format;
}

/* Returns any of the words, or NULL. */
const char *value_closest(const char *word, const char *const *keyword, unsigned count)
{
        (void)word;
        return any_bool() ? keyword[Frama_C_unsigned_int_interval(0, count - 1)] : NULL;
}

/* Returns any of the two words. */
const char *value_closer(const char *word, const char *closest, const char *candidate)
{
        (void)word;
        return any_bool() ? closest : candidate;
}

#endif
