/* SPDX-License-Identifier: BSD-2-Clause */
/* What start asks of the selectors. */
#ifndef NOVA_ROOTTASK_SELECTOR_H
#define NOVA_ROOTTASK_SELECTOR_H

#include "novart/selector.h"

/* Makes the allocator ready. nova_program must be filled in. @return 0 or an errno value */
int novart_selector_start(void);

#endif
