/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a roottask begins, seen from C. */
#ifndef NOVA_START_H
#define NOVA_START_H

#include "nova/abi/hip.h"
#include "nova/exit.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size in bytes of the stack on which nova_main() runs. */
#define NOVA_START_STACK_SIZE 16384

/**
 * The roottask's own code, called by libnova's start file on a stack of NOVA_START_STACK_SIZE.
 *
 * When it returns, the run ends as by nova_exit(): where other threads are to go on, let this one
 * wait for something instead. Without the port that nova_exit() needs, the kernel says that the
 * thread was shut down by \#GP.
 * @param hip the hypervisor information page; the root EC's UTCB is the page below it
 * @param cpu number of the CPU on which the root EC runs
 * @return 0 if all went well, else up to NOVA_EXIT_MAX; other values count as that
 * @spec 6.1.2, 7.1, 8.1
 */
int nova_main(const struct nova_hip *hip, nova_word_t cpu);

#ifdef __cplusplus
}
#endif

#endif
