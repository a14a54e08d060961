/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits a command line into arguments and environment. Makes no hypercalls. */
#include "start/arguments.h"

#include <stdbool.h>

#include "nova/cmdline.h"

/* Reads the next word of the text, in place and without its quotes. Returns NULL if there is
 * none. */
static char *next_word(struct nova_cmdline *at)
{
        char *const word = at->to;

        while (nova_cmdline_blank(*at->from))
                at->from++;
        if (!*at->from)
                return NULL;
        nova_cmdline_take(at);
        return word;
}

/* Returns true for NAME=VALUE, where the name has letters, digits and underscores and does not
 * begin with a digit. */
static bool is_setting(const char *word)
{
        const char *c = word;

        while ((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '_' ||
               (c > word && *c >= '0' && *c <= '9'))
                c++;
        return c > word && *c == '=';
}

static char *base_name(char *path)
{
        char *name = path;

        for (char *c = path; *c; c++)
                if (*c == '/' && c[1])
                        name = c + 1;
        return name;
}

void novart_arguments_split(struct arguments *arguments, char *text, char **room, size_t count)
{
        char **const end = room + count - 1; /* leaves a pointer for the NULL of the second list */
        struct nova_cmdline at = {text, text, 0};
        char *word = next_word(&at);
        char **next = room;

        *next++ = word ? base_name(word) : at.from;
        arguments->left_out = 0;
        arguments->envp = room;
        while ((word = next_word(&at)) && is_setting(word))
                if (next < end - 1)
                        *next++ = word;
                else
                        arguments->left_out++;

        /* the environment comes first, because the number of arguments is known only at the end */
        const size_t settings = (size_t)(next - room) - 1;
        char *const name = room[0];

        for (size_t i = 0; i < settings; i++)
                room[i] = room[i + 1];
        room[settings] = NULL;
        arguments->argv = next;
        *next++ = name;
        for (; word; word = next_word(&at))
                if (next < end)
                        *next++ = word;
                else
                        arguments->left_out++;
        *next = NULL;
        arguments->argc = (int)(next - arguments->argv);
}
