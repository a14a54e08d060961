/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a roottask begins, seen from C. */
#ifndef NOVA_START_H
#define NOVA_START_H

#include "nova/abi/hip.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The roottask's own code, called by libnova's start file on a stack of 16 KiB.
 *
 * When it returns, the root EC sleeps for ever; threads that it has created go on.
 * @param hip the hypervisor information page; the root EC's UTCB is the page below it
 * @param cpu number of the CPU on which the root EC runs
 * @return ignored
 * @spec 6.1.2, 7.1, 8.1
 */
int nova_main(const struct nova_hip *hip, nova_word_t cpu);

#ifdef __cplusplus
}
#endif

#endif
