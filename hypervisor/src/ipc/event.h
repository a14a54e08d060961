/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: exceptions, startup and recall become calls through a portal. @spec 3.3 */
#ifndef IPC_EVENT_H
#define IPC_EVENT_H

#include "object/ec.h"

/** Sends an event of self to the portal at self's event base + number. Self's registers are saved.
 * Shuts self down if there is no portal, or if the portal's EC is on another CPU, has ended or
 * waits for self. error, address: the exit qualifications. */
hot_path _Noreturn void block_on_event(struct ec *self, word_t number, word_t error,
                                       word_t address);

/** Sends the STARTUP event of a global thread (a continuation). */
_Noreturn void block_on_startup(struct ec *self);

#endif
