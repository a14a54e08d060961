/* SPDX-License-Identifier: BSD-2-Clause */
/* One thread per CPU, the runner, which calls the service's own handler there.
 *
 * A handler runs on its caller's time. If the caller dies, the runner's call donates the time that
 * the handler needs to finish. When this call returns, the handler has received all older messages,
 * so slots of sessions can be reused. The runner of the first CPU also looks for clients that died.
 * When the service stops, each runner ends the handlers of its CPU, because only a thread on the
 * same CPU can end a handler.
 *
 * While calls come, a runner works once per period. After a period without a call it rests: it
 * waits without a deadline, until a handler begins to serve a call or the parent reports the end of
 * a program. If the parent does not report such ends, the first runner rests only while no session
 * is open. */
#include <errno.h>

#include "internal.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/time.h"
#include "thread/handler.h"

#define SWEEP_STEP 64 /* number of sessions to check before the lock is released for handlers */

void novart_service_runner_wake(struct service_cpu *cpu)
{
        nova_sm_up(cpu->wake);
}

void novart_service_runner_begin(struct service_cpu *cpu, enum service_handler role)
{
        __atomic_store_n(&cpu->calls_begun[role], cpu->calls_begun[role] + 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&cpu->rests, __ATOMIC_SEQ_CST))
                novart_service_runner_wake(cpu);
}

void novart_service_runner_end(struct service_cpu *cpu, enum service_handler role)
{
        __atomic_store_n(&cpu->calls_ended[role], cpu->calls_ended[role] + 1, __ATOMIC_RELEASE);
}

void novart_service_clear_soon(struct nova_service *service)
{
        novart_service_runner_wake(service->cpu[service_first_cpu(service)]);
}

void novart_service_pass(const struct service_cpu *cpu, nova_sel_t portals)
{
        struct nova_utcb *utcb = nova_thread_utcb();

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_NOP);
        nova_call(portals + cpu->cpu, 0);
}

/* Calls the handlers of this CPU. */
static void pass(struct service_cpu *cpu)
{
        const uint32_t wanted = __atomic_load_n(&cpu->wanted, __ATOMIC_ACQUIRE);

        novart_service_pass(cpu, cpu->service->control);
        if (cpu->share_handler)
                novart_service_pass(cpu, cpu->service->share);
        __atomic_store_n(&cpu->done, wanted, __ATOMIC_RELEASE);
        nova_semaphore_up(&cpu->service->passed);
}

/* Waits until every handler has completed its present work once. */
static void pass_everywhere(struct nova_service *service, struct service_cpu *self)
{
        for (nova_word_t n = 0; n < NOVA_CPU_MAX; n++) {
                struct service_cpu *cpu = service->cpu[n];

                if (!cpu)
                        continue;
                const uint32_t wanted = __atomic_add_fetch(&cpu->wanted, 1, __ATOMIC_ACQ_REL);

                if (cpu == self) {
                        pass(cpu);
                        continue;
                }
                novart_service_runner_wake(cpu);
                while ((int32_t)(__atomic_load_n(&cpu->done, __ATOMIC_ACQUIRE) - wanted) < 0 &&
                       !service_stopping(service)) {
                        nova_semaphore_down_until(&service->passed,
                                                  nova_deadline_in(SERVICE_PATIENCE));
                        novart_service_help(service);
                }
        }
}

/* Frees retired slots, and performs the deferred actions. If the service is stopping, the thread
 * that stops it performs them when the handlers have ended. */
static void clear(struct nova_service *service, struct service_cpu *self)
{
        unsigned count;

        if (!novart_service_enter(service))
                return;
        const unsigned head = novart_session_retired_take(&service->table, &count);
        struct nova_later *const later = novart_service_deferred_take(service);

        novart_service_leave(service);
        if (!count && !later)
                return;
        pass_everywhere(service, self);
        if (!novart_service_enter(service)) {
                novart_service_deferred_return(service, later);
                return;
        }
        novart_session_release(&service->table, head);
        if (service_stopping(service))
                novart_service_deferred_return(service, later);
        else
                novart_service_deferred_run(later);
        novart_service_leave(service);
}

