/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines of modules: the file's name and its arguments. No function reads beyond the length
 * that the caller passes, even if the text is hostile.
 *
 * QEMU and most loaders put the file's path before the arguments ("boot/disk.img ro"); GRUB does
 * not, so the configuration of GRUB repeats the name. */
#ifndef NOVA_CMDLINE_H
#define NOVA_CMDLINE_H

#include "nova/text.h"

/** Returns true for the characters that separate arguments: blank, tab, line ends. */
static inline bool nova_cmdline_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/**
 * Returns the file of a module as the loader named it: the command line up to the first blank.
 *
 * @param line the command line, which a memory descriptor's aux field names
 * @param max  maximum number of bytes to read; a longer line is cut there
 */
static inline struct nova_text nova_module_file(const char *line, size_t max)
{
        const size_t length = nova_text_length(line, max);
        size_t begin = 0, end;

        while (begin < length && nova_cmdline_blank(line[begin]))
                begin++;
        for (end = begin; end < length && !nova_cmdline_blank(line[end]);)
                end++;

        const struct nova_text file = {line + begin, end - begin};

        return file;
}

/**
 * Returns the name of a module: its file without the folders.
 * @code
 * const struct nova_text name = nova_module_name("boot/disk.img ro", 17);
 *
 * if (nova_text_is(name, "disk.img"))
 *         nova_printf(&console, "%.*s\n", (int)name.length, name.begin);
 * @endcode
 * @param line, max as for nova_module_file()
 */
static inline struct nova_text nova_module_name(const char *line, size_t max)
{
        struct nova_text name = nova_module_file(line, max);

        for (size_t i = name.length; i-- > 0;)
                if (name.begin[i] == '/') {
                        name.begin += i + 1;
                        name.length -= i + 1;
                        break;
                }
        return name;
}

/**
 * Returns the arguments of a module: the text after its file's path, without blanks at either end.
 *
 * @param line, max as for nova_module_file()
 */
static inline struct nova_text nova_module_arguments(const char *line, size_t max)
{
        const size_t length = nova_text_length(line, max);
        const struct nova_text file = nova_module_file(line, max);
        size_t begin = (size_t)(file.begin - line) + file.length, end = length;

        while (begin < end && nova_cmdline_blank(line[begin]))
                begin++;
        while (end > begin && nova_cmdline_blank(line[end - 1]))
                end--;

        const struct nova_text arguments = {line + begin, end - begin};

        return arguments;
}

/** Position of nova_cmdline_split() in a line. */
struct nova_cmdline {
        char *from; /**< next character to read */
        char *to;   /**< address of the next character to write, never above @c from */
        char quote; /**< the open quotation mark, or 0 */
};

/** Copies one argument to @c to, without its quotation marks, and ends the copy with a 0. */
static inline void nova_cmdline_take(struct nova_cmdline *at)
{
        for (at->quote = 0; *at->from && (at->quote || !nova_cmdline_blank(*at->from));) {
                char c = *at->from++;

                if (c == at->quote) {
                        at->quote = 0;
                        continue;
                }
                if (!at->quote && (c == '"' || c == '\'')) {
                        at->quote = c;
                        continue;
                }
                if (c == '\\' && at->quote != '\'' && *at->from)
                        c = *at->from++;
                *at->to++ = c;
        }
        if (*at->from)
                at->from++;
        *at->to++ = 0;
}

/**
 * Cuts a command line into arguments, in place.
 *
 * Blanks separate arguments. Blanks inside "text" and 'text' do not. A backslash outside 'text'
 * quotes the next character. An unclosed quotation mark extends to the end of the line.
 * @code
 * char line[] = "disk.img ro 'two words'";
 * char *argv[4];
 * unsigned argc = nova_cmdline_split(line, argv, 4); // 3
 * @endcode
 * @param line       a writable text that ends with a 0; the entries of @p argv point into it
 * @param[out] argv  the first @p most arguments; entries after the last argument are NULL
 * @param most       entries of @p argv
 * @return the number of arguments in the line; it may exceed @p most
 */
static inline unsigned nova_cmdline_split(char *line, char **argv, unsigned most)
{
        struct nova_cmdline at = {line, line, 0};
        unsigned count = 0;

        for (unsigned i = 0; i < most; i++)
                argv[i] = NULL;
        for (;; count++) {
                while (nova_cmdline_blank(*at.from))
                        at.from++;
                if (!*at.from)
                        return count;
                if (count < most)
                        argv[count] = at.to;
                nova_cmdline_take(&at);
        }
}

#endif
