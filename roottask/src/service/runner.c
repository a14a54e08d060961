/* SPDX-License-Identifier: BSD-2-Clause */
/* One thread per handler, the runner, which calls this handler.
 *
 * A handler runs on its caller's time. If the caller dies, the runner's call donates the time that
 * the handler needs to finish. When this call returns, the handler has received all older messages,
 * so slots of sessions can be reused. When the service stops, the runner ends its handler, because
 * only a thread on the same CPU can end a handler.
 *
 * A runner takes no lock and serves one handler only. So it never waits for a thread that waits for
 * it, whatever locks its handler holds.
 *
 * A runner calls its handler when a thread asks for it, and when the handler has served one call
 * for SERVICE_STEP or longer, or has a claim. After SERVICE_STEP without a call or claim, the
 * runner rests: it waits without a deadline until the handler begins to serve a call. */
#include "internal.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/time.h"
#include "thread/handler.h"

/* Time in ns after which a runner looks again for a handler that has stopped. */
#define SERVICE_STEP 100000000

void novart_service_runner_begin(struct service_cpu *cpu, enum service_handler role)
{
        struct service_runner *const runner = &cpu->runner[role];

        __atomic_store_n(&runner->begun, runner->begun + 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&runner->rests, __ATOMIC_SEQ_CST))
                nova_sm_up(runner->wake);
}

void novart_service_runner_end(struct service_cpu *cpu, enum service_handler role)
{
        struct service_runner *const runner = &cpu->runner[role];

        __atomic_store_n(&runner->served, runner->served + 1, __ATOMIC_RELEASE);
}

static bool serves_calls(const struct service_runner *self)
{
        return self == &self->cpu->runner[SERVICE_CALLS];
}

/* Calls the handler. */
static void pass(struct service_runner *self)
{
        struct nova_service *const service = self->cpu->service;
        const uint32_t wanted = __atomic_load_n(&self->wanted, __ATOMIC_ACQUIRE);
        struct nova_utcb *const utcb = nova_thread_utcb();
        const nova_sel_t portals = serves_calls(self) ? service->control : service->share;

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_NOP);
        self->lost = nova_call(portals + self->cpu->cpu, 0) != NOVA_SUCCESS;
        __atomic_store_n(&self->done, wanted, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&service->passing, __ATOMIC_SEQ_CST))
                nova_sm_up(service->wake);
}

static bool is_working(const struct service_runner *runner)
{
        return __atomic_load_n(&runner->begun, __ATOMIC_SEQ_CST) !=
               __atomic_load_n(&runner->served, __ATOMIC_ACQUIRE);
}

/* Returns true if kernel memory is kept for the handler's next message. The handler's client should
 * have repeated its message long ago, and a message of the runner ends the claim. */
static bool has_claim(const struct service_runner *runner)
{
        return !serves_calls(runner) && __atomic_load_n(&runner->cpu->claim, __ATOMIC_ACQUIRE);
}

/* Rests unless the handler serves a call or has a claim. A handler that begins later finds `rests`
 * set. */
static void rest(struct service_runner *self)
{
        __atomic_store_n(&self->rests, true, __ATOMIC_SEQ_CST);
        if ((is_working(self) || has_claim(self)) && !self->lost)
                __atomic_store_n(&self->rests, false, __ATOMIC_SEQ_CST);
}

/* Looks for a call that has lasted since the runner last looked. If calls have begun since then,
 * makes the worker look for clients that died. *seen: number of calls at the last look. */
static void look(struct service_runner *self, uint32_t *seen)
{
        const uint32_t begun = __atomic_load_n(&self->begun, __ATOMIC_SEQ_CST);

        if (begun != *seen) {
                *seen = begun;
                nova_sm_up(self->cpu->service->wake);
        } else if ((is_working(self) || has_claim(self)) && !self->lost) {
                pass(self);
        } else {
                rest(self);
        }
}

static void *run(void *argument)
{
        struct service_runner *self = (struct service_runner *)argument;
        const struct nova_service *service = self->cpu->service;
        uint64_t next = nova_deadline_in(SERVICE_STEP);
        uint32_t seen = 0;

        while (!service_stopping(service)) {
                const bool due =
                        nova_sm_down_until(self->wake, NOVA_SM_ZC,
                                           self->rests ? NOVA_FOREVER : next) != NOVA_SUCCESS;

                if (service_stopping(service))
                        break;
                __atomic_store_n(&self->rests, false, __ATOMIC_SEQ_CST);
                if (__atomic_load_n(&self->wanted, __ATOMIC_ACQUIRE) != self->done)
                        pass(self);
                if (due) {
                        look(self, &seen);
                        next = nova_deadline_in(SERVICE_STEP);
                }
        }
        /* The handler's callers have received an answer, or get an error because the handler has
         * ended. */
        if (service->published) {
                novart_handler_end(serves_calls(self) ? self->cpu->handler
                                                      : self->cpu->share_handler);
                self->ended = true;
        }
        return NULL;
}

static uint32_t ask(struct service_runner *runner)
{
        const uint32_t wanted = __atomic_add_fetch(&runner->wanted, 1, __ATOMIC_ACQ_REL);

        nova_sm_up(runner->wake);
        return wanted;
}

/* Calls a function for each runner until it returns false. */
static bool each_runner(struct nova_service *service, bool (*function)(struct service_runner *))
{
        bool all = true;

        for (nova_word_t n = 0; n < NOVA_CPU_MAX; n++)
                for (unsigned role = 0; service->cpu[n] && role < SERVICE_HANDLERS; role++)
                        if (service->cpu[n]->runner[role].thread)
                                all = all && function(&service->cpu[n]->runner[role]);
        return all;
}

/* Asks a runner whose handler serves a call. Only such a handler can have the service's lock, or
 * wait for it. */
static bool ask_if_working(struct service_runner *runner)
{
        if (is_working(runner))
                ask(runner);
        return true;
}

void novart_service_runners_ask(struct nova_service *service)
{
        each_runner(service, ask_if_working);
}

static bool set_target(struct service_runner *runner)
{
        runner->target = ask(runner);
        return true;
}

void novart_service_pass_begin(struct nova_service *service)
{
        __atomic_store_n(&service->passing, true, __ATOMIC_SEQ_CST);
        each_runner(service, set_target);
}

static bool has_passed(struct service_runner *runner)
{
        return (int32_t)(__atomic_load_n(&runner->done, __ATOMIC_SEQ_CST) - runner->target) >= 0;
}

bool novart_service_has_passed(struct nova_service *service)
{
        return each_runner(service, has_passed);
}

int novart_service_runner_start(struct service_runner *runner)
{
        const struct nova_thread_attr attr =
                novart_service_thread(runner->cpu->service, runner->cpu->cpu);

        return nova_thread_create(&runner->thread, &attr, run, runner);
}

bool novart_service_runner_stop(struct service_runner *runner)
{
        if (!runner->thread)
                return true;
        nova_sm_up(runner->wake);
        nova_thread_join(runner->thread, NULL);
        runner->thread = NULL;
        return runner->ended || !runner->cpu->service->published;
}
