/* SPDX-License-Identifier: BSD-2-Clause */
/* The example linux in the soak: the new name of its main(), and functions that replace those that
 * it calls. */
#ifndef TESTS_SOAK_GUEST_H
#define TESTS_SOAK_GUEST_H

#include "novavmm/guest_disk.h"
#include "novavmm/guest_net.h"

/* Runs the example: its main() under a new name. */
int guest_main(int argc, char **argv, char **envp);

/* Like the functions of the library, but only the first call of each has an effect: the example's
 * main() relies on the end of its program, which would close the sessions and modules. */
int guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments);
int guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments);
int guest_module(const char *name, const void **data, size_t *bytes);

/* Does nothing: the guest's text goes to the log, with that of the program. */
void guest_terminal_use(void);

#endif
