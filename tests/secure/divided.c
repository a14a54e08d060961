/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked to the ultravisor, this makes the program ultravisor-divided: it divides its memory
 * between two VMMs, as with the argument vmms=2. */
#include "server.h"
#include "vm.h"

int __real_server_start(void);
int __wrap_server_start(void);

int __wrap_server_start(void)
{
        return vm_share(2, SERVER_CLIENT_BYTES) ? __real_server_start() : 1;
}
