/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines about threads that were shut down because no portal handles their event. */
#ifndef IPC_REPORT_H
#define IPC_REPORT_H

#include "object/ec.h"

/** Rate of lines: REPORT_BURST at once, and one more in each REPORT_PERIOD_MS. Threads with a name
 *  from the root PD have a rate of their own, apart from all others. */
#define REPORT_BURST     16
#define REPORT_PERIOD_MS 250

/** Under the lock of report.c. */
struct report_rate {
        uint64_t due;    /* TSC value from which REPORT_BURST lines are allowed again */
        uint32_t unsaid; /* number of threads without a line since the last line */
};

/** Returns true if a line may come now, else counts the thread in unsaid. period: TSC ticks. */
bool report_allowed(struct report_rate *rate, uint64_t now, uint64_t period);

/** Reports, within the rate, a thread whose event has no handler: threads to which the root PD gave
 *  a name, under `serial` all threads. */
void report_shut_down(const struct ec *ec);

#endif
