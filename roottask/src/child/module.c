/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot modules by number and by name. */
#include "novart/module.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hip.h"
#include "novart/program.h"
#include "novart/region.h"
#include "start/arguments.h"

#define LINE_MAX 512

/* Copies the file name of a command line: the part of the first word after its last slash. */
static void file_name(char *line, char name[NOVA_MODULE_NAME])
{
        struct arguments arguments;
        char *words[3] = {NULL};

        novart_arguments_split(&arguments, line, words, 3);
        strncpy(name, arguments.argv[0], NOVA_MODULE_NAME - 1);
        name[NOVA_MODULE_NAME - 1] = 0;
}

int nova_module_get(unsigned number, struct nova_module *module)
{
        struct nova_hip_mem memory;
        char line[LINE_MAX] = "";

        if (!nova_program_is_root() || !nova_hip_get_module(nova_program.hip, number, &memory) ||
            memory.size > SIZE_MAX)
                return ENOENT;
        if (memory.aux && novart_program_copy_string(line, sizeof(line), memory.aux))
                return ENOMEM;
        memset(module, 0, sizeof(*module));
        module->phys = memory.addr;
        module->bytes = (size_t)memory.size;
        file_name(line, module->name);
        return 0;
}

int nova_module_find(const char *name, struct nova_module *module)
{
        for (unsigned number = 0;; number++) {
                const int error = nova_module_get(number, module);

                if (error || strcmp(module->name, name) == 0)
                        return error;
        }
}

int nova_module_map(const struct nova_module *module, const void **data)
{
        void *view;
        const int error =
                nova_map_physical(module->phys, module->bytes, NOVA_MEM_R | NOVA_MEM_X, &view);

        if (!error)
                *data = view;
        return error;
}

int nova_module_open(const char *name, const void **data, size_t *bytes)
{
        struct nova_module module;
        int error = nova_module_find(name, &module);

        if (!error)
                error = nova_module_map(&module, data);
        if (!error)
                *bytes = module.bytes;
        return error;
}
