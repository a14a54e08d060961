/* SPDX-License-Identifier: BSD-2-Clause */
/* An action of the child: checks standard input (see child_input.h). */
#include "child_input.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "novart/console.h"
#include "novart/parent.h"

static int write_text(void *context, const char *text, size_t bytes)
{
        (void)context;
        return nova_parent_write(text, bytes);
}

static int read_letter(void *context, char *text, size_t bytes)
{
        (void)context;
        *text = 'k';
        return bytes ? 1 : 0;
}

/* Returns true if standard input has nothing to read and is not a terminal. */
static bool has_no_input(void)
{
        char letter;

        errno = 0;
        return !isatty(STDIN_FILENO) && errno == ENOTTY && read(STDIN_FILENO, &letter, 1) == 0;
}

int do_input(char **argv)
{
        static const struct nova_console_output silent = {write_text, NULL, NULL};
        static const struct nova_console_output talking = {write_text, read_letter, NULL};
        bool good = has_no_input() && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
        char letter = 0;

        (void)argv;
        nova_console_use(&silent);
        good = good && has_no_input() && isatty(STDOUT_FILENO);
        nova_console_use(&talking);
        good = good && isatty(STDIN_FILENO) && read(STDIN_FILENO, &letter, 1) == 1 && letter == 'k';
        nova_console_use(NULL);
        return good && has_no_input() ? INPUT_GOOD : 1;
}