static void sweep(struct nova_service *service)
{
        for (unsigned slot = 0; slot < service->table.slot_count; slot += SWEEP_STEP) {
                if (!novart_service_enter(service))
                        return;
                novart_service_sweep(service, slot, SWEEP_STEP);
                novart_service_leave(service);
        }
}

/* Ends the handlers of this CPU. Their callers have received an answer, or get an error because
 * the handler has ended. */
static void end_handlers(struct service_cpu *cpu)
{
        if (!cpu->service->published)
                return;
        novart_handler_end(cpu->handler);
        if (cpu->share_handler)
                novart_handler_end(cpu->share_handler);
        cpu->ended = true;
}

/* Returns the number of calls that the handlers have begun.
 * @param[out] working whether a handler serves a call */
static uint32_t calls(const struct service_cpu *cpu, bool *working)
{
        uint32_t sum = 0;

        *working = false;
        for (unsigned role = 0; role < SERVICE_HANDLERS; role++) {
                const uint32_t ended = __atomic_load_n(&cpu->calls_ended[role], __ATOMIC_ACQUIRE);
                const uint32_t begun = __atomic_load_n(&cpu->calls_begun[role], __ATOMIC_SEQ_CST);

                *working |= begun != ended;
                sum += begun;
        }
        return sum;
}

/* Decides at the end of a period whether the runner rests. *seen: number of calls up to the
 * beginning of the period. A handler that begins later finds `rests` set. */
static void rest(struct service_cpu *self, bool first, uint32_t *seen)
{
        const struct nova_service *service = self->service;
        const uint32_t before = *seen;
        bool working;

        if (first && !service->watched && __atomic_load_n(&service->table.open, __ATOMIC_RELAXED))
                return;
        __atomic_store_n(&self->rests, true, __ATOMIC_SEQ_CST);
        *seen = calls(self, &working);
        if (working || *seen != before)
                __atomic_store_n(&self->rests, false, __ATOMIC_SEQ_CST);
}

static void *run(void *argument)
{
        struct service_cpu *self = (struct service_cpu *)argument;
        struct nova_service *service = self->service;
        const bool first = self->cpu == service_first_cpu(service);
        uint64_t next = nova_time_ns() + SERVICE_PERIOD;
        uint32_t seen = 0;

        while (!service_stopping(service)) {
                nova_sm_down_until(self->wake, NOVA_SM_ZC,
                                   self->rests ? NOVA_FOREVER : nova_tsc_of_ns(next));
                if (service_stopping(service))
                        break;
                if (self->rests) {
                        __atomic_store_n(&self->rests, false, __ATOMIC_SEQ_CST);
                        next = nova_time_ns() + SERVICE_PERIOD;
                }
                pass(self);

                const bool due = nova_time_ns() >= next;

                if (first && due)
                        sweep(service);
                if (first)
                        clear(service, self);
                if (due) {
                        next = nova_time_ns() + SERVICE_PERIOD;
                        rest(self, first, &seen);
                }
        }
        end_handlers(self);
        return NULL;
}

int novart_service_runner_start(struct service_cpu *cpu)
{
        const struct nova_thread_attr attr = {
                .name = cpu->service->config.name,
                .cpu = cpu->cpu,
                .priority = cpu->service->config.priority ? cpu->service->config.priority
                                                          : nova_program.priority,
                .stack_bytes = NOVA_THREAD_STACK_MIN,
        };

        return nova_thread_create(&cpu->runner, &attr, run, cpu);
}

static void join(struct service_cpu *cpu)
{
        const nova_word_t runner = (nova_word_t)cpu->runner;

        novart_service_runner_wake(cpu);
        nova_thread_join(cpu->runner, NULL);
        cpu->runner = NULL;
        novart_service_holder_ended(cpu->service, runner);
}

bool novart_service_runner_stop(struct service_cpu *cpu)
{
        if (cpu->runner)
                join(cpu);
        if (!cpu->service->published)
                return true;
        /* A runner that crashed, in the service's own close function, has not ended its
         * handlers. */
        if (!cpu->ended && novart_service_runner_start(cpu) == 0)
                join(cpu);
        return cpu->ended;
}
