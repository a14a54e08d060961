/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of threads, and taking back what detached ones had. */
#ifndef NOVA_ROOTTASK_REAP_H
#define NOVA_ROOTTASK_REAP_H

struct nova_thread;

/* Ends the calling thread, whose result is set. */
_Noreturn void novart_thread_end(struct nova_thread *self);

/* Takes back what detached threads had that have ended. */
void novart_thread_reap(void);

#endif
