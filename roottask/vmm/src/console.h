/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a PC's serial port. */
#ifndef NOVAVMM_SRC_CONSOLE_H
#define NOVAVMM_SRC_CONSOLE_H

#include "novavmm/pc.h"

/* Accepts a byte of the guest's output. If there is no room, waits for a limited time. */
void novavmm_console_send(void *context, uint8_t byte);

/* Starts the threads that write output and read input.
 * @return 0 or an errno value */
int novavmm_console_start(struct nova_pc *pc);

/* Stops the writer after it has written the collected output. */
void novavmm_console_stop(struct nova_pc *pc);

#endif
