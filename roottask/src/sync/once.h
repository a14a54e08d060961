/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done once: the C++ ABI's guards of static variables, and pthread_once(). */
#ifndef NOVA_ROOTTASK_ONCE_H
#define NOVA_ROOTTASK_ONCE_H

#include <stdbool.h>

/* State of eight bytes, at first 0; the first becomes 1 when it is done, as the C++ ABI says. */

/* @return true if the caller is to do it, and to call novart_once_end(); false when it is done.
 * Waits while another thread does it. */
bool novart_once_begin(unsigned char *state);

/* Marks it as @p done or, if false, lets another thread try. */
void novart_once_end(unsigned char *state, bool done);

#endif
