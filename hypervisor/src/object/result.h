/* SPDX-License-Identifier: BSD-2-Clause */
/* What the handler of a hypercall returns. */
#ifndef OBJECT_RESULT_H
#define OBJECT_RESULT_H

#include "lib/types.h"
#include "nova/abi/status.h"

/** An enum nova_status for the caller, or one of the RESULT_… below. */
typedef uint32_t hypercall_result_t;

#define RESULT_STATUS     0xff     /* mask of the status */
#define RESULT_BLOCK      0x10000u /* the caller waits; its state and cont are set */
#define RESULT_RESCHEDULE 0x20000u /* SUCCESS, and a scheduling decision is due */
#define RESULT_CONTINUE   0x40000u /* the caller continues with cont, which is set */

/* The entry code returns results up to this one without a look at the CPU's pending work. */
#define RESULT_PLAIN_MAX (NOVA_OUT_OF_MEMORY - 1)

struct ec;

/** Returns status, or RESULT_CONTINUE if this CPU has got work that comes first. OUT_OF_MEMORY
 * stays what it is. For handlers that wait for another CPU or wake a thread. */
hypercall_result_t result_of(struct ec *self, enum nova_status status);

#endif
