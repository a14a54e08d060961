/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a hypercall: the handler's result decides how the thread continues. */
#ifndef HYPERCALL_FINISH_H
#define HYPERCALL_FINISH_H

#include "lib/types.h"
#include "object/result.h"

struct ec;

/** Performs a hypercall whose handler may go to user mode instead of returning. The registers are
 * saved. */
_Noreturn void hypercall_long(word_t id, struct ec *self);

/** Acts on a result that is not a plain status, or on work pending for self. For OUT_OF_MEMORY it
 * frees all reclaimable memory and repeats the hypercall. The user sees OUT_OF_MEMORY only if the
 * repetition also fails. The registers are saved. */
_Noreturn void hypercall_finish(struct ec *self, hypercall_result_t result);

#endif
