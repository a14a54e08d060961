/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdog: if the fuzzer gets nowhere for a long time, prints where each thread stands and
 * ends the run. On several CPUs it is not on the fuzzer's. */
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
                console_string("# the fuzzer stands still; it ");
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
