/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks across programs: services, the order of starts, devices. */
#include "system/reader.h"

#include <stdio.h>
#include <string.h>

#define GUEST_MOST     254 /* maximum priority of the virtual CPUs of a secure guest */
#define CYCLE_TEXT_MAX 300
#define LABEL_MAX      8       /* NOVA_NAME_SIZE */
#define SHARES         "vmms=" /* argument of the ultravisor: number of shares of its memory */
#define SHARES_MOST    8

/* Minimum memory in bytes of a program that provides or uses a service. The heap leaves 32 KiB to
 * stacks and tables; a service on one CPU, or a session, needs some more. (16 KiB are enough for a
 * program that only computes.) */
#define PROVIDES_MIN (UINT64_C(64) << 10)
#define USES_MIN     (UINT64_C(48) << 10)

static bool list_has(const struct nova_system *system, struct nova_system_list list,
                     const char *word)
{
        for (unsigned i = 0; i < list.count; i++)
                if (text_equal(system->word[list.first + i], word))
                        return true;
        return false;
}

int nova_system_provider(const struct nova_system *system, const char *service)
{
        for (unsigned i = 0; i < system->programs; i++)
                if (list_has(system, system->program[i].provides, service))
                        return (int)i;
        return -1;
}

int nova_system_owner(const struct nova_system *system, const char *device)
{
        for (unsigned i = 0; i < system->programs; i++)
                if (list_has(system, system->program[i].devices, device))
                        return (int)i;
        return -1;
}

static void check_provided_once(struct reader *reader, unsigned number)
{
        const struct nova_system *system = reader->system;
        const struct nova_system_program *program = &system->program[number];

        for (unsigned i = 0; i < program->provides.count; i++) {
                const char *service = system->word[program->provides.first + i];
                const int first = nova_system_provider(system, service);

                if (first < (int)number)
                        reader_mistake(reader, program->line_of[NOVA_SYSTEM_PROVIDES],
                                       "the service '%s' is already provided by '%s'; rename one "
                                       "of the two services.",
                                       service, system->program[first].name);
        }
}

const char *nova_system_meant(const struct nova_system *system, const char *service)
{
        const char *meant = NULL;

        for (unsigned i = 0; i < system->programs; i++)
                for (unsigned k = 0; k < system->program[i].provides.count; k++)
                        meant = value_closer(service, meant,
                                             system->word[system->program[i].provides.first + k]);
        return meant;
}

static void unknown_service(struct reader *reader, unsigned line, const char *service)
{
        const char *const meant = nova_system_meant(reader->system, service);

        if (meant)
                reader_mistake(reader, line,
                               "no program provides the service '%s'; did you mean '%s'?", service,
                               meant);
        else
                reader_mistake(reader, line,
                               "no program provides the service '%s'; write 'provides %s' in the "
                               "section of the program that should provide it, or add a section "
                               "for this program.",
                               service, service);
}

/* A call stays on its CPU, so without a common CPU no call is possible. */
static void check_common_cpu(struct reader *reader, const struct nova_system_program *program,
                             const struct nova_system_program *provider, const char *service)
{
        if (program->cpus & provider->cpus)
                return;
        reader_mistake(reader,
                       program->line_of[NOVA_SYSTEM_CPUS] ? program->line_of[NOVA_SYSTEM_CPUS]
                                                          : program->line_of[NOVA_SYSTEM_USES],
                       "'%s' has no CPU in common with '%s' and cannot call its service '%s'; "
                       "write 'cpus all' for '%s', or add CPU %u to the 'cpus' of '%s'.",
                       program->name, provider->name, service, provider->name,
                       (unsigned)__builtin_ctzll(provider->cpus), program->name);
}

/* Virtual CPUs of secure guests run at the ultravisor's priority and hold its locks: a thread of
 * a higher priority could stop all guests for ever. */
