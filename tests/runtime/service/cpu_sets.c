/* SPDX-License-Identifier: BSD-2-Clause */
/* Services and clients on different CPUs: this program has a service on each of several sets of
 * CPUs. A child on each set opens every service, calls it, and shares memory with it. */
#include <errno.h>

#include "../family.h"
#include "../tap.h"
#include "echo.h"
#include "registry.h"

#define SETS   8
#define MEMORY ((size_t)2 << 20)

struct set {
        uint64_t cpus;
        char service[16];
        char argument[32]; /* for a child: the service's name and its CPUs */
};

static struct set sets[SETS];
static unsigned count;

static void add(uint64_t cpus)
{
        struct set *set = &sets[count];

        if (!cpus || (cpus & ~nova_program.cpus))
                return;
        for (unsigned i = 0; i < count; i++)
                if (sets[i].cpus == cpus)
                        return;
        set->cpus = cpus;
        snprintf(set->service, sizeof(set->service), "s%u", count);
        snprintf(set->argument, sizeof(set->argument), "s%u=%lx", count, (unsigned long)cpus);
        count++;
}

/* Chooses the sets. A service has a range of selectors with one portal for each CPU up to its
 * highest one; the size is a power of two, and each possible size occurs. */
static void choose(void)
{
        const uint64_t all = nova_program.cpus;
        const uint64_t highest = (uint64_t)1 << (63 - __builtin_clzll(all));

        add(0x1);
        add(0x2);
        add(0x4);
        add(0x6);
        add(highest);
        add(highest | 0x1);
        add(all);
}

static bool serve(const struct set *set)
{
        const struct echo_options options = {
                .name = set->service, .sessions = 16, .client_sessions = 16, .cpus = set->cpus};

        return echo_start(&options) != NULL;
}

/* Gives a child a service. The services stay, so the program does not store their handles. */
static int open_service(void *context, const char *name, nova_sel_t *sel)
{
        (void)context;
        return novart_registry_get(name, sel) ? 0 : EACCES;
}

/* Returns the status of a child on the set's CPUs that uses all services: 0 if all is well. */
static int visit(const struct set *set)
{
        const char *arguments[SETS + 1] = {NULL};
        struct nova_child_config config = family_config;
        struct nova_child *child;
        const char *sentence;
        int status = -1;

        for (unsigned i = 0; i < count; i++)
                arguments[i] = sets[i].argument;
        config.arguments = arguments;
        config.grants.open = open_service;
        config.cpus = set->cpus;
        config.memory = MEMORY;
        config.kernel_memory = MEMORY;
        if (nova_child_start(&child, &config, &sentence))
                printf("the child %s\n", sentence);
        else
                nova_child_wait(child, &status);
        return status;
}

int main(void)
{
        if (!family_begin("runtime-cpu-sets-child"))
                return 1;
        choose();
        for (unsigned i = 0; i < count; i++)
                if (!serve(&sets[i]))
                        return 1;
        for (unsigned i = 0; i < count; i++) {
                char name[80];

                snprintf(name, sizeof(name), "a client on CPUs %lx shares with every service",
                         (unsigned long)sets[i].cpus);
                check(visit(&sets[i]) == 0, name);
        }
        return tap_end();
}
