/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares mounts of the service `files` in a description. One program has two arguments, which
 * begin as main() says and continue with any characters. Another program has a disk and a grant of
 * the service partitions. Names and services have any characters. */
#include "system/mounts.c"

#include "../driver.h"

#define NAME_BYTES 10                          /* more characters than a service compares */
#define LAST       (NOVA_SYSTEM_WORDS_MAX - 2) /* index of the last two words of the table */

static struct nova_system description;

/* Counts the characters before the first character of `ends`, or before the end of the text. */
size_t strcspn(const char *text, const char *ends)
{
        size_t at = 0;

        /*@ loop unroll 16; */
        while (text[at] && text[at] != ends[0])
                at++;
        return at;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
        /*@ assert first: \valid_read((const char *)a + (0 .. bytes - 1)); */
        /*@ assert second: \valid_read((const char *)b + (0 .. bytes - 1)); */
        (void)a, (void)b, (void)bytes;
        return Frama_C_interval(-1, 1);
}

bool text_equal(const char *a, const char *b)
{
        (void)a;
        (void)b;
        return any_bool();
}

void reader_mistake(struct reader *of, unsigned line, const char *format, ...)
{
        (void)of;
        (void)line;
        (void)format;
}

/* Checks two mounts of a program, and the disk and the grant of another one. All names and services
 * are one word of any characters. */
static void check(const char *mount, const char *other, const char *disk, const char *grant)
{
        static char name[NAME_BYTES];
        struct reader reader = {.system = &description};

        Frama_C_make_unknown(name, sizeof(name) - 1);
        description.programs = 2;
        description.program[0] = (struct nova_system_program){
                .name = name, .file = name, .arguments = {0, 2}, .provides = {2, 1}};
        description.program[1] = (struct nova_system_program){
                .name = name, .file = name, .arguments = {LAST, 2}, .provides = {2, 1}};
        description.word[0] = mount;
        description.word[1] = other;
        description.word[LAST] = disk;
        description.word[LAST + 1] = grant;
        description.word[2] = name;
        mounts_check(&reader);
}

/* Fills a text with `with`, any further characters and a final 0. Returns the text. */
static char *begin(char *text, size_t bytes, const char *with)
{
        Frama_C_make_unknown(text, bytes - 1);
        text[bytes - 1] = 0;
        /*@ loop unroll 8; */
        for (size_t i = 0; with[i]; i++)
                text[i] = with[i];
        return text;
}

int main(void)
{
        static char any[4], mount[13], other[16], disk[3], grant[8];

        check(begin(any, 4, ""), begin(mount, 13, "mount /"), begin(disk, 3, ""),
              begin(grant, 8, "a="));
        check(begin(mount, 13, "mount /"), begin(other, 16, "mount /"), begin(disk, 3, ""),
              begin(grant, 8, ""));
        return 0;
}
