/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands by which a secure guest harms itself: accesses that cross the boundary of two pages with
 * different views, and tables in shared pages. */
#ifndef NOVA_TESTS_SECURE_GUEST_HARM_H
#define NOVA_TESTS_SECURE_GUEST_HARM_H

#include <stdint.h>

/* Performs a command PROBE_PAIR to PROBE_GDT, PROBE_IDT or PROBE_BREAK. @return its result */
uint32_t guest_harm(uint32_t command, unsigned long first, unsigned long second);

#endif
