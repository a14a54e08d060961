/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the description and the images of programs among the boot modules. */
#include <stdio.h>
#include <string.h>

#include "child/elf.h"
#include "init.h"
#include "nova/hypercall.h"
#include "novart/layout.h"
#include "novart/page.h"
#include "novart/program.h"

#define MODULES_MAX 128

/* A mapped module stays mapped, because children may use it at any time. */
static struct {
        struct nova_module module;
        const void *data;
} modules[MODULES_MAX];
static unsigned count;

static bool is_description(const char *name)
{
        const size_t length = strlen(name);

        return length > 5 && strcmp(name + length - 5, ".nova") == 0;
}

static void read_modules(void)
{
        while (count < MODULES_MAX && nova_module_get(count, &modules[count].module) == 0)
                count++;
}

bool modules_map(const char *name, const void **data, size_t *bytes)
{
        for (unsigned i = 1; i < count; i++) {
                if (strcmp(modules[i].module.name, name) != 0)
                        continue;
                if (!modules[i].data && nova_module_map(&modules[i].module, &modules[i].data))
                        return false;
                *data = modules[i].data;
                *bytes = modules[i].module.bytes;
                return true;
        }
        return false;
}

static void print_mistake(void *name, unsigned line, const char *sentence)
{
        if (line)
                printf("%s:%u: %s\n", (const char *)name, line, sentence);
        else
                printf("%s: %s\n", (const char *)name, sentence);
}

/* Records the size of each program's segments. Ignores a file that cannot be mapped or is not a
 * program: init reports the file when it starts the program. */
static void look_at_images(void)
{
        for (unsigned i = 0; i < init.system.programs; i++) {
                struct nova_system_program *const program = &init.system.program[i];
                struct elf elf;
                const void *data;
                size_t bytes;

                if (modules_map(program->file, &data, &bytes) &&
                    !novart_elf_read(&elf, data, bytes, NOVA_PAGE_SIZE, NOVA_LAYOUT_IMAGE_END))
                        program->image_bytes = novart_elf_copied_bytes(&elf);
        }
}

static unsigned check_machine(const char *name)
{
        struct nova_system_machine machine = {
                .memory = (uint64_t)nova_page_free_count() << NOVA_PAGE_BITS,
                .cpus = nova_program.cpus,
        };
        nova_word_t used = 0, limit = 0;

        nova_quota_query(nova_program.pd, &used, &limit);
        machine.kernel_memory = limit - used;
        look_at_images();
        return nova_system_check_machine(&init.system, &machine, print_mistake, (void *)name);
}

static unsigned check_files(const char *name)
{
        const char *file[MODULES_MAX];
        unsigned files = 0;

        for (unsigned i = 1; i < count; i++)
                if (strcmp(modules[i].module.name, name) != 0)
                        file[files++] = modules[i].module.name;
        return nova_system_check_files(&init.system, file, files, false, print_mistake,
                                       (void *)name);
}

unsigned modules_read_description(const char *name)
{
        const void *text;
        size_t bytes;

        read_modules();
        for (unsigned i = 1; i < count && !name; i++)
                if (is_description(modules[i].module.name))
                        name = modules[i].module.name;
        if (!name || !modules_map(name, &text, &bytes)) {
                printf("init: no boot module is called %s; %s.\n", name ? name : "NAME.nova",
                       name ? "init's argument is the name of the system description; the "
                              "arguments of programs belong in the description"
                            : "add the system description to the boot modules");
                return 1;
        }

        unsigned mistakes =
                nova_system_read(&init.system, text, bytes, print_mistake, (void *)name);

        if (!mistakes)
                mistakes = check_files(name) + check_machine(name);
        return mistakes;
}
