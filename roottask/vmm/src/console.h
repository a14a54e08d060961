/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads behind a PC's serial port. */
#ifndef NOVAVMM_SRC_CONSOLE_H
#define NOVAVMM_SRC_CONSOLE_H

#include "novavmm/pc.h"

/* Takes a byte of the guest; waits while there is no room, but not for ever. */
void novavmm_console_send(void *context, uint8_t byte);

/* Begins to write and to read. @return 0 or an errno value */
int novavmm_console_start(struct nova_pc *pc);

/* Ends that: what is there is still written. */
void novavmm_console_stop(struct nova_pc *pc);

#endif
