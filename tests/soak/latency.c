/* SPDX-License-Identifier: BSD-2-Clause */
/* Latencies, in cycles: those of a system at rest after each round, and the latest start of a
 * thread while a round runs. If time advances with instructions, latencies at rest may not differ
 * from those of the first rounds by more than TOLERANCE. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#include "server.h"
#include "soak.h"

#define TOLERANCE 25     /* percent */
#define PAUSE_NS  500000 /* time between two starts of the watching thread */
#define REPORT    10     /* rounds between two lines with latencies */

enum { CALL, SESSION, STAT, PING, WAKE, KINDS };

static const struct {
        const char *name;
        unsigned times;
} kinds[KINDS] = {
        [CALL] = {"a call of the peer", 1000},
        [SESSION] = {"a session with the timer", 20},
        [STAT] = {"the size of a file", 100},
        [PING] = {"a semaphore of another CPU and back", 200},
        [WAKE] = {"the start after a deadline", 50},
};

static uint64_t usual[KINDS];
static struct nova_session *peer;
static struct nova_semaphore to = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore from = NOVA_SEMAPHORE_INITIALIZER(0);

static uint64_t cycles(void)
{
        return __builtin_ia32_rdtsc();
}

static uint64_t sleep_late(uint64_t ns)
{
        const uint64_t deadline = nova_deadline_in(ns);
        uint64_t then;

        nova_sleep(ns);
        then = cycles();
        return then > deadline ? then - deadline : 0;
}

/* Does an action once. @return its cycles */
static uint64_t act(unsigned kind)
{
        const uint64_t begin = cycles();
        struct nova_session *timer;
        struct stat about;

        switch (kind) {
        case CALL:
                nova_session_invoke(peer, SERVER_ADD, 1, 2);
                break;
        case SESSION:
                if (!nova_timer_open(&timer))
                        nova_session_close(timer);
                break;
        case STAT:
                stat("/", &about);
                break;
        case PING:
                nova_semaphore_up(&to);
                nova_semaphore_down(&from);
                break;
        default:
                return sleep_late(PAUSE_NS);
        }
        return cycles() - begin;
}

static void *pong(void *unused)
{
        (void)unused;
        for (unsigned i = 0; i < kinds[PING].times; i++) {
                nova_semaphore_down(&to);
                nova_semaphore_up(&from);
        }
        return NULL;
}

static volatile bool over;

/* Keeps its CPU busy, because QEMU may let the time pass faster while a CPU is idle. */
static void *spin(void *unused)
{
        while (!over)
                continue;
        return unused;
}

/* Starts the thread that a kind of latency needs. @return 0 or an errno value */
static int start_other(unsigned kind, struct nova_thread **other)
{
        const struct nova_thread_attr echoes = {.name = "pong", .cpu = 1};
        const struct nova_thread_attr spins = {.name = "spin", .cpu = NOVA_CPU_SELF, .priority = 1};

        over = false;
        return kind == PING   ? nova_thread_create(other, &echoes, pong, NULL)
               : kind == WAKE ? nova_thread_create(other, &spins, spin, NULL)
                              : 0;
}

static uint64_t measure(unsigned kind)
{
        const unsigned times = kinds[kind].times;
        struct nova_thread *other = NULL;
        uint64_t all = 0;

        if (start_other(kind, &other))
                return 0;
        for (unsigned i = 0; i < times; i++)
                all += act(kind);
        over = true;
        if (other)
                nova_thread_join(other, NULL);
        return times ? all / times : 0;
}

static bool differs(uint64_t one, uint64_t other)
{
        const uint64_t more = one > other ? one - other : other - one;

        return more * 100 > other * TOLERANCE;
}

bool latency_compare(unsigned round)
{
        uint64_t present[KINDS];
        bool good = true;

        if (!peer && nova_session_open(&peer, "peer", NULL))
                return soak_fail("the peer does not answer");
        for (unsigned i = 0; i < KINDS; i++) {
                present[i] = measure(i);
                if (round <= FIGURES_FIRST)
                        usual[i] = present[i];
                else if (soak_options.counted && differs(present[i], usual[i]))
                        good = soak_fail("in round %u %s took %llu cycles instead of %llu", round,
                                         kinds[i].name, (unsigned long long)present[i],
                                         (unsigned long long)usual[i]);
        }
        if (round % REPORT == 1 || soak_options.counted)
                printf("round %u: cycles for a call %llu, a session %llu, stat %llu, a "
                       "semaphore %llu, late by %llu\n",
                       round, (unsigned long long)present[CALL],
                       (unsigned long long)present[SESSION], (unsigned long long)present[STAT],
                       (unsigned long long)present[PING], (unsigned long long)present[WAKE]);
        return good;
}
