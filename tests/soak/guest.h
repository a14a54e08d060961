/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that functions of the example linux have, or call, in the soak. */
#ifndef TESTS_SOAK_GUEST_H
#define TESTS_SOAK_GUEST_H

#include "novavmm/guest_disk.h"
#include "novavmm/guest_net.h"

/* The example's main(). */
int guest_main(int argc, char **argv, char **envp);

/* As the functions of the library, but only the first call of each has an effect: the example's
 * main() leaves sessions and modules to the end of its program. */
int guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments);
int guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments);
int guest_module(const char *name, const void **data, size_t *bytes);

/* Does nothing: the guest's text goes to the log, with that of the program. */
void guest_terminal_use(void);

#endif
