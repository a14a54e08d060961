/* SPDX-License-Identifier: BSD-2-Clause */
/* A service to which a client sends OPEN, without the rest of the runtime. */
#ifndef OPEN_FAKE_H
#define OPEN_FAKE_H

#include <stdbool.h>

/* Results of the service's next two questions whether kernel memory is left, errno values. */
extern int open_room[2];

/* Whether a session of the service ended a moment ago. */
extern bool open_ended_lately;

/* Number of requests that the worker frees what dead sessions have left. */
extern unsigned open_clears;

/* Sends OPEN without a capability that has arrived. Returns the answer. */
int open_without_item(void);

#endif
