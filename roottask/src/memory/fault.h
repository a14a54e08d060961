/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads ask of those who serve their exceptions. */
#ifndef NOVA_ROOTTASK_FAULT_H
#define NOVA_ROOTTASK_FAULT_H

#include "nova/abi/types.h"

/* Makes portals for all exceptions that threads on a CPU may raise, from selector @p base on. The
 * one for STARTUP is there already. @return 0 or an errno value */
int fault_fill(nova_word_t cpu, nova_sel_t base);

/* Who serves the events of those who serve events: the parent's portals for a CPU, NOVA_SEL_NONE
 * for a root. */
nova_sel_t fault_events(nova_word_t cpu);

#endif
