/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of threads on a CPU. */
#include <sched.h>

#include "novart/time.h"

/* Time of the sleep in ns. The kernel does not block a thread whose deadline has passed, so the
 * time is longer than the hypercall takes to read the TSC. */
#define YIELD_NS 10000

int sched_yield(void)
{
        nova_sleep(YIELD_NS);
        return 0;
}
