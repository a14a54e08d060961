/* SPDX-License-Identifier: BSD-2-Clause */
/* A mutex whose waiters act while they wait. */
#ifndef NOVA_ROOTTASK_MUTEX_H
#define NOVA_ROOTTASK_MUTEX_H

#include "novart/sync.h"

/* Locks a mutex. Calls a function after each @p step (ns) of waiting. The caller keeps its place
 * among the waiters meanwhile.
 * @param again returns false to end the attempt; must not wait on a mutex
 * @return false if the function has ended the attempt */
bool novart_mutex_lock_in_steps(struct nova_mutex *mutex, uint64_t step, bool (*again)(void *),
                                void *argument);

#endif
