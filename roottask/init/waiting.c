/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that wait for services of other programs: decides whether they can start, reports
 * services that do not appear, and computes when init checks again. */
#include <stdio.h>
#include <stdlib.h>

#include "init.h"
#include "novart/time.h"

#define SECOND          UINT64_C(1000000000)
#define SERVICE_SECONDS 20    /* time in s that a program has to provide its services */
#define SECONDS_MAX     86400 /* maximum in s that the environment may set */

uint64_t waiting_patience(void)
{
        const char *const says = getenv("SERVICE_SECONDS");
        const unsigned long seconds = says ? strtoul(says, NULL, 10) : 0;

        return SECOND * (seconds && seconds <= SECONDS_MAX ? seconds : SERVICE_SECONDS);
}

/* Returns service number @p i of the services that a program uses; NULL after the last one. */
static const char *used(const struct program *program, unsigned i)
{
        const struct nova_system_list uses = program->says->uses;

        return i < uses.count ? init.system.word[uses.first + i] : NULL;
}

/* Returns true if a program runs that can still provide its services. */
static bool provides(const struct program *program)
{
        return program->state == PROGRAM_RUNS &&
               !__atomic_load_n(&program->closed, __ATOMIC_ACQUIRE);
}

static bool services_there(const struct program *program)
{
        const char *service;

        for (unsigned i = 0; (service = used(program, i)) != NULL; i++)
                if (!grants_service_there(service))
                        return false;
        return true;
}

/* Reports a program that waits for a service that will never be available.
 * @return true if it does */
static bool waits_in_vain(const struct program *program)
{
        const char *service;

        for (unsigned i = 0; (service = used(program, i)) != NULL; i++) {
                if (grants_provider(service)->state != PROGRAM_OVER)
                        continue;
                printf("init: %s cannot start: the service '%s' is missing, because the program "
                       "'%s', which provides it, has ended.\n",
                       program->says->name, service, grants_provider(service)->says->name);
                return true;
        }
        return false;
}

/* Reports a program that has waited too long: the provider of a service runs but has not provided
 * it, or is stuck itself. The waiting program starts if the service appears later, but init does
 * not wait for this.
 * @return true if it has waited too long */
static bool waits_too_long(const struct program *program)
{
        const char *service;

        for (unsigned i = 0; (service = used(program, i)) != NULL; i++) {
                const struct program *const provider = grants_provider(service);
                const bool late = provides(provider) ? nova_time_ns() >= provider->serve_until
                                                     : provider->stuck;

                if (!late || grants_service_there(service))
                        continue;
                printf("init: %s still waits for the service '%s': '%s' %s.\n", program->says->name,
                       service, provider->says->name,
                       provider->stuck ? "waits, too" : "runs but has not provided it");
                return true;
        }
        return false;
}

bool waiting_look(struct program *program)
{
        if (services_there(program)) {
                program->stuck = false;
                return true;
        }
        if (waits_in_vain(program)) {
                program->state = PROGRAM_OVER;
                program->status = EXIT_FAILURE;
        } else if (!program->stuck && waits_too_long(program)) {
                program->stuck = true;
                program->status = EXIT_FAILURE;
        }
        return false;
}

/* Returns the time in ns since boot at which init checks the providers of a waiting program again:
 * the earliest deadline of a provider. */
static uint64_t patience_ends(const struct program *program)
{
        uint64_t end = UINT64_MAX;
        const char *service;

        for (unsigned i = 0; (service = used(program, i)) != NULL; i++) {
                const struct program *const provider = grants_provider(service);

                if (provides(provider) && provider->serve_until < end &&
                    !grants_service_there(service))
                        end = provider->serve_until;
        }
        return end;
}

static uint64_t pause_ends(const struct program *program)
{
        const uint64_t quarantine = quarantine_ends(program);

        return quarantine > program->pause_until ? quarantine : program->pause_until;
}

uint64_t waiting_deadline(void)
{
        uint64_t end = UINT64_MAX;

        for (unsigned i = 0; i < init.system.programs; i++) {
                const struct program *const program = &init.program[i];
                uint64_t own = UINT64_MAX;

                if (program->state == PROGRAM_PAUSES)
                        own = pause_ends(program);
                else if (program->state == PROGRAM_WAITS && !program->stuck)
                        own = patience_ends(program);
                end = own < end ? own : end;
        }
        return end == UINT64_MAX ? NOVA_FOREVER : nova_tsc_of_ns(end);
}
