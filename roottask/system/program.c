/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines about a program: one function per property. */
#include "system/reader.h"

#include <string.h>

#define PAGE_MASK         4095
#define MEMORY_MIN        (16 << 10)
#define MEMORY_MAX        (UINT64_C(1) << 40)
#define IMAGE_MIN         (4 << 10)
#define IMAGE_MAX         (256 << 20)
#define KERNEL_MEMORY_MIN (64 << 10)
#define KERNEL_MEMORY_MAX (UINT64_C(1) << 30)
#define SELECTORS_MIN     64
#define SELECTORS_MAX     (1 << 20)
#define PRIORITY_MAX      255
#define RESTART_LIMIT_MAX 1000000
#define ANY               LINE_WORDS_MAX

typedef void set_property(struct reader *reader, struct nova_system_program *program);

static void set_file(struct reader *reader, struct nova_system_program *program)
{
        program->file = reader->word[1];
        if (!*program->file || strchr(program->file, ' '))
                reader_mistake(reader, reader->line,
                               "the file name '%s' is empty or contains a space, which boot "
                               "loaders cannot pass; rename the file.",
                               program->file);
}

/* Stores all values of the line as a list. */
static void set_words(struct reader *reader, struct nova_system_list *list)
{
        struct nova_system *system = reader->system;
        const unsigned count = reader->words - 1;

        if (count > NOVA_SYSTEM_WORDS_MAX - system->words) {
                reader_mistake(reader, reader->line,
                               "all lists of the description together can have at most %u words.",
                               NOVA_SYSTEM_WORDS_MAX);
                return;
        }
        *list = (struct nova_system_list){(uint16_t)system->words, (uint16_t)count};
        memcpy(&system->word[system->words], &reader->word[1], count * sizeof(*reader->word));
        system->words += count;
}

/* Stores all values of the line as a list of names. Each name may appear once. */
static void set_names(struct reader *reader, struct nova_system_list *list)
{
        for (unsigned i = 1; i < reader->words; i++) {
                value_name(reader, reader->word[0], reader->word[i]);
                for (unsigned k = 1; k < i; k++)
                        if (text_equal(reader->word[i], reader->word[k]))
                                reader_mistake(reader, reader->line,
                                               "'%s' appears twice after '%s'; remove one.",
                                               reader->word[i], reader->word[0]);
        }
        set_words(reader, list);
}

static void set_arguments(struct reader *reader, struct nova_system_program *program)
{
        set_words(reader, &program->arguments);
}

static void set_environment(struct reader *reader, struct nova_system_program *program)
{
        for (unsigned i = 1; i < reader->words; i++) {
                const char *equals = strchr(reader->word[i], '=');

                if (!equals || equals == reader->word[i])
                        reader_mistake(reader, reader->line,
                                       "'%s' after 'environment' is not NAME=VALUE.",
                                       reader->word[i]);
        }
        set_words(reader, &program->environment);
}

/* Reads a size in whole pages between two bounds. */
static void set_size(struct reader *reader, uint64_t *bytes, uint64_t min, uint64_t max)
{
        const char *what = reader->word[0];
        uint64_t value;

        if (!value_size(reader, what, reader->word[1], &value))
                return;
        if (value & PAGE_MASK)
                reader_mistake(reader, reader->line,
                               "%s %s is not a multiple of the page size; write a multiple of 4K.",
                               what, reader->word[1]);
        else if (value < min)
                reader_mistake(reader, reader->line,
                               "%s %s is too little to start a program; write at least %uK.", what,
                               reader->word[1], (unsigned)(min >> 10));
        else if (value > max)
                reader_mistake(reader, reader->line,
                               "%s %s is more than a program can have; write at most %uM.", what,
                               reader->word[1], (unsigned)(max >> 20));
        else
                *bytes = value;
}

static void set_memory(struct reader *reader, struct nova_system_program *program)
{
        set_size(reader, &program->memory, MEMORY_MIN, MEMORY_MAX);
}

static void set_image(struct reader *reader, struct nova_system_program *program)
{
        set_size(reader, &program->image, IMAGE_MIN, IMAGE_MAX);
}

