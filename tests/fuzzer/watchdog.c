/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdog: if the fuzzer makes no progress for a long time, prints the position of each thread
 * and ends the run. If there are several CPUs, it does not run on the fuzzer's CPU. */
#include "fuzzer.h"

#define LOOK_MS   500
#define SILENT_MS 30000 /* unless the command line says silent=N */

static volatile word_t beats;
static const char *volatile doing = "starts";

void watchdog_beat(const char *phase)
{
        doing = phase;
        beats++;
}

static void watch(struct thread *t)
{
        const nova_sel_t sleep = (nova_sel_t)t->value[0];
        const word_t most = case_argument("silent=", SILENT_MS);
        word_t seen = 0, silent = 0;

        for (;;) {
                hc_sm_until(sleep, 0, tsc() + plan.ticks * LOOK_MS);
                silent = seen == beats ? silent + LOOK_MS : 0;
                seen = beats;
                if (silent < most)
                        continue;
                console_string("# the fuzzer makes no progress; it ");
                console_string(doing);
                console_string("\n");
                report_threads();
                console_string("not ok - watchdog\n");
                console_exit(1);
        }
}

void watchdog_init(void)
{
        struct thread *t = global(plan.cpu[plan.cpus - 1], watch, NULL);

        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
}
