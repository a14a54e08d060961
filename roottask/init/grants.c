/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants resources to programs by name: the services, modules and devices that the description
 * lists for them, and no others. The threads that answer children call these functions one at a
 * time. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "init.h"
#include "novart/parent.h"
#include "novart/program.h"

#define DENIALS_MAX 4 /* maximum number of reports for each program */

/* The services that can be opened. */
struct service {
        const char *name;
        const struct program *provider;
        nova_sel_t sel; /* first of its control portals */
};

static struct service services[NOVA_SYSTEM_WORDS_MAX];
static unsigned count;
/* For each word of a `uses` list: number of times that the program has opened this service since
 * the program or the provider last started; protected by the mutex. */
static uint32_t opened[NOVA_SYSTEM_WORDS_MAX];
static struct nova_mutex mutex;

/* Returns the index of a word of a list among all words, or NOVA_SYSTEM_WORDS_MAX. */
static unsigned index_of(struct nova_system_list list, const char *word)
{
        for (unsigned i = list.first; i < list.first + list.count; i++)
                if (strcmp(init.system.word[i], word) == 0)
                        return i;
        return NOVA_SYSTEM_WORDS_MAX;
}

bool grants_list_has(struct nova_system_list list, const char *word)
{
        return index_of(list, word) < NOVA_SYSTEM_WORDS_MAX;
}

struct program *grants_provider(const char *service)
{
        return &init.program[nova_system_provider(&init.system, service)];
}

bool grants_needs(const struct program *program, const struct program *provider)
{
        const struct nova_system_list provides = provider->says->provides;

        for (unsigned i = 0; i < provides.count; i++)
                if (grants_list_has(program->says->uses, init.system.word[provides.first + i]))
                        return true;
        return false;
}

static struct service *find(const char *name)
{
        for (unsigned i = 0; i < count; i++)
                if (strcmp(services[i].name, name) == 0)
                        return &services[i];
        return NULL;
}

