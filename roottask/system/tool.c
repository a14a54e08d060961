/* SPDX-License-Identifier: BSD-2-Clause */
/* nova-system, a program for the host: checks a system description as init does at boot, and prints
 * the machine that it declares, for `nova run`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/description.h"

#define FILES_MAX 255
#define BYTES_MAX (1 << 20)

/* Number of bytes to read of a program's file: the program headers lie near its beginning. */
#define HEADERS_MAX 65536

static const char usage[] =
        "usage: nova-system DESCRIPTION [FILE…]\n"
        "       nova-system --machine DESCRIPTION\n"
        "Checks a system description. FILEs are the names of the programs and modules that come\n"
        "with it; they must be those in the description. --machine prints the declared machine:\n"
        "its CPUs and MiB of memory, 0 for a value that is not declared.\n"
        "Exit status: 0 if there are no mistakes, 1 if there are mistakes, 2 for wrong usage.\n";

static void tell(void *context, unsigned line, const char *sentence)
{
        if (line)
                fprintf(stderr, "%s:%u: %s\n", (const char *)context, line, sentence);
        else
                fprintf(stderr, "%s: %s\n", (const char *)context, sentence);
}

/* Reads a whole file. Prints a message and returns NULL if it cannot be read. */
static char *read_file(const char *name, size_t *bytes)
{
        FILE *file = fopen(name, "rb");
        char *text = file ? malloc(BYTES_MAX + 1) : NULL;

        if (text)
                *bytes = fread(text, 1, BYTES_MAX + 1, file);
        if (!text || ferror(file) || *bytes > BYTES_MAX) {
                fprintf(stderr, "nova-system: %s cannot be read: %s.\n", name,
                        !text || ferror(file) ? strerror(errno) : "it is larger than 1 MiB");
                free(text);
                text = NULL;
        }
        if (file)
                fclose(file);
        return text;
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* Returns the memory that the segments of a program's file need; 0 if the file does not exist
 * yet. */
static uint64_t image_bytes(const char *path)
{
        static char begin[HEADERS_MAX];
        FILE *file = fopen(path, "rb");
        size_t bytes = 0;

        if (file) {
                bytes = fread(begin, 1, sizeof(begin), file);
                fclose(file);
        }
        return nova_system_image_bytes(begin, bytes);
}

static unsigned check_images(struct nova_system *system, char *name, char **path, int paths)
{
        const struct nova_system_machine machine = nova_system_declared_machine(system);

        for (unsigned i = 0; i < system->programs; i++)
                for (int k = 0; k < paths; k++)
                        if (strcmp(base_name(path[k]), system->program[i].file) == 0)
                                system->program[i].image_bytes = image_bytes(path[k]);
        return nova_system_check_machine(system, &machine, tell, name);
}

static unsigned check(struct nova_system *system, char *name, char **path, int paths)
{
        const char *file[FILES_MAX];
        size_t bytes;
        char *text = read_file(name, &bytes);

        if (!text)
                return 1;
        unsigned mistakes = nova_system_read(system, text, bytes, tell, name);

        for (int i = 0; i < paths; i++)
                file[i] = base_name(path[i]);
        if (!mistakes && paths)
                mistakes = nova_system_check_files(system, file, (unsigned)paths, true, tell, name);
        if (!mistakes && paths)
                mistakes = check_images(system, name, path, paths);
        free(text);
        return mistakes;
}

/* Prints the declared machine. Returns the exit status. */
static int print_machine(const struct nova_system *system)
{
        printf("%u %llu\n", system->machine_cpus,
               (unsigned long long)(system->machine_memory >> 20));
        if (fflush(stdout) == 0)
                return 0;
        fprintf(stderr, "nova-system: the output cannot be written: %s.\n", strerror(errno));
        return 2;
}

int main(int argc, char **argv)
{
        static struct nova_system system;
        const int machine = argc > 1 && strcmp(argv[1], "--machine") == 0;
        const int first = machine ? 2 : 1;

        if (argc <= first || argv[first][0] == '-' || (machine && argc > 3)) {
                fputs(usage, stderr);
                return 2;
        }
        if (argc - first - 1 > FILES_MAX) {
                fprintf(stderr,
                        "nova-system: a system has at most %d files in addition to its "
                        "description, but there are %d: leave some out.\n",
                        FILES_MAX, argc - first - 1);
                return 2;
        }
        if (check(&system, argv[first], argv + first + 1, argc - first - 1))
                return 1;
        return machine ? print_machine(&system) : 0;
}