static void check_ultravisor(struct reader *reader, const struct nova_system_program *program,
                             const struct nova_system_program *ultravisor)
{
        const unsigned most = ultravisor->priority < GUEST_MOST ? ultravisor->priority : GUEST_MOST;
        const unsigned line = program->line_of[NOVA_SYSTEM_PRIORITY];

        if (program->priority > most)
                reader_mistake(reader, line ? line : program->line,
                               "'%s' has priority %u, so its threads could stop the guests of '%s' "
                               "for ever; write 'priority %u' or less for '%s', or a higher "
                               "priority for '%s'.",
                               program->name, program->priority, ultravisor->name, most,
                               program->name, ultravisor->name);
}

static void check_uses(struct reader *reader, unsigned number)
{
        const struct nova_system *system = reader->system;
        const struct nova_system_program *program = &system->program[number];
        const unsigned line = program->line_of[NOVA_SYSTEM_USES];

        for (unsigned i = 0; i < program->uses.count; i++) {
                const char *service = system->word[program->uses.first + i];
                const int provider = nova_system_provider(system, service);

                if (provider < 0)
                        unknown_service(reader, line, service);
                else if (provider == (int)number)
                        reader_mistake(reader, line,
                                       "'%s' uses its own service '%s'; leave it out of 'uses'.",
                                       program->name, service);
                else if (program->cpus && system->program[provider].cpus)
                        check_common_cpu(reader, program, &system->program[provider], service);
                if (provider >= 0 && text_equal(service, ULTRAVISOR))
                        check_ultravisor(reader, program, &system->program[provider]);
        }
}

/* Only the ultravisor may have the key, which opens each image that is sealed for the machine. In a
 * system without an ultravisor this is not checked: no program needs the key, but it comes with a
 * sealed image, so the description must name it. */
static void check_key(struct reader *reader, unsigned number)
{
        const struct nova_system *system = reader->system;
        const struct nova_system_program *program = &system->program[number];
        const int ultravisor = nova_system_provider(system, ULTRAVISOR);

        if (ultravisor >= 0 && ultravisor != (int)number &&
            list_has(system, program->modules, MACHINE_KEY))
                reader_mistake(reader, program->line_of[NOVA_SYSTEM_MODULES],
                               "'%s' gets machine.key, which opens all images that are sealed for "
                               "the machine; leave it out of 'modules', because only '%s' may have "
                               "it.",
                               program->name, system->program[ultravisor].name);
}

/* Returns the number in the ultravisor's argument; 0: there is no such argument, or the ultravisor
 * refuses it when it starts. */
static unsigned shares_of(const char *argument)
{
        unsigned shares = 0;

        if (strncmp(argument, SHARES, strlen(SHARES)) != 0)
                return 0;
        argument += strlen(SHARES);
        for (; *argument >= '0' && *argument <= '9' && shares <= SHARES_MOST; argument++)
                shares = shares * 10 + (unsigned)(*argument - '0');
        return *argument ? 0 : shares;
}

/* Each program that uses the ultravisor needs a share of the ultravisor's memory: the ultravisor
 * refuses the sessions of a program for which no share is left. */
static void check_shares(struct reader *reader)
{
        const struct nova_system *system = reader->system;
        const int ultravisor = nova_system_provider(system, ULTRAVISOR);
        const struct nova_system_program *program =
                &system->program[ultravisor < 0 ? 0 : ultravisor];
        unsigned shares, users = 0;

        if (ultravisor < 0 || program->arguments.count != 1)
                return;
        shares = shares_of(system->word[program->arguments.first]);
        for (unsigned i = 0; i < system->programs; i++)
                users += list_has(system, system->program[i].uses, ULTRAVISOR);
        if (shares && shares < users)
                reader_mistake(reader, program->line_of[NOVA_SYSTEM_ARGUMENTS],
                               SHARES
                               "%u divides the memory of '%s' among too few programs: %u "
                               "programs use its service '" ULTRAVISOR "'; write '" SHARES
                               "N' with a larger N (at most %u), or remove the service from 'uses' "
                               "of a program.",
                               shares, program->name, users, SHARES_MOST);
}

