/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and dates. Names are UTF-8 outside of this driver, UTF-16 in long names, and one byte per
 * character in short names. */
#include <errno.h>
#include <string.h>

#include "fat.h"

/* The meaning of a character above 127 in a short name depends on an unknown code page. Outside of
 * this driver it becomes a private Unicode character, so that the name can be found again. */
#define PRIVATE 0xf000u

/* Reads a character. @return its length in bytes; 0: not UTF-8 */
static unsigned read_character(const unsigned char *from, uint32_t *character)
{
        const unsigned length = from[0] < 0x80                       ? 1
                                : from[0] >= 0xc2 && from[0] < 0xe0  ? 2
                                : from[0] >= 0xe0 && from[0] < 0xf0  ? 3
                                : from[0] >= 0xf0 && from[0] <= 0xf4 ? 4
                                                                     : 0;
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

        if (!length)
                return 0;
        *character = length == 1 ? from[0] : from[0] & (0x7fu >> length);
        for (unsigned i = 1; i < length; i++) {
                if ((from[i] & 0xc0) != 0x80)
                        return 0;
                *character = *character << 6 | (from[i] & 0x3f);
        }
        if (*character < least[length] || *character > 0x10ffff ||
            (*character >= 0xd800 && *character < 0xe000))
                return 0;
        return length;
}

/* Appends a character as UTF-8, if it fits with a 0 after it. */
static bool append_character(char *name, unsigned *length, uint32_t character)
{
        const unsigned bytes = character < 0x80      ? 1
                               : character < 0x800   ? 2
                               : character < 0x10000 ? 3
                                                     : 4;

        if (*length + bytes >= FILES_NAME_SIZE)
                return false;
        for (unsigned i = bytes; i-- > 1; character >>= 6)
                name[*length + i] = (char)(0x80 | (character & 0x3f));
        name[*length] = (char)(bytes == 1 ? character : (0xf00u >> bytes & 0xff) | character);
        *length += bytes;
        return true;
}

int fat_name_parse(const char *name, uint16_t wide[FAT_LONG_MAX + 1], unsigned *length)
{
        const unsigned char *at = (const unsigned char *)name;
        const size_t bytes = strlen(name);

        *length = 0;
        if (!bytes || name[bytes - 1] == '.' || name[bytes - 1] == ' ')
                return EINVAL;
        while (*at) {
                uint32_t character;
                const unsigned used = read_character(at, &character);

                if (!used || character < ' ' || character == 0x7f ||
                    (character < 0x80 && strchr("\"*/:<>?\\|", (int)character)))
                        return EINVAL;
                at += used;
                if (*length + (character >= 0x10000) >= FAT_LONG_MAX)
                        return ENAMETOOLONG;
                if (character >= 0x10000) {
                        wide[(*length)++] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
                        character = 0xdc00 + ((character - 0x10000) & 0x3ff);
                }
                wide[(*length)++] = (uint16_t)character;
        }
        wide[*length] = 0;
        return 0;
}

