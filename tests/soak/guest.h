/* SPDX-License-Identifier: BSD-2-Clause */
/* The example linux in the soak: the new name of its main(), and replacements for some functions
 * that it calls. */
#ifndef TESTS_SOAK_GUEST_H
#define TESTS_SOAK_GUEST_H

#include "novavmm/guest_disk.h"
#include "novavmm/guest_net.h"

/* Runs the example: its main() under a new name. */
int guest_main(int argc, char **argv, char **envp);

/* Open a session or module at the first call, like the functions of the library; later calls reuse
 * it. The example's main() closes nothing, because the end of its program does that; the soak calls
 * main() repeatedly in one program. */
int guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments);
int guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments);
int guest_module(const char *name, const void **data, size_t *bytes);

/* Does nothing: the guest's text goes to the log, with that of the program. */
void guest_terminal_use(void);

#endif