static void check_memory(struct reader *reader, const struct nova_system_program *program)
{
        const bool provides = program->provides.count > 0;
        const uint64_t min = provides ? PROVIDES_MIN : program->uses.count ? USES_MIN : 0;

        if (program->memory < min)
                reader_mistake(reader, program->line_of[NOVA_SYSTEM_MEMORY],
                               "memory %lluK is too little for a program that %s; write 'memory "
                               "%lluK' or more.",
                               (unsigned long long)(program->memory >> 10),
                               provides ? "provides a service" : "uses a service",
                               (unsigned long long)(min >> 10));
}

/* Returns a program for which program `number` waits and which has no place in the order yet; -1 if
 * there is none. */
static int waits_for(const struct nova_system *system, unsigned number, const bool *placed)
{
        const struct nova_system_program *program = &system->program[number];

        for (unsigned i = 0; i < program->uses.count; i++) {
                const int provider =
                        nova_system_provider(system, system->word[program->uses.first + i]);

                if (provider >= 0 && provider != (int)number && !placed[provider])
                        return provider;
        }
        return -1;
}

/* Reports one cycle of programs that wait for each other. */
static void tell_cycle(struct reader *reader, unsigned start, const bool *placed)
{
        const struct nova_system *system = reader->system;
        char text[CYCLE_TEXT_MAX];
        int at = (int)start;

        /* After as many steps as there are programs, the walk is inside a cycle. */
        for (unsigned i = 0; i < system->programs; i++) {
                at = waits_for(system, (unsigned)at, placed);
                /*@ assert waits: at >= 0; */
        }
        const int first = at;
        size_t used = (size_t)snprintf(text, sizeof(text), "'%s'", system->program[at].name);

        do {
                at = waits_for(system, (unsigned)at, placed);
                /*@ assert waits: at >= 0; */
                if (used < sizeof(text))
                        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                                 " waits for '%s'", system->program[at].name);
        } while (at != first);
        reader_mistake(reader, system->program[first].line_of[NOVA_SYSTEM_USES],
                       "these programs wait for each other and cannot start: %s; remove one of "
                       "their services from 'uses'.",
                       text);
}

/* Orders the programs so that each comes after the providers of all services that it uses. */
static void find_order(struct reader *reader)
{
        struct nova_system *system = reader->system;
        bool placed[NOVA_SYSTEM_PROGRAMS_MAX] = {false};
        unsigned count = 0;

        for (bool more = true; more;) {
                more = false;
                for (unsigned i = 0; i < system->programs; i++) {
                        if (placed[i] || waits_for(system, i, placed) >= 0)
                                continue;
                        placed[i] = more = true;
                        system->order[count++] = (uint8_t)i;
                }
        }
        for (unsigned i = 0; i < system->programs; i++)
                if (!placed[i]) {
                        tell_cycle(reader, i, placed);
                        return;
                }
}

static bool overlap(const struct nova_system *system, struct nova_system_list a,
                    struct nova_system_list b)
{
        for (unsigned i = 0; i < a.count; i++)
                for (unsigned k = 0; k < b.count; k++) {
                        const struct nova_system_range *x = &system->range[a.first + i];
                        const struct nova_system_range *y = &system->range[b.first + k];

                        if (x->first <= y->last && y->first <= x->last)
                                return true;
                }
        return false;
}

/* Returns the resource that two devices share, or NULL. */
static const char *common(const struct nova_system *system, const struct nova_system_device *a,
                          const struct nova_system_device *b)
{
        if (overlap(system, a->ports, b->ports))
                return "ports";
        if (overlap(system, a->memory, b->memory))
                return "memory";
        if (a->pci.lines & b->pci.lines & NOVA_SYSTEM_PCI_AT && a->pci.at == b->pci.at)
                return "the function of its line 'at'";
        return overlap(system, a->interrupts, b->interrupts) ? "an interrupt" : NULL;
}

