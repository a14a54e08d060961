/* SPDX-License-Identifier: BSD-2-Clause */
/* Touches the stack of a holder (see lock.h). The function is not inline, so it touches the
 * addresses below the caller's frame that the caller's next calls use. It writes below its own
 * frame and not into an array, because compilers keep only the used part of an array. */
#include "selector/lock.h"

void novart_lock_touch_stack(void)
{
        volatile char *const depth = (char *)__builtin_frame_address(0) - LOCK_STACK;

        *depth = 0;
}
