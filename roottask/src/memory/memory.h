/* SPDX-License-Identifier: BSD-2-Clause */
/* Initialisation of the program's memory, for the start code. */
#ifndef NOVA_ROOTTASK_MEMORY_H
#define NOVA_ROOTTASK_MEMORY_H

/* Initialises selectors, pages and regions. The main thread calls this function before the thread
 * has a storage base, so the function uses no thread-local variables. @return 0 or an errno
 * value */
int novart_memory_start(void);

#endif
