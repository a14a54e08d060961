/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that have found no memory. */
#ifndef HYPERCALL_RETRY_H
#define HYPERCALL_RETRY_H

struct ec;

/** self's hypercall has returned OUT_OF_MEMORY: frees all reclaimable memory and makes the call
 *  again. The user sees OUT_OF_MEMORY only if that fails, too. */
_Noreturn void resume_after_retry(struct ec *self);

#endif
