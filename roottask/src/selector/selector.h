/* SPDX-License-Identifier: BSD-2-Clause */
/* Initialisation of the selectors, for the start code. */
#ifndef NOVA_ROOTTASK_SELECTOR_H
#define NOVA_ROOTTASK_SELECTOR_H

#include "novart/selector.h"

/* Initialises the allocator. nova_program must be filled in.
 * @return 0 or an errno value */
int novart_selector_start(void);

#endif
