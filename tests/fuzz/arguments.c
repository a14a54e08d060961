/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines of loaders, and start pages of parents. A model cuts the command line into words on
 * its own. The program must get the same words, must not change a word after it was cut, and must
 * learn how many words are left out. No reader accesses anything outside its text, the list of
 * pointers or the page.
 *
 * The first byte of an input selects the reader, the next two give it a size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/page.h"
#include "nova/cmdline.h"
#include "nova/hip.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "require.h"
#include "start/arguments.h"
#include "start/start.h"

#define TEXT_BYTES 2048u /* bytes of a root's command line, with its terminating 0 */
#define POINTERS   256u
#define WORDS      4096u
#define AT         0x123000u /* physical address of the first page with the command line */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;

static const uint8_t *memory; /* physical memory from AT on, ... */
static size_t memory_bytes;   /* ... and its size: whole pages, unless it ends early */
static unsigned views, told;
static void *page;
static bool is_short;

/* The words of a command line. */
static struct {
        char text[2 * WORDS];
        const char *word[WORDS];
        unsigned words;
} model;

/* Substitutes for the rest of the runtime. A view ends where its memory ends, so the sanitizer
 * watches its end. */
int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **view)
{
        require(bytes && bytes <= NOVA_PAGE_SIZE && perms == NOVA_MEM_R && phys >= AT);
        require(phys / NOVA_PAGE_SIZE == (phys + bytes - 1) / NOVA_PAGE_SIZE);
        if (phys - AT + bytes > memory_bytes)
                return ENXIO;
        *view = malloc(bytes);
        memcpy(*view, memory + (phys - AT), bytes);
        views++;
        return 0;
}

int nova_region_free(void *view)
{
        require(views--);
        free(view);
        return 0;
}

void *nova_page_alloc(unsigned order)
{
        require(!order && !page);
        page = is_short ? NULL : calloc(1, NOVA_PAGE_SIZE);
        return page;
}

void *novart_page_spare(size_t bytes)
{
        require(bytes <= NOVA_PAGE_SIZE && !page);
        page = is_short ? NULL : calloc(1, bytes);
        return page;
}

void novart_serial_write(const char *text, size_t bytes)
{
        require(bytes && text[bytes - 1] == '\n' && !memchr(text, 0, bytes));
        told++;
}

/* Cuts a command line into the words of the model: quotation marks group, and a backslash takes the
 * next character unless it is in '...'. */
static void cut(const char *text)
{
        char *to = model.text;

        model.words = 0;
        for (;;) {
                char open = 0;

                text += strspn(text, " \t\n\r");
                if (!*text)
                        return;
                model.word[model.words++] = to;
                for (; *text && (open || !strchr(" \t\n\r", *text)); text++) {
                        if (*text == open)
                                open = 0;
                        else if (!open && (*text == '"' || *text == '\''))
                                open = *text;
                        else if (*text == '\\' && open != '\'' && text[1])
                                *to++ = *++text;
                        else
                                *to++ = *text;
                }
                *to++ = 0;
        }
}

static bool is_setting(const char *word)
{
        const size_t name = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                         "0123456789");

        return name && word[name] == '=' && (*word < '0' || *word > '9');
}

/* Returns the part of a path after its last slash; a slash at the end belongs to the name. */
static const char *name_of(const char *path)
{
        const char *name = path;

        for (; *path; path++)
                if (*path == '/' && path[1])
                        name = path + 1;
        return name;
}

/* Compares what a program gets with the model. @param most maximum number of words that fit,
 * including the name */
static void compare(const struct arguments *got, unsigned most)
{
        unsigned next = 1, settings = 0, others = 0, left_out = 0;

        require(!strcmp(got->argv[0], model.words ? name_of(model.word[0]) : ""));
        for (; next < model.words && is_setting(model.word[next]); next++)
                if (settings + 1 < most)
                        require(!strcmp(got->envp[settings++], model.word[next]));
                else
                        left_out++;
        require(!got->envp[settings]);
        for (; next < model.words; next++)
                if (settings + others + 1 < most)
                        require(!strcmp(got->argv[++others], model.word[next]));
                else
                        left_out++;
        require(!got->argv[1 + others] && (unsigned)got->argc == 1 + others);
        require(got->left_out == left_out);
}