static bool is_name(const char *name)
{
        for (const char *c = name; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
                        return false;
        return *name;
}

/* Reports that a program tries to open or to offer a service that the description does not grant.
 * The number of reports is limited, because a program may try again and again. */
static void tell_denied(struct program *program, const char *wants, const char *name,
                        enum nova_system_property what)
{
        const struct nova_system_program *const says = program->says;
        const unsigned line = says->line_of[what];

        if (program->denials == DENIALS_MAX || !is_name(name))
                return;
        program->denials++;

        const bool unknown =
                what == NOVA_SYSTEM_USES && nova_system_provider(&init.system, name) < 0;
        const char *const meant = unknown ? nova_system_meant(&init.system, name) : NULL;

        if (meant)
                printf("init: %s %s the service '%s', which no program provides; did you mean "
                       "'%s'?\n",
                       says->name, wants, name, meant);
        else if (unknown)
                printf("init: %s %s the service '%s', which no program provides; write 'provides "
                       "%s' in the section of the program that should provide it, and '%s %s' in "
                       "the section of '%s'.\n",
                       says->name, wants, name, name, nova_system_keyword(what), name, says->name);
        else if (line)
                printf("init: %s %s the service '%s', which its description does not name; add "
                       "'%s' to '%s' in line %u.\n",
                       says->name, wants, name, name, nova_system_keyword(what), line);
        else
                printf("init: %s %s the service '%s', which its description does not name; write "
                       "'%s %s' below line %u.\n",
                       says->name, wants, name, nova_system_keyword(what), name, says->line);
}

static int open(void *context, const char *name, nova_sel_t *sel)
{
        struct program *const program = context;
        const unsigned word = index_of(program->says->uses, name);

        if (word == NOVA_SYSTEM_WORDS_MAX) {
                tell_denied(program, "asks for", name, NOVA_SYSTEM_USES);
                return EACCES;
        }
        nova_mutex_lock(&mutex);

        const struct service *const service = find(name);

        if (service) {
                *sel = service->sel;
                opened[word]++;
        }
        nova_mutex_unlock(&mutex);
        if (service)
                return 0;
        return __atomic_load_n(&grants_provider(name)->state, __ATOMIC_RELAXED) == PROGRAM_OVER
                       ? ESRCH
                       : EAGAIN;
}

/* Returns the description's own copy of a name, which stays valid; NULL if the program does not
 * provide such a service. */
static const char *kept(const struct program *program, const char *name)
{
        for (unsigned i = 0; i < program->says->provides.count; i++) {
                const char *const word = init.system.word[program->says->provides.first + i];

                if (strcmp(word, name) == 0)
                        return word;
        }
        return NULL;
}

static int serve(void *context, const char *name, nova_sel_t sel)
{
        struct program *const program = context;
        const char *const own = kept(program, name);
        int error = 0;

        if (!own) {
                tell_denied(program, "offers", name, NOVA_SYSTEM_PROVIDES);
                return EACCES;
        }
        nova_mutex_lock(&mutex);
        if (find(own))
                error = EEXIST;
        else
                services[count++] = (struct service){own, program, sel};
        if (!error)
                __atomic_store_n(&program->up, true, __ATOMIC_RELEASE);
        nova_mutex_unlock(&mutex);
        if (!error)
                nova_semaphore_up(&init.news);
        return error;
}

static int module(void *context, const char *name, const void **data, size_t *bytes)
{
        const struct program *const program = context;

        if (!grants_list_has(program->says->modules, name))
                return ENOENT;
        return modules_map(name, data, bytes) ? 0 : ENOENT;
}

static int device(void *context, const char *name, unsigned index, struct nova_child_device *wanted)
{
        const struct program *const program = context;

        if (!grants_list_has(program->says->devices, name))
                return ENOENT;
        return devices_get(name, index, wanted);
}

static int pci(void *context, struct nova_child_pci *question)
{
        return pci_answer(context, question);
}

/* Describes a program. Init's main thread may change the program's fields at the same time. Each
 * field is one word, so the value is the old one or the new one. */
static int describe(void *context, nova_word_t number, struct nova_parent_program *about)
{
        static const uint32_t states[] = {
                [PROGRAM_WAITS] = NOVA_PARENT_WAITS,
                [PROGRAM_RUNS] = NOVA_PARENT_RUNS,
                [PROGRAM_PAUSES] = NOVA_PARENT_PAUSES,
                [PROGRAM_OVER] = NOVA_PARENT_OVER,
        };
        const struct program *const asks = context;

        if (!(asks->says->grants & NOVA_SYSTEM_GRANT_STATUS))
                return EACCES;
        if (number >= init.system.programs)
                return ENOENT;

        const struct program *const program = &init.program[number];
        const struct nova_system_program *const says = program->says;

        snprintf(about->name, sizeof(about->name), "%s", says->name);
        about->state = states[__atomic_load_n(&program->state, __ATOMIC_RELAXED)];
        about->priority = says->priority;
        about->restarts = __atomic_load_n(&program->restarts, __ATOMIC_RELAXED);
        about->status = __atomic_load_n(&program->status, __ATOMIC_RELAXED);
        about->cpus = programs_cpus_of(says);
        about->memory = says->memory;
        nova_mutex_lock(&mutex);
        for (unsigned i = 0; i < count; i++)
                about->services += services[i].provider == program;
        nova_mutex_unlock(&mutex);
        return 0;
}

static int status(void *context, struct nova_child_status *question)
{
        return status_answer(context, question);
}

static void describe_session(const struct program *client, unsigned word,
                             struct nova_parent_session *about)
{
        const struct service *const service = find(init.system.word[word]);

        snprintf(about->client, sizeof(about->client), "%s", client->says->name);
        snprintf(about->service, sizeof(about->service), "%s", init.system.word[word]);
        snprintf(about->provider, sizeof(about->provider), "%s",
                 service ? service->provider->says->name : "");
        about->opened = opened[word];
}

int grants_describe_session(uint64_t number, struct nova_parent_session *about)
{
        int error = ENOENT;

        nova_mutex_lock(&mutex);
        for (unsigned i = 0; i < init.system.programs && error; i++) {
                const struct program *const client = &init.program[i];
                const struct nova_system_list uses = client->says->uses;

                for (unsigned w = uses.first; w < uses.first + uses.count && error; w++) {
                        if (!opened[w] || number-- > 0)
                                continue;
                        describe_session(client, w, about);
                        error = 0;
                }
        }
        nova_mutex_unlock(&mutex);
        return error;
}

/* Forgets the sessions with a service. */
static void forget_sessions(const char *name)
{
        for (unsigned i = 0; i < init.system.programs; i++) {
                const unsigned word = index_of(init.program[i].says->uses, name);

                if (word < NOVA_SYSTEM_WORDS_MAX)
                        opened[word] = 0;
        }
}

static bool keep(void *context, void *page, unsigned order)
{
        return quarantine_keep(context, page, order);
}

/* Removes the services and the sessions of a program that has ended. */
static void closed(void *context)
{
        struct program *const program = context;
        const struct nova_system_list uses = program->says->uses;

        __atomic_store_n(&program->closed, true, __ATOMIC_RELEASE);
        nova_mutex_lock(&mutex);
        memset(&opened[uses.first], 0, uses.count * sizeof(*opened));
        for (unsigned i = count; i-- > 0;) {
                if (services[i].provider != program)
                        continue;
                forget_sessions(services[i].name);
                nova_child_retire(services[i].sel, NOVA_PARENT_SERVICE_ORDER);
                services[i] = services[--count];
        }
        nova_mutex_unlock(&mutex);
}

static void ended(void *context)
{
        struct program *const program = context;

        devices_take(program->says);
        __atomic_store_n(&program->ended, true, __ATOMIC_RELEASE);
        nova_semaphore_up(&init.news);
}

bool grants_service_there(const char *name)
{
        nova_mutex_lock(&mutex);

        const bool there = find(name);

        nova_mutex_unlock(&mutex);
        return there;
}

struct nova_child_grants grants_of(struct program *program)
{
        return (struct nova_child_grants){
                .open = open,
                .serve = serve,
                .module = module,
                .device = device,
                .pci = pci,
                .program = describe,
                .status = status,
                .keep = keep,
                .closed = closed,
                .ended = ended,
                .context = program,
        };
}
