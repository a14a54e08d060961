/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines about threads that were shut down because nothing handles their event. */
#ifndef OBJECT_REPORT_H
#define OBJECT_REPORT_H

#include "object/ec.h"

/** Rate of lines: REPORT_BURST at once, and one more in each REPORT_PERIOD_MS. Lines about threads
 * that the root PD has named have a separate rate with these same limits. */
#define REPORT_BURST     16
#define REPORT_PERIOD_MS 250

/** Protected by the lock of report.c. */
struct report_rate {
        uint64_t due;    /* TSC value from which REPORT_BURST lines are allowed again */
        uint32_t unsaid; /* number of threads that ended without a line since the last line */
};

/** Returns true if a line may be printed, else counts the thread in unsaid. now, period: TSC
 * ticks. */
bool report_allowed(struct report_rate *rate, uint64_t now, uint64_t period);

enum report_reason {
        REPORT_NO_PORTAL,     /* the event has no portal that the thread can call */
        REPORT_HANDLER_ENDED, /* the thread waited for the reply of an EC that has ended */
};

/** The root PD's first thread. The kernel always reports its shut-down, because there may be no
 * other program left to report it. The pointer is only compared, never dereferenced. */
extern const struct ec *report_root_ec;

/** Forgets an EC that is freed: another EC may get its address. */
static inline void report_forget(const struct ec *ec)
{
        if (unlikely(ec == report_root_ec))
                report_root_ec = NULL;
}

/** Reports a thread that its event shuts down. The root PD's first thread is always reported.
 * Threads that the root PD named, and with `serial` all threads, are reported if their rate allows
 * a line. Threads of a PD that pd_destroy is ending are never reported. */
void report_shut_down(const struct ec *ec, enum report_reason reason);

#endif