static void split(const uint8_t *data, size_t size, unsigned count)
{
        char **const room = malloc(count * sizeof(*room));
        char *const text = malloc(size + 1);
        struct arguments arguments;

        memcpy(text, data, size);
        text[size] = 0;
        cut(text);
        novart_arguments_split(&arguments, text, room, count);
        compare(&arguments, count - 2);
        free(text);
        free(room);
}

/* Reads the arguments of a root, whose command line begins at an offset of a page. */
static void read_root(const uint8_t *data, size_t size, size_t offset, bool ends)
{
        static _Alignas(NOVA_PAGE_SIZE) uint8_t hip_page[NOVA_PAGE_SIZE];
        struct nova_hip *const hip = (struct nova_hip *)hip_page;
        const struct nova_hip_mem module = {
                .addr = 0x1000, .size = 1, .type = NOVA_MEM_MODULE, .aux = (uint32_t)(AT + offset)};
        uint8_t *const copy = malloc(offset + size + 1);
        size_t length;
        char text[TEXT_BYTES] = {0};
        int error;

        memset(copy, 0, offset + size + 1);
        memcpy(copy + offset, data, size);
        memory = copy;
        memory_bytes = offset + size + (ends ? 1 : 0);
        length = strnlen((char *)copy + offset, size);
        memcpy(text, copy + offset, length < TEXT_BYTES - 1 ? length : TEXT_BYTES - 1);
        hip->mem_offset = offsetof(struct nova_hip, mem);
        hip->mem_size = sizeof(module);
        hip->length = (uint16_t)(hip->mem_offset + sizeof(module));
        memcpy(hip->mem, &module, sizeof(module));
        nova_program = (struct nova_program){.hip = hip};
        error = novart_program_read_arguments();
        require(error == 0 || error == ENXIO || (is_short && error == ENOMEM));
        if (!error) {
                struct arguments got = {nova_program.argv, nova_program.envp, nova_program.argc, 0};

                cut(text);
                if (!*nova_program.envp || model.words)
                        require(nova_program.name == nova_program.argv[0]);
                if (!model.words || !*name_of(model.word[0]))
                        require(!strcmp(got.argv[0], "roottask"));
                else
                        require(told || (compare(&got, POINTERS - 2), true));
                require(told <= 1 && (!(length >= TEXT_BYTES - 1) || told));
        }
        free(copy);
}

/* Reads the arguments of a child, whose parent writes any numbers and strings into the start
 * page. */
static void read_child(const uint8_t *data, size_t size)
{
        struct nova_start_page *const start = calloc(1, NOVA_PAGE_SIZE);
        uint32_t number[4] = {0};
        int error;

        memcpy(number, data, size < sizeof(number) ? size : sizeof(number));
        if (size > sizeof(number))
                memcpy(start + 1, data + sizeof(number), size - sizeof(number));
        start->pages = 1;
        start->argc = number[0] >> 31 ? number[0] << 1 : number[0] % 520;
        start->envc = number[1] >> 31 ? number[1] << 1 : number[1] % 520;
        start->args = number[2] >> 31 ? number[2] << 1 : number[2] % NOVA_PAGE_SIZE;
        start->env = number[3] >> 31 ? number[3] << 1 : number[3] % NOVA_PAGE_SIZE;
        nova_program = (struct nova_program){.start = start};
        error = novart_program_read_arguments();
        require(error == 0 || error == EINVAL || (is_short && error == ENOMEM));
        if (!error) {
                require(nova_program.argc > 0 && !nova_program.argv[nova_program.argc]);
                for (int i = 0; i < nova_program.argc; i++)
                        require(nova_program.argv[i] >= (char *)start &&
                                nova_program.argv[i] + strlen(nova_program.argv[i]) <
                                        (char *)start + NOVA_PAGE_SIZE);
                for (char **entry = nova_program.envp; *entry; entry++)
                        require(*entry >= (char *)start &&
                                *entry + strlen(*entry) < (char *)start + NOVA_PAGE_SIZE);
        }
        free(start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 3 || size - 3 > WORDS - sizeof(struct nova_start_page) - 16)
                return 0;
        views = told = 0;
        page = NULL;
        is_short = data[0] == 0xff;
        if (data[0] % 4 == 0)
                read_child(data + 3, size - 3);
        else if (data[0] % 4 == 1)
                read_root(data + 3, size - 3, (data[1] | (size_t)data[2] << 8) % NOVA_PAGE_SIZE,
                          data[0] & 4);
        else
                split(data + 3, size - 3, 3 + data[1] % 40u);
        require(!views);
        free(page);
        return 0;
}
