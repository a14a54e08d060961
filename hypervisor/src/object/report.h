/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines about threads that were shut down because nothing handles their event. */
#ifndef OBJECT_REPORT_H
#define OBJECT_REPORT_H

#include "object/ec.h"

/** Rate of lines: REPORT_BURST at once, and one more in each REPORT_PERIOD_MS. Lines about threads
 *  to which the root PD has given a name have a separate rate, equal to that of all others. */
#define REPORT_BURST     16
#define REPORT_PERIOD_MS 250

/** Protected by the lock of report.c. */
struct report_rate {
        uint64_t due;    /* TSC value from which REPORT_BURST lines are allowed again */
        uint32_t unsaid; /* number of threads that ended without a line since the last line */
};

/** Returns true if a line may be printed, else counts the thread in unsaid. period: TSC ticks. */
bool report_allowed(struct report_rate *rate, uint64_t now, uint64_t period);

enum report_reason {
        REPORT_NO_PORTAL,     /* the event has no portal that the thread can call */
        REPORT_HANDLER_ENDED, /* the thread waited for the reply of an EC that has ended */
};

/** The root PD's first thread. Its end is always reported, once, because perhaps no other program
 *  is left that could report it. The pointer is only compared, never followed. */
extern const struct ec *report_root_ec;

/** Forgets an EC that is freed: another EC may get its address. */
static inline void report_forget(const struct ec *ec)
{
        if (unlikely(ec == report_root_ec))
                report_root_ec = NULL;
}

/** Reports a thread that is shut down by its last event, if the rate allows it. Only the root PD's
 * first thread and threads that the root PD named are reported; with `serial`, all threads. */
void report_shut_down(const struct ec *ec, enum report_reason reason);

#endif
