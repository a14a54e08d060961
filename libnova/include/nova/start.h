/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry point of a roottask in C. */
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
 * The roottask's own code, called by libnova's start file on a stack of NOVA_START_STACK_SIZE
 * bytes.
 *
 * When the function returns, the run ends as with nova_exit(). If other threads have to continue,
 * the function must not return. If the PD lacks the port that nova_exit() needs, the kernel reports
 * that \#GP shut down the thread.
 * @param hip the hypervisor information page; the root EC's UTCB is the page below it
 * @param cpu number of the CPU on which the root EC runs
 * @return 0 for success, else 1 to NOVA_EXIT_MAX; other values become NOVA_EXIT_MAX
 * @spec 6.1.2, 7.1, 8.1
 */
int nova_main(const struct nova_hip *hip, nova_word_t cpu);

#ifdef __cplusplus
}
#endif

#endif
