/* SPDX-License-Identifier: BSD-2-Clause */
/* One-time initialisation: for the C++ ABI's guards of static variables, and for pthread_once(). */
#ifndef NOVA_ROOTTASK_ONCE_H
#define NOVA_ROOTTASK_ONCE_H

#include <stdbool.h>

/* The state is eight bytes, initially 0. The first byte becomes 1 after the initialisation: the C++
 * ABI requires this. */

/* Begins the initialisation. Waits while another thread runs it.
 * @return true if the caller must run it and call novart_once_end(); false if it has been done */
bool novart_once_begin(unsigned char *state);

/* Ends the initialisation: marks it as @p done or, if false, lets another thread try. */
void novart_once_end(unsigned char *state, bool done);

#endif
