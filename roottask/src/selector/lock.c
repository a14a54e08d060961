/* SPDX-License-Identifier: BSD-2-Clause */
/* What a holder's stack needs (see lock.h). Not inline: what the caller calls next lies where this
 * function did, below the caller's frame. No array: compilers keep only what is used of it. */
#include "selector/lock.h"

void novart_lock_touch_stack(void)
{
        volatile char *const depth = (char *)__builtin_frame_address(0) - LOCK_STACK;

        *depth = 0;
}
