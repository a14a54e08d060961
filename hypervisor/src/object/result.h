/* SPDX-License-Identifier: BSD-2-Clause */
/* The result that the handler of a hypercall returns. */
#ifndef OBJECT_RESULT_H
#define OBJECT_RESULT_H

#include "lib/types.h"
#include "nova/abi/status.h"

/** An enum nova_status for the caller, or one of the RESULT_… below. */
typedef uint32_t hypercall_result_t;

#define RESULT_STATUS     0xff     /* mask of the status */
#define RESULT_BLOCK      0x10000u /* the caller waits; its state and cont are set */
#define RESULT_RESCHEDULE 0x20000u /* SUCCESS, and a scheduling decision is due */
#define RESULT_CONTINUE   0x40000u /* the caller continues with cont after an interrupt window */

/* Greatest result for which the entry code does not check the CPU's pending work. */
#define RESULT_PLAIN_MAX (NOVA_OUT_OF_MEMORY - 1)

struct ec;

/** Returns status, or RESULT_CONTINUE if this CPU has pending work. OUT_OF_MEMORY is always
 * returned. For handlers that wait for another CPU or wake a thread. */
hypercall_result_t result_of(struct ec *self, enum nova_status status);

#endif
