/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a PC's serial port. */
#ifndef NOVAVMM_SRC_CONSOLE_H
#define NOVAVMM_SRC_CONSOLE_H

#include "novavmm/pc.h"

/* Accepts a byte of the guest. Waits while there is no room, for a limited time. */
void novavmm_console_send(void *context, uint8_t byte);

/* Starts to write and to read.
 * @return 0 or an errno value */
int novavmm_console_start(struct nova_pc *pc);

/* Stops; collected output is still written. */
void novavmm_console_stop(struct nova_pc *pc);

#endif
