/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line becomes arguments and environment. But for the copying it is pure logic. */
#ifndef NOVA_ROOTTASK_ARGUMENTS_H
#define NOVA_ROOTTASK_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a command line says. The words lie in the text itself. */
struct arguments {
        char **argv; /* argc words, then NULL */
        char **envp; /* the environment, then NULL */
        int argc;
        unsigned left_out; /* words for which there was no room */
};

/**
 * Cuts a command line into words, in place.
 *
 * Words are those of nova_cmdline_split(). The first is the program's name, of which the part after
 * the last slash counts. Words of the form NAME=VALUE that follow it at once are its environment.
 * @param text  changed; must stay
 * @param room  for pointers
 * @param count how many pointers there is room for: words beyond are left out. At least 3
 */
void novart_arguments_split(struct arguments *arguments, char *text, char **room, size_t count);

/* For roots: copies the string at a physical address, cut to bytes with its end. 0 or an errno. */
int novart_program_copy_string(char *to, size_t bytes, uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
