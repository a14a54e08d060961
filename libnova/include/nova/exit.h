/* SPDX-License-Identifier: BSD-2-Clause */
/* For small roottasks: ending the run of an emulated machine. */
#ifndef NOVA_EXIT_H
#define NOVA_EXIT_H

#include <stdint.h>

#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Port of QEMU's isa-debug-exit, as `nova run` sets it up. */
#define NOVA_EXIT_PORT 0xf4

/** The largest value that arrives. */
#define NOVA_EXIT_MAX 127

/**
 * End the run: 0 says that all went well. For global threads.
 *
 * Needs the port NOVA_EXIT_PORT, which nova_console_init() asks for: without it the thread gets a
 * \#GP event. On a machine that has no such port the thread sleeps for ever.
 * @param value up to NOVA_EXIT_MAX; a larger one counts as that
 */
__attribute__((noreturn)) NOVA_LIBRARY void nova_exit(uint8_t value);

/** What the start file does with the result of nova_main(): nova_exit(), NOVA_EXIT_MAX for values
 *  outside of 0 to that. */
__attribute__((noreturn)) NOVA_LIBRARY void nova_start_return(int result);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/exit.h"
#endif

#endif