/* Checks one device of a program against the devices of the programs before it. */
static void check_device(struct reader *reader, unsigned number, const char *name, int device,
                         const int *owner)
{
        const struct nova_system *system = reader->system;
        const unsigned line = system->program[number].line_of[NOVA_SYSTEM_DEVICES];

        for (unsigned i = 0; i < system->devices; i++) {
                const char *both = common(system, &system->device[i], &system->device[device]);

                if (owner[i] < 0 || owner[i] == (int)number || ((int)i != device && !both))
                        continue;
                if ((int)i == device)
                        reader_mistake(reader, line,
                                       "the device '%s' already belongs to '%s'; let one of the "
                                       "two programs use a service of the other.",
                                       name, system->program[owner[i]].name);
                else
                        reader_mistake(reader, line,
                                       "the device '%s' has %s in common with the device '%s' of "
                                       "the program '%s'; give both devices to one program.",
                                       name, both, system->device[i].name,
                                       system->program[owner[i]].name);
        }
}

static void unknown_device(struct reader *reader, unsigned line, const char *name)
{
        const struct nova_system *system = reader->system;
        const char *meant = NULL;

        for (unsigned i = 0; i < system->devices; i++)
                meant = value_closer(name, meant, system->device[i].name);
        if (meant)
                reader_mistake(reader, line, "there is no device '%s'; did you mean '%s'?", name,
                               meant);
        else
                reader_mistake(reader, line,
                               "there is no device '%s'; declare it in a section 'device %s'.",
                               name, name);
}

static void check_devices(struct reader *reader)
{
        const struct nova_system *system = reader->system;
        int owner[NOVA_SYSTEM_DEVICES_MAX];

        memset(owner, -1, sizeof(owner));
        for (unsigned p = 0; p < system->programs; p++) {
                const struct nova_system_program *program = &system->program[p];

                for (unsigned i = 0; i < program->devices.count; i++) {
                        const char *name = system->word[program->devices.first + i];
                        const int device = nova_system_find_device(system, name);

                        if (device < 0) {
                                unknown_device(reader, program->line_of[NOVA_SYSTEM_DEVICES], name);
                                continue;
                        }
                        check_device(reader, p, name, device, owner);
                        if (owner[device] < 0)
                                owner[device] = (int)p;
                }
        }
}

struct nova_system_machine nova_system_declared_machine(const struct nova_system *system)
{
        const unsigned cpus = system->machine_cpus;

        return (struct nova_system_machine){
                .memory = system->machine_memory ? system->machine_memory : UINT64_MAX,
                .kernel_memory = UINT64_MAX,
                .cpus = cpus && cpus < 64 ? (UINT64_C(1) << cpus) - 1 : ~UINT64_C(0),
        };
}

/* Returns a service that two programs use, or NULL. */
static const char *common_service(const struct nova_system *system,
                                  const struct nova_system_program *a,
                                  const struct nova_system_program *b)
{
        for (unsigned i = 0; i < a->uses.count; i++)
                if (list_has(system, b->uses, system->word[a->uses.first + i]))
                        return system->word[a->uses.first + i];
        return NULL;
}

/* Checks that services can distinguish their clients. A service identifies a client by the name of
 * its PD, which has only the first characters of the program's name. */
static void check_label(struct reader *reader, unsigned number)
{
        const struct nova_system *system = reader->system;
        const struct nova_system_program *program = &system->program[number];

        for (unsigned i = 0; i < number; i++) {
                const struct nova_system_program *other = &system->program[i];
                const char *service = common_service(system, program, other);

                if (service && strncmp(program->name, other->name, LABEL_MAX) == 0)
                        reader_mistake(reader, program->line,
                                       "'%s' and '%s' (line %u) have the same first %u characters, "
                                       "by which the service '%s' distinguishes them; rename one, "
                                       "and name its file with 'file'.",
                                       program->name, other->name, other->line, LABEL_MAX, service);
        }
}

void check_programs(struct reader *reader)
{
        for (unsigned i = 0; i < reader->system->programs; i++) {
                check_provided_once(reader, i);
                check_uses(reader, i);
                check_key(reader, i);
                check_memory(reader, &reader->system->program[i]);
                check_label(reader, i);
        }
        check_shares(reader);
        find_order(reader);
        check_devices(reader);
        pci_check(reader);
        mounts_check(reader);

        const struct nova_system_machine machine = nova_system_declared_machine(reader->system);

        reader->mistakes += nova_system_check_machine(reader->system, &machine, reader->report,
                                                      reader->context);
}