static void set_kernel_memory(struct reader *reader, struct nova_system_program *program)
{
        set_size(reader, &program->kernel_memory, KERNEL_MEMORY_MIN, KERNEL_MEMORY_MAX);
}

/* Reads a number between two bounds. Returns 0 after a mistake. */
static uint64_t bounded(struct reader *reader, const char *what, const char *word, unsigned min,
                        unsigned max)
{
        uint64_t value;

        if (!value_number(reader, what, word, min, max, &value))
                return 0;
        if (value >= min && value <= max)
                return value;
        reader_mistake(reader, reader->line, "%s %s is out of range; write a number from %u to %u.",
                       what, word, min, max);
        return 0;
}

static void set_selectors(struct reader *reader, struct nova_system_program *program)
{
        program->selectors = (uint32_t)bounded(reader, reader->word[0], reader->word[1],
                                               SELECTORS_MIN, SELECTORS_MAX);
}

static void set_priority(struct reader *reader, struct nova_system_program *program)
{
        program->priority =
                (uint8_t)bounded(reader, reader->word[0], reader->word[1], 1, PRIORITY_MAX);
}

/* Adds the CPUs of a range. Each may appear once. */
static void add_cpus(struct reader *reader, struct nova_system_program *program,
                     const struct nova_system_range *range)
{
        for (uint64_t cpu = range->first; cpu <= range->last; cpu++) {
                const uint64_t bit = UINT64_C(1) << cpu;

                if (program->cpus & bit) {
                        reader_mistake(reader, reader->line,
                                       "CPU %u appears twice after 'cpus'; remove one.",
                                       (unsigned)cpu);
                        return;
                }
                program->cpus |= bit;
        }
}

static void set_cpus(struct reader *reader, struct nova_system_program *program)
{
        program->cpus = 0;
        if (reader->words == 2 && text_equal(reader->word[1], "all")) {
                program->cpus = ~UINT64_C(0);
                return;
        }
        for (unsigned i = 1; i < reader->words; i++) {
                struct nova_system_range range;

                if (!value_range(reader, "cpus", reader->word[i], &range))
                        continue;
                if (range.last >= NOVA_SYSTEM_CPUS_MAX) {
                        reader_mistake(reader, reader->line,
                                       "cpus %s: the largest CPU number is %u.", reader->word[i],
                                       NOVA_SYSTEM_CPUS_MAX - 1);
                        continue;
                }
                add_cpus(reader, program, &range);
        }
}

static void set_provides(struct reader *reader, struct nova_system_program *program)
{
        set_names(reader, &program->provides);
}

static void set_uses(struct reader *reader, struct nova_system_program *program)
{
        set_names(reader, &program->uses);
}

static void set_devices(struct reader *reader, struct nova_system_program *program)
{
        set_names(reader, &program->devices);
}

static void set_modules(struct reader *reader, struct nova_system_program *program)
{
        set_names(reader, &program->modules);
}

static void set_restart(struct reader *reader, struct nova_system_program *program)
{
        static const char *const when[] = {"never", "on-failure", "always"};
        unsigned i = 0;

        while (i < 3 && !text_equal(reader->word[1], when[i]))
                i++;
        if (i == 3) {
                reader_mistake(reader, reader->line,
                               "'restart %s' is unknown; write never, on-failure or always.",
                               reader->word[1]);
                return;
        }
        program->restart = (enum nova_system_restart)i;
        if (reader->words == 2)
                return;
        if (reader->words != 4 || !text_equal(reader->word[2], "limit"))
                reader_mistake(reader, reader->line, "only 'limit NUMBER' can follow 'restart %s'.",
                               reader->word[1]);
        else if (program->restart == NOVA_SYSTEM_NEVER)
                reader_mistake(reader, reader->line,
                               "'restart never' has no limit; write 'restart on-failure limit %s', "
                               "or leave the limit out.",
                               reader->word[3]);
        else
                program->restart_limit =
                        (unsigned)bounded(reader, "limit", reader->word[3], 1, RESTART_LIMIT_MAX);
}

