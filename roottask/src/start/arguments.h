/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits a command line into arguments and environment. Only the copy function makes hypercalls. */
#ifndef NOVA_ROOTTASK_ARGUMENTS_H
#define NOVA_ROOTTASK_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Content of a command line. The words lie in the text itself. */
struct arguments {
        char **argv; /* argc words, then NULL */
        char **envp; /* the environment, then NULL */
        int argc;
        unsigned left_out; /* number of words that did not fit */
};

/** Splits a command line into words, in place, like nova_cmdline_split(). The program's name is the
 * part of the first word after its last slash. Words of the form NAME=VALUE that directly follow
 * the first word are the environment.
 * @param text changed; must stay valid
 * @param room array for pointers
 * @param count number of pointers in the array, at least 3; words that do not fit are left out */
void novart_arguments_split(struct arguments *arguments, char *text, char **room, size_t count);

/* Copies the string at a physical address, cut to `bytes` bytes including its terminating 0. For
 * roots. Returns 0 or an errno value. */
int novart_program_copy_string(char *to, size_t bytes, uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