bool fat_name_format(const uint16_t *wide, unsigned length, char name[FILES_NAME_SIZE])
{
        unsigned bytes = 0;

        for (unsigned i = 0; i < length; i++) {
                uint32_t character = wide[i];

                if (character >= 0xd800 && character < 0xdc00 && i + 1 < length &&
                    wide[i + 1] >= 0xdc00 && wide[i + 1] < 0xe000)
                        character = 0x10000 + ((character - 0xd800) << 10) + (wide[++i] - 0xdc00u);
                else if (character < ' ' || character == '/' ||
                         (character >= 0xd800 && character < 0xe000))
                        return false;
                if (!append_character(name, &bytes, character))
                        return false;
        }
        name[bytes] = 0;
        return bytes && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Appends a part of a short name. If the entry has the flag @p lower, the part is in lower case. */
static void append_short(const uint8_t *entry, unsigned first, unsigned count, unsigned lower,
                         char *name, unsigned *length)
{
        while (count && entry[first + count - 1] == ' ')
                count--;
        for (unsigned i = first; i < first + count; i++) {
                uint32_t character = i == 0 && entry[i] == 0x05 ? 0xe5 : entry[i];

                if (entry[12] & lower && character >= 'A' && character <= 'Z')
                        character += 'a' - 'A';
                if (character >= 0x80 || character < ' ' || character == '/')
                        character += PRIVATE;
                append_character(name, length, character);
        }
}

void fat_name_of_short(const uint8_t *entry, char name[FILES_NAME_SIZE])
{
        unsigned length = 0;

        append_short(entry, 0, 8, 0x08, name, &length);
        if (entry[8] != ' ' || entry[9] != ' ' || entry[10] != ' ') {
                append_character(name, &length, '.');
                append_short(entry, 8, 3, 0x10, name, &length);
        }
        name[length] = 0;
}

static int lower(int character)
{
        return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
}

bool fat_name_equal(const char *one, const char *other)
{
        while (*one && lower(*one) == lower(*other)) {
                one++;
                other++;
        }
        return *one == *other;
}

static bool short_character(unsigned character)
{
        return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
               (character && character < 0x80 && strchr("!#$%&'()-@^_`{}~", (int)character));
}

bool fat_name_is_short(const char *name, uint8_t short_name[11])
{
        const char *dot = strchr(name, '.');
        const size_t base = dot ? (size_t)(dot - name) : strlen(name);
        const size_t extension = dot ? strlen(dot + 1) : 0;

        memset(short_name, ' ', 11);
        if (!base || base > 8 || extension > 3 || (dot && !extension))
                return false;
        for (unsigned i = 0; i < base + extension; i++) {
                const uint8_t character = (uint8_t)(i < base ? name[i] : dot[1 + i - base]);

                if (!short_character(character))
                        return false;
                short_name[i < base ? i : 8 + i - base] = character;
        }
        return true;
}

/* Converts characters for a short name: makes letters upper case, leaves out blanks and dots, and
 * replaces every other character that a short name cannot have. */
static unsigned shorten(const uint16_t *from, unsigned length, uint8_t *to, unsigned room)
{
        unsigned count = 0;

        for (unsigned i = 0; i < length && count < room; i++) {
                unsigned character = from[i];

                if (character >= 'a' && character <= 'z')
                        character -= 'a' - 'A';
                if (character == ' ' || character == '.')
                        continue;
                to[count++] = short_character(character) ? (uint8_t)character : '_';
        }
        return count;
}

void fat_name_shorten(const uint16_t *wide, unsigned length, unsigned attempt,
                      uint8_t short_name[11])
{
        static const char digits[] = "0123456789ABCDEF";
        unsigned dot = length, base, hash = attempt / 9 * 0x9e37u;

        for (unsigned i = 0; i < length; i++) {
                hash = hash * 31 + wide[i];
                if (wide[i] == '.' && i)
                        dot = i;
        }
        memset(short_name, ' ', 11);
        base = shorten(wide, dot, short_name, attempt < 4 ? 6 : 2);
        if (attempt >= 4)
                for (unsigned i = 0; i < 4; i++)
                        short_name[base++] = (uint8_t)digits[hash >> 4 * i & 15];
        short_name[base++] = '~';
        short_name[base] = (uint8_t)('1' + attempt % 9);
        if (dot < length)
                shorten(wide + dot + 1, length - dot - 1, short_name + 8, 3);
}

uint8_t fat_name_sum(const uint8_t short_name[11])
{
        unsigned sum = 0;

        for (unsigned i = 0; i < 11; i++)
                sum = (((sum & 1) << 7) + (sum >> 1) + short_name[i]) & 0xff;
        return (uint8_t)sum;
}

/* Returns the number of days from 1970-01-01 to the first day of a month in 1980 or later. */
static int64_t days_to(unsigned year, unsigned month)
{
        static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
        const unsigned leaps = (year - 1968 - (month <= 2 && year % 4 == 0)) / 4;

        /* 2100 has no February 29. */
        return (int64_t)(year - 1970) * 365 + leaps + before[month - 1] -
               (year > 2100 || (year == 2100 && month > 2));
}

int64_t fat_time_of(uint32_t date, uint32_t time)
{
        const unsigned month = date >> 5 & 15, day = date & 31;
        const unsigned seconds = (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;

        if (month < 1 || month > 12 || day < 1)
                return 0;
        return (days_to(1980 + (date >> 9), month) + day - 1) * 86400 + seconds;
}

int64_t fat_time_limit(int64_t seconds)
{
        return seconds < FAT_TIME_FIRST  ? FAT_TIME_FIRST
               : seconds > FAT_TIME_LAST ? FAT_TIME_LAST
                                         : seconds;
}

void fat_time_to(int64_t seconds, uint32_t *date, uint32_t *time)
{
        const int64_t limited = fat_time_limit(seconds), day = limited / 86400;
        const unsigned rest = (unsigned)(limited % 86400);
        unsigned year = 1980, month = 12;

        while (year < 2107 && days_to(year + 1, 1) <= day)
                year++;
        while (month > 1 && days_to(year, month) > day)
                month--;
        *date = (year - 1980) << 9 | month << 5 | (uint32_t)(day - days_to(year, month) + 1);
        *time = rest / 3600 << 11 | rest / 60 % 60 << 5 | rest % 60 / 2;
}
