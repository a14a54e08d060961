/* SPDX-License-Identifier: BSD-2-Clause */
/* Touches the stack that the holder of a lock may need (see lock.h). The function must not be
 * inlined: its frame lies directly below the caller's, where the frames of the caller's next calls
 * will be. It writes below its own frame, not into a local array, because compilers keep only the
 * used part of an array. */
#include "selector/lock.h"

void novart_lock_touch_stack(void)
{
        volatile char *const depth = (char *)__builtin_frame_address(0) - LOCK_STACK;

        *depth = 0;
}
