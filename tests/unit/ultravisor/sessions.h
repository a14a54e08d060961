/* SPDX-License-Identifier: BSD-2-Clause */
/* A session with the ultravisor without a kernel: the client's stub calls the handlers of the
 * operations (session.c). */
#ifndef TESTS_UNIT_ULTRAVISOR_SESSIONS_H
#define TESTS_UNIT_ULTRAVISOR_SESSIONS_H

#include "novart/service/ultravisor.h"

enum { SESSIONS_CPU = 3 }; /* CPU of the client's thread */

extern unsigned sessions_busy;  /* number of further calls that find the machine's lock in use */
extern unsigned sessions_calls; /* number of calls that the ultravisor has received */
extern unsigned sessions_kicks, sessions_starts, sessions_resets;

/* Makes a VM with two virtual CPUs. The guest has sent INIT and STARTUP messages with vector 8 to
 * the second one. @return the VM */
struct nova_uv sessions_begin(bool secure);

/* Attaches virtual CPU 0 to the CPU @p cpu, by a call on the CPU @p from. @return error number */
int sessions_attach_from(nova_word_t from, nova_word_t cpu);

/* Returns the CPU on which virtual CPU 0 is attached. */
nova_word_t sessions_cpu(void);

/* Returns the number of calls that use the machine. */
unsigned sessions_users(void);

#endif
