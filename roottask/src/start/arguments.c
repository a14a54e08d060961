/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line becomes arguments and environment. Pure logic. */
#include "start/arguments.h"

#include <stdbool.h>

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the next word off the text, without its quotes, and ends it with a 0. NULL: none is left */
static char *next_word(char **text)
{
        char *from = *text, *to, *word, quote = 0;

        while (is_blank(*from))
                from++;
        *text = from;
        if (!*from)
                return NULL;
        for (word = to = from; *from && (quote || !is_blank(*from)); from++) {
                if (quote ? *from == quote : *from == '"' || *from == '\'')
                        quote = quote ? 0 : *from;
                else
                        *to++ = *from;
        }
        *text = *from ? from + 1 : from;
        *to = 0;
        return word;
}

/* NAME=VALUE, the name of letters, digits and underlines and not beginning with a digit. */
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

void arguments_split(struct arguments *arguments, char *text, char **room, size_t count)
{
        char **const end = room + count - 1; /* the last pointer ends the second list */
        char *word = next_word(&text);
        char **next = room;

        *next++ = word ? base_name(word) : text;
        arguments->argv = room;
        arguments->envp = room;
        while ((word = next_word(&text)) && is_setting(word))
                if (next < end - 1)
                        *next++ = word;

        /* The environment goes first, so that the arguments, which may be many, come last. */
        const size_t settings = (size_t)(next - room) - 1;
        char *const name = room[0];

        for (size_t i = 0; i < settings; i++)
                room[i] = room[i + 1];
        room[settings] = NULL;
        arguments->argv = next;
        *next++ = name;
        for (; word; word = next_word(&text))
                if (next < end)
                        *next++ = word;
        *next = NULL;
        arguments->argc = (int)(next - arguments->argv);
}
