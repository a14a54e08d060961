/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the parser of system descriptions: it must terminate, and each error must be one sentence.
 */
#include <stdlib.h>
#include <string.h>

#include "system/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *context, unsigned line, const char *sentence)
{
        const size_t length = strlen(sentence);

        (void)line;
        ++*(unsigned *)context;
        if (!length || length > 511 || strchr(sentence, '\n'))
                abort();
}

/* Checks that a description without errors is complete: everything in its lists exists. */
static void check_whole(const struct nova_system *system)
{
        for (unsigned i = 0; i < system->programs; i++) {
                const struct nova_system_program *program = &system->program[system->order[i]];

                for (unsigned k = 0; k < program->uses.count; k++)
                        if (nova_system_provider(system, system->word[program->uses.first + k]) < 0)
                                abort();
                if (!program->memory || !program->kernel_memory || !program->selectors ||
                    !program->cpus || !program->priority)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct nova_system system;
        static const char *const files[] = {"log", "disk.img"};
        char *text = malloc(size ? size : 1);
        unsigned told = 0;

        memcpy(text, data, size);
        const unsigned mistakes = nova_system_read(&system, text, size, check, &told);

        if (mistakes != told)
                abort();
        if (!mistakes) {
                check_whole(&system);
                nova_system_check_files(&system, files, 2, true, check, &told);
        }
        free(text);
        return 0;
}
