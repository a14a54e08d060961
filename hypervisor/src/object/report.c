/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines about threads that were shut down (see report.h). */
#include "object/report.h"

#include "arch/x86/calibrate.h"
#include "arch/x86/insn.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/console.h"
#include "lib/spinlock.h"
#include "object/name.h"
#include "object/pd.h"

const struct ec *report_root_ec;

/* Threads that the root PD has named share rate_named, so that other threads cannot use it up. */
static struct spinlock lock = SPINLOCK(LOCK_RATE); /* protects rate and rate_named */
static struct report_rate rate, rate_named;

/* A line takes about ten milliseconds at 115200 baud, with interrupts off. Programs decide how many
 * threads end. The limit on the number of lines keeps programs from also deciding how long the
 * kernel prints. */
bool report_allowed(struct report_rate *of, uint64_t now, uint64_t period)
{
        if (of->due < now)
                of->due = now;
        if (of->due - now > (REPORT_BURST - 1) * period) {
                of->unsaid++;
                return false;
        }
        of->due += period;
        return true;
}

/* Returns true if a line may be printed. @param[out] unsaid number of earlier threads without a
 * line */
static bool report_take_line(struct report_rate *of, uint32_t *unsaid)
{
        spin_lock(&lock);

        const bool allowed = report_allowed(of, rdtsc(), (uint64_t)tsc_khz * REPORT_PERIOD_MS);

        if (allowed) {
                *unsaid = of->unsaid;
                of->unsaid = 0;
        }
        spin_unlock(&lock);
        return allowed;
}

static const char *const reasons[] = {
        [REPORT_NO_PORTAL] = "has no portal that it can call",
        [REPORT_HANDLER_ENDED] = "had a handler that has ended",
};

#define LINE(subject) "NOVA: " subject " was shut down: event 0x%lx at 0x%lx, address 0x%lx, %s.\n"

/* Reports the end of a thread, if its rate allows a line. */
static void report_thread(const struct ec *ec, unsigned long event, unsigned long ip,
                          unsigned long address, const char *reason)
{
        char name[NOVA_NAME_SIZE + 1], pd[NOVA_NAME_SIZE + 1];
        uint32_t unsaid;

        if (!report_take_line(ec->named_by_root ? &rate_named : &rate, &unsaid))
                return;
        if (unsaid)
                console_print("NOVA: %u earlier threads have no line, because too many were shut "
                              "down in a short time.\n",
                              unsaid);
        name_print(ec->name, name);
        name_print(ec->pd->name, pd);
        console_print(LINE("%s '%s' of PD '%s'"), ec->vcpu ? "virtual CPU" : "thread", name, pd,
                      event, ip, address, reason);
}

void report_shut_down(const struct ec *ec, enum report_reason reason)
{
        const unsigned long event = ec->event_number, ip = ec->regs.ip, address = ec->event_qual[1];
        const bool first = ec == report_root_ec;

        if (load_once(ec->pd->object.dead)) /* pd_destroy ends the thread anyway */
                return;
        if (first) {
                report_root_ec = NULL;
                console_print(LINE("the roottask's first thread"), event, ip, address,
                              reasons[reason]);
        }
        if (ec->named_by_root || (!first && cmdline.serial))
                report_thread(ec, event, ip, address, reasons[reason]);
}
