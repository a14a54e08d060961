/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `timer`, while time passes. A model of the timers predicts each
 * expiration and the time at which the service's thread wakes. No client may affect the timer of
 * another one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "novart/program.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "service.h"
#include "service/internal.h"
#include "timer/server.h"

#define STEP  6
#define WORDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void __wrap_nova_service_notify(struct nova_service *of, const void *state);
void __real_nova_service_notify(struct nova_service *of, const void *state);

/* A client's timer, as the test knows it. */
static struct {
        bool armed;
        uint64_t deadline, period;
        unsigned expired, notified;
} timers[CLIENT_SESSIONS];

static uint64_t now, sleeps_until;
static unsigned readings; /* number of readings of the time since the thread began to run */
static unsigned ups;
static void *(*thread_function)(void *);
static bool starts;
static void *heap; /* the service's array, which it keeps until the program ends */

void *__wrap_calloc(size_t count, size_t bytes)
{
        void *const memory = __real_calloc(count, bytes);

        if (starts)
                heap = memory;
        starts = false;
        return memory;
}

void __wrap_nova_service_notify(struct nova_service *of, const void *state)
{
        const char *const name = session_of_state(of, state)->client;

        require(!memcmp(name, "client", 6));
        timers[(unsigned)(name[6] - '0') % CLIENT_SESSIONS].notified++;
        __real_nova_service_notify(of, state);
}

/* Returns the time of a machine that is so slow that a timer with the shortest period expires again
 * between two readings. */
uint64_t nova_time_ns(void)
{
        return now + (uint64_t)NOVA_TIMER_PERIOD_MIN * readings++;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument)
{
        (void)thread, (void)attr, (void)argument;
        thread_function = function;
        return 0;
}

void nova_semaphore_up(struct nova_semaphore *semaphore)
{
        (void)semaphore;
        ups++;
}

/* Notes that the thread sleeps. The test lets it run again later, from the beginning. */
int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline)
{
        (void)semaphore;
        sleeps_until = deadline;
        service_end_threads(true);
        return 0;
}

/* Returns the first deadline after `now` of a periodic timer. */
static uint64_t next_of(uint64_t deadline, uint64_t period)
{
        const uint64_t left = (now - deadline) % period, next = now - left;

        return next > UINT64_MAX - period ? UINT64_MAX : next + period;
}

/* Lets the thread run. Each timer whose deadline has passed must expire once. */
static void run(void)
{
        uint64_t first = UINT64_MAX;

        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                timers[i].notified = 0;
        readings = 0;
        thread_function(NULL);
        service_end_threads(false);
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++) {
                const bool due = timers[i].armed && timers[i].deadline <= now;

                require(timers[i].notified == due);
                timers[i].expired += due;
                timers[i].armed = timers[i].armed && (!due || timers[i].period);
                if (due && timers[i].period)
                        timers[i].deadline = next_of(timers[i].deadline, timers[i].period);
                if (timers[i].armed && timers[i].deadline < first)
                        first = timers[i].deadline;
        }
        require(sleeps_until == first);
        ups = 0;
}

/* Returns a time for a byte: shortly before or after now, or the borders of the types. */
static uint64_t time_of(uint8_t byte)
{
        static const uint64_t times[] = {0,
                                         UINT64_MAX,
                                         UINT64_MAX - 1,
                                         UINT64_MAX - NOVA_TIMER_PERIOD_MIN,
                                         UINT32_MAX,
                                         UINT64_C(1) << 32,
                                         UINT64_C(1) << 63,
                                         NOVA_TIMER_PERIOD_MIN};

        return byte < 0xf8 ? now + byte * UINT64_C(50000) - 2000000 : times[byte - 0xf8];
}

static uint64_t period_of(uint8_t byte)
{
        return byte < 0xf8 ? byte * UINT64_C(20000) : time_of(byte);
}

static void arm(unsigned session, const uint8_t *step)
{
        const uint64_t deadline = time_of(step[2]), period = period_of(step[3]);
        const uint64_t garbage = (uint64_t)step[4] << 40; /* above the 32 bits that count */
        const nova_word_t words[4] = {(uint32_t)deadline | garbage, deadline >> 32,
                                      (uint32_t)period | garbage, period >> 32};
        const bool fits = !period || period >= NOVA_TIMER_PERIOD_MIN;
        struct client_answer answer;

        client_call(session, NOVA_TIMER_ARM, words, 4, NULL, &answer);
        require(answer.error == (fits ? 0 : EINVAL));
        if (!fits)
                return;
        timers[session].armed = true;
        timers[session].deadline = deadline;
        timers[session].period = period;
        timers[session].expired = 0;
        require(deadline >= sleeps_until || ups);
}

static void read_count(unsigned session)
{
        struct client_answer answer;

        client_call(session, NOVA_TIMER_READ, "", 0, NULL, &answer);
        require(!answer.error && answer.words == 1 && answer.word[0] == timers[session].expired);
        timers[session].expired = 0;
}

static void stop(unsigned session, nova_word_t operation)
{
        struct client_answer answer;

        client_call(session, operation, "", 0, NULL, &answer);
        require(!answer.error);
        memset(&timers[session], 0, sizeof(timers[session]));
}

/* Sends messages that the protocol does not have. */
static void send_wrong(unsigned session, const uint8_t *step)
{
        const nova_word_t words[WORDS] = {step[3], step[4]};
        struct client_answer answer;
        unsigned count = step[2] % WORDS;

        client_call(session, NOVA_TIMER_READ + 1 + step[5], words, count, NULL, &answer);
        require(answer.error);
        client_call(session, NOVA_TIMER_ARM, words, count == 4 ? 3 : count, NULL, &answer);
        require(answer.error);
        client_call(session, NOVA_TIMER_READ, words, count + 1, NULL, &answer);
        require(answer.error);
}

/* Performs a step. Its bytes: operation, session, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS;

        if (!client_is_open(session)) {
                client_open(session, "", 0);
                return;
        }
        switch (step[0] % 8) {
        case 0:
        case 1:
                arm(session, step);
                break;
        case 2:
                stop(session, NOVA_TIMER_CANCEL);
                break;
        case 3:
                read_count(session);
                break;
        case 4:
                stop(session, NOVA_OPERATION_CLOSE);
                break;
        case 5:
                send_wrong(session, step);
                break;
        default: /* time passes, but never reaches the largest number */
                now += ((uint64_t)step[2] << 16) << (step[3] < 248 ? step[3] % 16 : step[3] % 47);
                now = now < UINT64_MAX / 2 ? now : UINT64_MAX / 2;
                run();
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        now = UINT64_C(10000000);
        starts = true;
        memset(timers, 0, sizeof(timers));
        require(timer_service_start(CLIENT_SESSIONS, CLIENT_SESSIONS) == 0);
        run();
        for (; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        client_end();
        memset(timers, 0, sizeof(timers));
        run();
        free(heap);
        return 0;
}
