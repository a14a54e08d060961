/* SPDX-License-Identifier: BSD-2-Clause */
/* The soak: equal rounds of a Debian guest, services and storms, which run at the same time. After
 * each round the counters of the system must be what they were. Arguments: `rounds=N` or
 * `minutes=N`, and for tests of the soak `without-guest` and `leak`. With `leak`, each round leaves
 * a selector, a page, 2,000 bytes, a session and a semaphore of the peer behind. With `counted`,
 * latencies are compared, too. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/thread.h"
#include "novart/time.h"

#include "soak.h"

#define MINUTE_NS UINT64_C(60000000000)
#define REPORT    10 /* rounds between two lines */

struct soak_options soak_options;

bool soak_fail(const char *format, ...)
{
        va_list list;

        va_start(list, format);
        printf("not ok: ");
        vprintf(format, list);
        puts(".");
        va_end(list);
        return false;
}

/* Returns the value of an argument NAME=VALUE, or NULL if it has another name. */
static const char *value_of(const char *argument, const char *name)
{
        const size_t bytes = strlen(name);

        return strncmp(argument, name, bytes) ? NULL : argument + bytes;
}

static bool read_argument(const char *argument)
{
        const char *value;

        if ((value = value_of(argument, "rounds=")) != NULL)
                return (soak_options.rounds = (unsigned)strtoul(value, NULL, 10)) != 0;
        if ((value = value_of(argument, "minutes=")) != NULL)
                return (soak_options.minutes = (unsigned)strtoul(value, NULL, 10)) != 0;
        soak_options.leak |= !strcmp(argument, "leak");
        soak_options.counted |= !strcmp(argument, "counted");
        soak_options.without_guest |= !strcmp(argument, "without-guest");
        return !strcmp(argument, "counted") || !strcmp(argument, "without-guest") ||
               !strcmp(argument, "leak");
}

/* Runs a part of a round in a thread. Returns NULL if something went wrong. */
static void *run_services(void *unused)
{
        (void)unused;
        return services_round() ? &soak_options : NULL;
}

static void *run_storm(void *unused)
{
        (void)unused;
        return storm_round() ? &soak_options : NULL;
}

/* Runs the parts of a round at the same time: the guest on CPU 0, the others on CPU 1. */
static bool run_round(void)
{
        const struct nova_thread_attr attr = {.name = "part", .cpu = 1, .priority = 50};
        struct nova_thread *services, *storm;
        void *served = NULL, *stormed = NULL;
        bool good = true;

        if (nova_thread_create(&services, &attr, run_services, NULL) ||
            nova_thread_create(&storm, &attr, run_storm, NULL))
                return soak_fail("the threads of a round cannot be made");
        if (!soak_options.without_guest)
                good = guest_round() || soak_fail("the guest's work went wrong");
        nova_thread_join(services, &served);
        nova_thread_join(storm, &stormed);
        return good && served && stormed;
}

static bool goes_on(unsigned round)
{
        return soak_options.rounds ? round <= soak_options.rounds
                                   : nova_time_ns() < soak_options.minutes * MINUTE_NS;
}

int main(int argc, char **argv)
{
        unsigned round = 1;

        for (int i = 1; i < argc; i++) {
                if (!read_argument(argv[i])) {
                        soak_fail("there is no argument '%s'", argv[i]);
                        return 1;
                }
        }
        if (!services_begin() || !storm_begin()) {
                soak_fail("the log or the child is missing");
                return 1;
        }
        for (; goes_on(round); round++) {
                if (!run_round() || !latency_compare(round) || !figures_compare(round))
                        return 1;
                if (round % REPORT == 0)
                        printf("after round %u, %llu s: %u figures are equal\n", round,
                               (unsigned long long)(nova_time_ns() / 1000000000), figures_count());
        }
        if (--round <= FIGURES_FIRST)
                return !soak_fail("%u rounds are too few to compare", round);
        printf("each of %u rounds left nothing behind: %u figures are equal.\n", round,
               figures_count());
        return 0;
}
