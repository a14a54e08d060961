/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks a description against the machine and the files of a system. */
#include "system/reader.h"

/* A reader that only reports mistakes. */
static struct reader teller(const struct nova_system *system, nova_system_report *report,
                            void *context)
{
        return (struct reader){
                .system = (struct nova_system *)system, .report = report, .context = context};
}

static void check_sum(struct reader *reader, enum nova_system_property what, uint64_t there)
{
        const struct nova_system *system = reader->system;
        uint64_t sum = 0;

        for (unsigned i = 0; i < system->programs; i++) {
                const struct nova_system_program *program = &system->program[i];

                sum += what == NOVA_SYSTEM_MEMORY ? program->memory + program->image_bytes
                                                  : program->kernel_memory;
                if (sum <= there)
                        continue;
                reader_mistake(
                        reader, program->line_of[what] ? program->line_of[what] : program->line,
                        "the programs up to '%s' together need %llu KiB of %s, but the machine has "
                        "%llu KiB for programs; give them less, or %s.",
                        program->name, (unsigned long long)(sum >> 10), nova_system_keyword(what),
                        (unsigned long long)(there >> 10),
                        what == NOVA_SYSTEM_MEMORY ? "the machine more"
                                                   : "boot the kernel with a larger kmem=");
                return;
        }
}

static void check_cpus(struct reader *reader, const struct nova_system_program *program,
                       uint64_t cpus)
{
        uint64_t missing = program->cpus & ~cpus;
        unsigned first = 0;

        if (!missing || program->cpus == ~UINT64_C(0))
                return;
        while (!(missing >> first & 1))
                first++;
        reader_mistake(reader, program->line_of[NOVA_SYSTEM_CPUS],
                       "'%s' requests CPU %u, which the machine does not have; write 'cpus all' to "
                       "use all CPUs of the machine.",
                       program->name, first);
}

static void check_image(struct reader *reader, const struct nova_system_program *program)
{
        if (program->image_bytes > program->image)
                reader_mistake(reader,
                               program->line_of[NOVA_SYSTEM_IMAGE]
                                       ? program->line_of[NOVA_SYSTEM_IMAGE]
                                       : program->line,
                               "the segments of '%s' need %llu KiB, but the limit of '%s' is %llu "
                               "KiB; write 'image %lluK', or make its variables smaller.",
                               program->file, (unsigned long long)(program->image_bytes >> 10),
                               program->name, (unsigned long long)(program->image >> 10),
                               (unsigned long long)(program->image_bytes >> 10));
}

unsigned nova_system_check_machine(const struct nova_system *system,
                                   const struct nova_system_machine *machine,
                                   nova_system_report *report, void *context)
{
        struct reader reader = teller(system, report, context);

        for (unsigned i = 0; i < system->programs; i++) {
                check_cpus(&reader, &system->program[i], machine->cpus);
                check_image(&reader, &system->program[i]);
        }
        check_sum(&reader, NOVA_SYSTEM_MEMORY, machine->memory);
        check_sum(&reader, NOVA_SYSTEM_KERNEL_MEMORY, machine->kernel_memory);
        return reader.mistakes;
}

static bool is_there(const char *name, const char *const *file, unsigned files)
{
        for (unsigned i = 0; i < files; i++)
                if (text_equal(name, file[i]))
                        return true;
        return false;
}

static void missing_file(struct reader *reader, const struct nova_system_program *program,
                         const char *const *file, unsigned files)
{
        const unsigned own = program->line_of[NOVA_SYSTEM_FILE];
        const unsigned line = own ? own : program->line;
        const char *meant = value_closest(program->file, file, files);

        if (meant)
                reader_mistake(reader, line,
                               "the file '%s' of the program '%s' is not among the files of the "
                               "system; did you mean '%s'?",
                               program->file, program->name, meant);
        else
                reader_mistake(reader, line,
                               "the file '%s' of the program '%s' is not among the files of the "
                               "system; add it to its PROGRAMS.",
                               program->file, program->name);
}

/* Returns whether SEALED of nova_add_system() adds the module. */
static bool is_sealed(const char *module)
{
        return text_equal(module, SEALED_IMAGE) || text_equal(module, MACHINE_KEY);
}

static void missing_module(struct reader *reader, unsigned line, const char *module,
                           const char *const *file, unsigned files)
{
        const char *meant = value_closest(module, file, files);

        if (meant)
                reader_mistake(reader, line,
                               "the module '%s' is not among the files of the system; did you "
                               "mean '%s'?",
                               module, meant);
        else if (is_sealed(module))
                reader_mistake(reader, line,
                               "the module '%s' is not among the files of the system; write "
                               "'SEALED guest.seal' in nova_add_system(), which adds sealed.img "
                               "and machine.key, or add your own files to its MODULES.",
                               module);
        else
                reader_mistake(reader, line,
                               "the module '%s' is not among the files of the system; add it to "
                               "its MODULES.",
                               module);
}

static void check_program_files(struct reader *reader, const struct nova_system_program *program,
                                const char *const *file, unsigned files)
{
        const struct nova_system *system = reader->system;

        if (!is_there(program->file, file, files))
                missing_file(reader, program, file, files);
        for (unsigned i = 0; i < program->modules.count; i++) {
                const char *module = system->word[program->modules.first + i];

                if (!is_there(module, file, files))
                        missing_module(reader, program->line_of[NOVA_SYSTEM_MODULES], module, file,
                                       files);
        }
}

static bool is_named(const struct nova_system *system, const char *file)
{
        for (unsigned i = 0; i < system->programs; i++) {
                const struct nova_system_program *program = &system->program[i];

                if (text_equal(program->file, file))
                        return true;
                for (unsigned k = 0; k < program->modules.count; k++)
                        if (text_equal(system->word[program->modules.first + k], file))
                                return true;
        }
        return false;
}

static void unused_file(struct reader *reader, const char *file)
{
        if (is_sealed(file))
                reader_mistake(reader, 0,
                               "the file '%s' comes with the system, but the description does not "
                               "use it; write 'modules %s' for the %s, or leave it out "
                               "(SEALED or MODULES).",
                               file, file,
                               text_equal(file, SEALED_IMAGE) ? "monitor of the secure guest"
                                                              : "program ultravisor");
        else
                reader_mistake(reader, 0,
                               "the file '%s' comes with the system, but the description does not "
                               "use it; name it with 'file' or 'modules', or leave it out.",
                               file);
}

unsigned nova_system_check_files(const struct nova_system *system, const char *const *file,
                                 unsigned files, bool strict, nova_system_report *report,
                                 void *context)
{
        struct reader reader = teller(system, report, context);

        for (unsigned i = 0; i < system->programs; i++)
                check_program_files(&reader, &system->program[i], file, files);
        for (unsigned i = 0; i < files; i++) {
                for (unsigned k = 0; k < i; k++)
                        if (text_equal(file[i], file[k]))
                                reader_mistake(&reader, 0,
                                               "two files are called '%s'; leave one out or rename "
                                               "it, because modules are found by their names.",
                                               file[i]);
                if (strict && !is_named(system, file[i]))
                        unused_file(&reader, file[i]);
        }
        return reader.mistakes;
}