static void set_grants(struct reader *reader, struct nova_system_program *program)
{
        static const char *const grant[] = {"children", "dma", "power", "status"};

        for (unsigned i = 1; i < reader->words; i++) {
                const unsigned count = sizeof(grant) / sizeof(*grant);
                unsigned bit = 0;

                while (bit < count && !text_equal(reader->word[i], grant[bit]))
                        bit++;
                if (bit == count)
                        reader_mistake(
                                reader, reader->line,
                                "'grants %s' is unknown; write children, dma, power or status.",
                                reader->word[i]);
                else
                        program->grants |= 1u << bit;
        }
}

/* The function that reads each property, and the number of its values. */
static const struct {
        set_property *set;
        unsigned values_max;
} properties[NOVA_SYSTEM_PROPERTIES] = {
        [NOVA_SYSTEM_FILE] = {set_file, 1},
        [NOVA_SYSTEM_ARGUMENTS] = {set_arguments, ANY},
        [NOVA_SYSTEM_ENVIRONMENT] = {set_environment, ANY},
        [NOVA_SYSTEM_MEMORY] = {set_memory, 1},
        [NOVA_SYSTEM_IMAGE] = {set_image, 1},
        [NOVA_SYSTEM_KERNEL_MEMORY] = {set_kernel_memory, 1},
        [NOVA_SYSTEM_SELECTORS] = {set_selectors, 1},
        [NOVA_SYSTEM_CPUS] = {set_cpus, ANY},
        [NOVA_SYSTEM_PRIORITY] = {set_priority, 1},
        [NOVA_SYSTEM_PROVIDES] = {set_provides, ANY},
        [NOVA_SYSTEM_USES] = {set_uses, ANY},
        [NOVA_SYSTEM_DEVICES] = {set_devices, ANY},
        [NOVA_SYSTEM_MODULES] = {set_modules, ANY},
        [NOVA_SYSTEM_RESTART] = {set_restart, 3},
        [NOVA_SYSTEM_GRANTS] = {set_grants, ANY},
};

static const char *const keywords[NOVA_SYSTEM_PROPERTIES] = {
#define KEYWORD(name, keyword, example) keyword,
        NOVA_SYSTEM_PROPERTY_ROWS(KEYWORD)
#undef KEYWORD
};

static const char all_keywords[] =
#define LISTED(name, keyword, example) keyword ", "
        NOVA_SYSTEM_PROPERTY_ROWS(LISTED);
#undef LISTED

static const char *const examples[NOVA_SYSTEM_PROPERTIES] = {
#define EXAMPLE(name, keyword, example) example,
        NOVA_SYSTEM_PROPERTY_ROWS(EXAMPLE)
#undef EXAMPLE
};

const char *nova_system_keyword(enum nova_system_property property)
{
        return keywords[property];
}

static void unknown_property(struct reader *reader)
{
        const char *word = reader->word[0];
        const char *meant = value_closest(word, keywords, NOVA_SYSTEM_PROPERTIES);

        if (section_misspelt(reader, meant))
                return;
        if (meant)
                reader_mistake(reader, reader->line,
                               "a program has no property '%s'; did you mean '%s'?", word, meant);
        else
                reader_mistake(reader, reader->line,
                               "a program has no property '%s'; its properties are %sand no other.",
                               word, all_keywords);
}

void section_program_line(struct reader *reader)
{
        struct nova_system_program *program = reader->program;
        unsigned i = 0;

        while (i < NOVA_SYSTEM_PROPERTIES && !text_equal(reader->word[0], keywords[i]))
                i++;
        if (i == NOVA_SYSTEM_PROPERTIES) {
                unknown_property(reader);
                return;
        }
        if (program->line_of[i]) {
                reader_mistake(reader, reader->line,
                               "'%s' already appears in line %u; put all its values on one line.",
                               keywords[i], program->line_of[i]);
                return;
        }
        program->line_of[i] = reader->line;
        if (reader->words == 1)
                reader_mistake(reader, reader->line, "'%s' has no value; write, for example, '%s'.",
                               keywords[i], examples[i]);
        else if (reader->words - 1 > properties[i].values_max)
                reader_mistake(reader, reader->line,
                               "'%s' has too many values; write, for example, '%s'.", keywords[i],
                               examples[i]);
        else
                properties[i].set(reader, program);
}
