/* SPDX-License-Identifier: BSD-2-Clause */
/* What start asks of the program's memory. */
#ifndef NOVA_ROOTTASK_MEMORY_H
#define NOVA_ROOTTASK_MEMORY_H

/* Makes selectors, pages, regions and pager ready. @return 0 or an errno value */
int memory_start(void);

#endif
