/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: exceptions, startup and recall become calls through a portal. @spec 3.3 */
#ifndef IPC_EVENT_H
#define IPC_EVENT_H

#include "object/ec.h"

/** self, whose registers are saved, has an event: calls the portal at its event base + number, or
 *  is shut down when there is none that it can call. error and address: the exit qualifications. */
hot_path _Noreturn void block_on_event(struct ec *self, word_t number, word_t error,
                                       word_t address);

/** The root PD's first thread: if an event without a handler shuts it down, the console says so.
 *  Only compared with, never looked into. */
extern const struct ec *event_root_ec;

/** The first event of a global thread (a continuation). */
_Noreturn void block_on_startup(struct ec *self);

#endif
