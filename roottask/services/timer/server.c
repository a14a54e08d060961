/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `timer`: a heap of deadlines, and a thread that sleeps until the first one. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>

#include "heap.h"
#include "novart/program.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

struct state {
        struct timer timer; /* the first field, so that a timer is the state of its session */
        unsigned expired;
};

static struct timer_heap heap; /* protected by the service's lock, as are the states */
static struct nova_service *service;
static struct nova_semaphore changed = NOVA_SEMAPHORE_INITIALIZER(0);

static uint64_t wide(nova_word_t low, nova_word_t high)
{
        return (uint64_t)high << 32 | (uint32_t)low;
}

static int arm(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;
        const uint64_t deadline = wide(request->word[0], request->word[1]);
        const uint64_t period = wide(request->word[2], request->word[3]);

        if (period && period < NOVA_TIMER_PERIOD_MIN)
                return EINVAL;
        timer_heap_remove(&heap, &state->timer);
        state->timer.deadline = deadline;
        state->timer.period = period;
        state->expired = 0;
        if (!timer_heap_insert(&heap, &state->timer))
                return ENOSPC;
        if (timer_heap_first(&heap) == &state->timer)
                nova_semaphore_up(&changed);
        return 0;
}

static int cancel(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;

        timer_heap_remove(&heap, &state->timer);
        state->expired = 0;
        return 0;
}

static int read_count(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;

        nova_request_answer(request, state->expired);
        state->expired = 0;
        return 0;
}

static void close_session(struct nova_service *of, void *bytes)
{
        struct state *state = (struct state *)bytes;

        (void)of;
        timer_heap_remove(&heap, &state->timer);
}

/* Notifies the sessions whose timers have expired. Reads the time once: on a slow machine, timers
 * with short periods would otherwise expire again and again, and the lock would stay with this
 * thread.
 * @return the next deadline in ns */
static uint64_t expire(void)
{
        const uint64_t now = nova_time_ns();
        struct timer *timer;

        while ((timer = timer_heap_expire(&heap, now))) {
                struct state *state = (struct state *)timer;

                state->expired++;
                nova_service_notify(service, state);
        }
        timer = timer_heap_first(&heap);
        return timer ? timer->deadline : UINT64_MAX;
}

static void *run(void *argument)
{
        (void)argument;
        while (nova_service_lock(service) == 0) {
                const uint64_t next = expire();

                nova_service_unlock(service);
                nova_semaphore_down_until(&changed, nova_tsc_of_ns(next));
        }
        return NULL;
}

int timer_service_start(unsigned sessions, unsigned client_sessions)
{
        static const struct nova_service_operation operations[] = {
                {arm, 4, 4, false},
                {cancel, 0, 0, false},
                {read_count, 0, 0, false},
        };
        const struct nova_service_config config = {
                .name = "timer",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct state),
                .sessions = sessions,
                .client_sessions = client_sessions,
                .close = close_session,
        };
        const struct nova_thread_attr attr = {.name = "timer", .cpu = nova_program.cpu};
        struct nova_thread *thread;

        heap.entries = calloc(sessions, sizeof(struct timer *));
        heap.max = sessions;
        if (!heap.entries)
                return ENOMEM;

        const int error = nova_service_start(&service, &config);

        return error ? error : nova_thread_create(&thread, &attr, run, NULL);
}
