/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines about a program, which begin with each property or with a word that is not a
 * property. read_lines() sets the numbers of words in a line and in the lists of earlier lines. The
 * readers of values are stubs. */
#include "../values.h"

static struct nova_system system;
static struct reader reader;

bool section_misspelt(struct reader *of, const char *closest)
{
        (void)of;
        (void)closest;
        return any_bool();
}

static void check_list(struct nova_system_list list)
{
        /*@ assert list: list.first + list.count <= NOVA_SYSTEM_WORDS_MAX; */
        (void)list;
}

static void read(const char *keyword, unsigned words, unsigned earlier)
{
        struct nova_system_program *const program = &system.program[NOVA_SYSTEM_PROGRAMS_MAX - 1];

        *program = (struct nova_system_program){0};
        reader.system = &system;
        reader.program = program;
        reader.word[0] = keyword;
        reader.words = words;
        system.words = earlier;
        section_program_line(&reader);
        section_program_line(&reader); /* a second line with this property */
        /*@ assert words: system.words <= NOVA_SYSTEM_WORDS_MAX; */
        check_list(program->arguments);
        check_list(program->environment);
        check_list(program->provides);
        check_list(program->uses);
        check_list(program->devices);
        check_list(program->modules);
}

static void read_lines(const char *keyword)
{
        read(keyword, 1, 0);
        read(keyword, 2, 0);
        read(keyword, 3, NOVA_SYSTEM_WORDS_MAX - 2);
        read(keyword, 4, NOVA_SYSTEM_WORDS_MAX - 2);
}

int main(void)
{
        /*@ loop unroll LINE_WORDS_MAX; */
        for (unsigned i = 0; i < LINE_WORDS_MAX; i++)
                reader.word[i] = word_of_any();
        /*@ loop unroll NOVA_SYSTEM_PROPERTIES; */
        for (unsigned i = 0; i < NOVA_SYSTEM_PROPERTIES; i++)
                read_lines(nova_system_keyword(i));
        read_lines("none");
        read("arguments", LINE_WORDS_MAX, NOVA_SYSTEM_WORDS_MAX - LINE_WORDS_MAX + 1);
        read("arguments", LINE_WORDS_MAX, NOVA_SYSTEM_WORDS_MAX - LINE_WORDS_MAX + 2);
        return 0;
}
