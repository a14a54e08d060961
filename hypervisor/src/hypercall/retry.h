/* SPDX-License-Identifier: BSD-2-Clause */
/* The retry of hypercalls that lacked memory. */
#ifndef HYPERCALL_RETRY_H
#define HYPERCALL_RETRY_H

struct ec;

/** Frees all reclaimable memory and repeats self's hypercall, which has returned OUT_OF_MEMORY. The
 *  user sees OUT_OF_MEMORY only if that fails, too. */
_Noreturn void resume_after_retry(struct ec *self);

#endif
