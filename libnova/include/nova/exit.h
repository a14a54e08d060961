/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending the run of an emulated machine, for small roottasks. */
#ifndef NOVA_EXIT_H
#define NOVA_EXIT_H

#include <stdint.h>

#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Port of QEMU's isa-debug-exit, as `nova run` sets it up. */
#define NOVA_EXIT_PORT 0xf4

/** The largest value that the host receives. */
#define NOVA_EXIT_MAX 127

/**
 * Ends the run of the emulated machine with @p value, 0 for success. For global threads.
 *
 * Needs the port NOVA_EXIT_PORT, which nova_console_init() requests. Without the port, the thread
 * gets a \#GP event. On a machine without the device, the thread sleeps for ever.
 * @code
 * if (status != NOVA_SUCCESS)
 *         nova_exit(1); // nova run ends with status 1
 * @endcode
 * @param value at most NOVA_EXIT_MAX; larger values become NOVA_EXIT_MAX
 */
__attribute__((noreturn)) NOVA_LIBRARY void nova_exit(uint8_t value);

/** Ends the run with the result of nova_main(); NOVA_EXIT_MAX for values outside 0 to
 * NOVA_EXIT_MAX. Called by the start file. */
__attribute__((noreturn)) NOVA_LIBRARY void nova_start_return(int result);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/exit.h"
#endif

#endif
