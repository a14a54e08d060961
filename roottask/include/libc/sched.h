/* SPDX-License-Identifier: BSD-2-Clause */
/* Completes the C library's <sched.h>, which declares sched_yield() for systems with all of POSIX's
 * threads only. */
#ifndef NOVART_SCHED_H
#define NOVART_SCHED_H

/* #include_next is an extension, which -Wpedantic permits in a system's headers only. */
#pragma GCC system_header
#include_next <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Lets other threads of the caller's CPU run, also those of lower priority: the caller sleeps for
 * 10 µs, because the kernel has no hypercall that only moves a thread to the end of its queue.
 * @return 0 */
int sched_yield(void);

#ifdef __cplusplus
}
#endif

#endif
