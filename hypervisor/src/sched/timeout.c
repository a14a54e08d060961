/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines (see timeout.h). Only an EC's own CPU touches its deadline. The CPU that takes the EC
 * out of the semaphore's waiters, under the semaphore's lock, decides how the wait ends. */
#include "sched/timeout.h"

#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/wake.h"

#define STEP 16 /* maximum number of deadlines that one interrupt handles */

void timeout_start(struct ec *self, uint64_t deadline)
{
        assert(self->cpu == cpu_self() && !self->timeout.key && deadline);
        self->timeout.key = deadline;
        heap_insert(&self->cpu->timeouts, &self->timeout);
        timeout_arm(self->cpu, deadline);
}

void timeout_stop(struct ec *ec)
{
        if (!ec->timeout.key)
                return;
        assert(ec->cpu == cpu_self());
        heap_remove(&ec->cpu->timeouts, &ec->timeout);
        ec->timeout.key = 0;
}

void timeout_expire(struct cpu *cpu)
{
        const uint64_t now = rdtsc();
        struct heap_node *first;

        timeout_once(cpu);
        cpu->timer_end = CPU_TIMER_OFF;
        for (unsigned i = 0; (first = cpu->timeouts.first) && first->key <= now && i < STEP; i++) {
                struct ec *ec = container_of(first, struct ec, timeout);
                timeout_stop(ec);
                if (!sm_leave(ec))
                        continue; /* another CPU has already sent the wake-up */
                ec->wait_status = NOVA_COM_TIM;
                sched_wake(ec);
        }
        if (first)
                timeout_arm(cpu, first->key);
}

void timeout_advance(struct cpu *cpu, uint64_t end)
{
        const uint64_t now = rdtsc();

        timeout_once(cpu);
        cpu->timer_end = end;
        timer_arm(end > now ? end - now : 0);
}
