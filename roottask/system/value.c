/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of words: names, numbers, sizes, ranges, and suggestions for a wrong keyword. */
#include "system/reader.h"

#include <string.h>

#define WORD_MAX     40
#define FAR          3    /* minimum edit distance of unrelated words */
#define SMALLEST_MAX 4095 /* largest size in bytes that probably lacks its unit */

bool value_keyword(struct reader *reader, const char *word)
{
        if (!strchr(word, '='))
                return true;
        reader_mistake(reader, reader->line,
                       "'%s' has an equals sign; write a blank between a property and its value.",
                       word);
        return false;
}

bool value_name(struct reader *reader, const char *what, const char *word)
{
        const size_t length = strlen(word);

        if (!length || length > NOVA_SYSTEM_NAME_MAX) {
                reader_mistake(reader, reader->line,
                               "the name after '%s' has %zu characters; a name has 1 to %u.", what,
                               length, NOVA_SYSTEM_NAME_MAX);
                return false;
        }
        for (size_t i = 0; i < length; i++) {
                const char c = word[i];

                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.')
                        continue;
                reader_mistake(reader, reader->line,
                               "the name '%s' after '%s' has a character other than letters, "
                               "digits, '-', '_' and '.'.",
                               word, what);
                return false;
        }
        return true;
}

static int digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Reads a number at the beginning of a text. Returns the text after it, or NULL if there is no
 * number or it is too large. */
static const char *parse_number(const char *text, uint64_t *value)
{
        const int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;

        if (base == 16)
                text += 2;
        if (digit(*text) >= base)
                return NULL;
        for (*value = 0; digit(*text) < base; text++) {
                const unsigned more = (unsigned)digit(*text);

                if (*value > (UINT64_MAX - more) / (unsigned)base)
                        return NULL;
                *value = *value * (unsigned)base + more;
        }
        return text;
}

bool value_number(struct reader *reader, const char *what, const char *word, unsigned min,
                  unsigned max, uint64_t *value)
{
        const char *rest = parse_number(word, value);

        if (rest && !*rest)
                return true;
        reader_mistake(reader, reader->line,
                       "'%s' after '%s' is not a number; write one from %u to %u.", word, what, min,
                       max);
        return false;
}

bool value_size(struct reader *reader, const char *what, const char *word, uint64_t *bytes)
{
        const char *rest = parse_number(word, bytes);
        unsigned shift = 0;

        if (rest && *rest) {
                static const char units[] = "KMG";
                const char *const unit = strchr(units, *rest);

                shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
                rest = unit && !rest[1] ? rest + 1 : NULL;
        }
        if (!rest || *bytes > UINT64_MAX >> shift) {
                reader_mistake(
                        reader, reader->line,
                        "'%s' after '%s' is not a size; write a number of bytes, or one with "
                        "K, M or G such as 256K.",
                        word, what);
                return false;
        }
        *bytes <<= shift;
        if (shift || !*bytes || *bytes > SMALLEST_MAX)
                return true;
        reader_mistake(reader, reader->line, "%s %s means %u bytes; write %sK or %sM.", what, word,
                       (unsigned)*bytes, word, word);
        return false;
}

bool value_range(struct reader *reader, const char *what, const char *word,
                 struct nova_system_range *range)
{
        const char *rest = parse_number(word, &range->first);

        if (rest && !*rest) {
                range->last = range->first;
                return true;
        }
        if (rest && *rest == '-')
                rest = parse_number(rest + 1, &range->last);
        else
                rest = NULL;
        if (!rest || *rest) {
                reader_mistake(reader, reader->line,
                               "'%s' after '%s' is neither a number nor a range such as 4-7; "
                               "separate them by blanks, as in '0 1' or '0 4-7'.",
                               word, what);
                return false;
        }
        if (range->last < range->first) {
                reader_mistake(reader, reader->line,
                               "the range %s after '%s' ends before it begins; write the smaller "
                               "number first.",
                               word, what);
                return false;
        }
        return true;
}

static bool same_letter(char a, char b)
{
        const char small = a | 0x20;

        return a == b || (small == (b | 0x20) && small >= 'a' && small <= 'z');
}

/* Returns the number of letters to change, add or remove to turn a into b; at most FAR. */
static unsigned distance(const char *a, const char *b)
{
        const size_t m = strlen(a), n = strlen(b);
        unsigned row[WORD_MAX + 1];

        if (m > WORD_MAX || n > WORD_MAX)
                return FAR;
        for (size_t k = 0; k <= n; k++)
                row[k] = (unsigned)k;
        for (size_t i = 1; i <= m; i++) {
                unsigned corner = row[0];

                row[0] = (unsigned)i;
                for (size_t k = 1; k <= n; k++) {
                        const unsigned above = row[k];
                        unsigned best = corner + !same_letter(a[i - 1], b[k - 1]);

                        best = above + 1 < best ? above + 1 : best;
                        best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
                        row[k] = best;
                        corner = above;
                }
        }
        return row[n] < FAR ? row[n] : FAR;
}

const char *value_closest(const char *word, const char *const *keyword, unsigned count)
{
        const char *closest = NULL;

        for (unsigned i = 0; i < count; i++)
                closest = value_closer(word, closest, keyword[i]);
        return closest;
}

const char *value_closer(const char *word, const char *closest, const char *candidate)
{
        const size_t length = strlen(word);
        /* In a word of two letters, at least one letter must match. */
        const unsigned far = length < FAR ? (unsigned)length : FAR;
        const unsigned d = distance(word, candidate);

        return d < (closest ? distance(word, closest) : far) ? candidate : closest;
}
