/* SPDX-License-Identifier: BSD-2-Clause */
/* What start asks of the program's memory. */
#ifndef NOVA_ROOTTASK_MEMORY_H
#define NOVA_ROOTTASK_MEMORY_H

/* Makes selectors, pages and regions ready, for the main thread before it has a storage base.
 * @return 0 or an errno value */
int novart_memory_start(void);

#endif
