/* SPDX-License-Identifier: BSD-2-Clause */
/* Source of arguments and environment: boot module 0's command line, or the start page. */
#include <errno.h>
#include <string.h>

#include "memory/page.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "novart/region.h"
#include "start/arguments.h"
#include "start/start.h"

/* Bytes of a page for the text; the rest is for pointers. */
#define TEXT_BYTES (NOVA_PAGE_SIZE / 2)
#define POINTERS   ((NOVA_PAGE_SIZE - TEXT_BYTES) / sizeof(char *))

/* Maps the pages one by one, because the string may end in the last page of memory. */
int novart_program_copy_string(char *to, size_t bytes, uint64_t addr)
{
        size_t done = 0;

        while (done < bytes - 1) {
                const size_t left = NOVA_PAGE_SIZE - (size_t)((addr + done) % NOVA_PAGE_SIZE);
                const size_t part = left < bytes - 1 - done ? left : bytes - 1 - done;
                void *view;
                const int error = nova_map_physical(addr + done, part, NOVA_MEM_R, &view);

                if (error)
                        return error;

                const size_t length = strnlen(view, part);

                memcpy(to + done, view, length);
                nova_region_free(view);
                done += length;
                if (length < part)
                        break;
        }
        to[done] = 0;
        return 0;
}

/* Reports that words were left out, because a program that gets only some of its arguments may do
 * the wrong thing. */
static void tell_left_out(void)
{
        static const char text[] =
                "The command line is too long: the program does not get its last words.\n";

        novart_serial_write(text, sizeof(text) - 1);
}

static int read_root(char *page)
{
        struct nova_hip_mem module;
        struct arguments arguments;
        size_t length = 0;
        static char unnamed[] = "roottask";

        if (nova_hip_get_module(nova_program.hip, 0, &module) && module.aux) {
                const int error = novart_program_copy_string(page, TEXT_BYTES, module.aux);

                if (error)
                        return error;
                length = strlen(page);
        }
        novart_arguments_split(&arguments, page, (char **)(page + TEXT_BYTES), POINTERS);
        if (arguments.left_out || length == TEXT_BYTES - 1)
                tell_left_out();
        if (!*arguments.argv[0])
                arguments.argv[0] = unnamed;
        nova_program.name = arguments.argv[0];
        nova_program.argc = arguments.argc;
        nova_program.argv = arguments.argv;
        nova_program.envp = arguments.envp;
        return 0;
}

/* Fills a list with pointers to the @p count consecutive strings at an offset of the start page. */
static int list_strings(char **list, uint32_t count, uint32_t offset)
{
        const struct nova_start_page *const start = nova_program.start;
        const size_t bytes = (size_t)start->pages * NOVA_PAGE_SIZE;

        for (uint32_t i = 0; i < count; i++) {
                char *const string = (char *)start + offset;
                const size_t left = offset < bytes ? bytes - offset : 0;
                const size_t length = strnlen(string, left);

                if (length == left)
                        return EINVAL;
                list[i] = string;
                offset += (uint32_t)length + 1;
        }
        list[count] = NULL;
        return 0;
}

static int read_child(void)
{
        const struct nova_start_page *const start = nova_program.start;

        if (!start->argc || start->argc > NOVA_START_WORDS || start->envc > NOVA_START_WORDS ||
            start->argc + start->envc > NOVA_START_WORDS)
                return EINVAL;

        char **page = novart_page_spare((start->argc + start->envc + 2) * sizeof(*page));

        if (!page)
                page = nova_page_alloc(0);
        if (!page)
                return ENOMEM;
        nova_program.argc = (int)start->argc;
        nova_program.argv = page;
        nova_program.envp = page + start->argc + 1;

        const int error = list_strings(nova_program.argv, start->argc, start->args);

        if (error)
                return error;
        return list_strings(nova_program.envp, start->envc, start->env);
}

int novart_program_read_arguments(void)
{
        if (!nova_program_is_root())
                return read_child();

        void *const page = nova_page_alloc(0);

        return page ? read_root(page) : ENOMEM;
}
