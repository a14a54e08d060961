/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines about threads that were shut down because no portal handles their event. */
#ifndef IPC_REPORT_H
#define IPC_REPORT_H

#include "object/ec.h"

/** How many lines may come, and when: REPORT_BURST at once, one more in each REPORT_PERIOD_MS; as
 *  many about threads with a name from the root PD, as many about all others. */
#define REPORT_BURST     16
#define REPORT_PERIOD_MS 250

/** Under the lock of report.c. */
struct report_rate {
        uint64_t due;    /* TSC value: all lines so far are paid for from then on */
        uint32_t unsaid; /* threads without a line since the last line */
};

/** Whether a line may come now. False: the thread counts as one without. period: ticks. */
bool report_allowed(struct report_rate *rate, uint64_t now, uint64_t period);

/** Reports a thread whose event has no handler, within the rate: one that the root PD gave a name,
 *  under `serial` every one. */
void report_shut_down(const struct ec *ec);

#endif
