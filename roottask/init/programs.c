/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the programs, restarts them, and ends the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init.h"
#include "novart/program.h"
#include "novart/time.h"

#define STRINGS_MAX 65

/* Pause before a restart. Without it, a program that crashes repeatedly would keep init busy, and
 * init has the highest priority of all programs. */
#define PAUSE_NS  UINT64_C(1000000) /* added to the pause at each restart */
#define PAUSE_MAX 100               /* maximum of the pause, in units of PAUSE_NS */

/* Maximum number of failures in a row before a program comes up, if its description sets no limit.
 * Without this maximum, the messages of a program that never comes up would fill the terminal. */
#define FAILURES_MAX 5
#define UP_NS        UINT64_C(1000000000) /* a program without services is up after this time */

/* Copies a list into an array that ends with NULL, the form that children get. The array has room
 * for all words of a line. */
static void make_strings(const char **strings, struct nova_system_list list)
{
        memcpy(strings, &init.system.word[list.first], list.count * sizeof(*strings));
        strings[list.count] = NULL;
}

uint64_t programs_cpus_of(const struct nova_system_program *says)
{
        return says->cpus == ~UINT64_C(0) ? nova_program.cpus : says->cpus;
}

static unsigned flags_of(const struct nova_system_program *says)
{
        return (says->grants & NOVA_SYSTEM_GRANT_CHILDREN ? NOVA_CHILD_MAY_HAVE_CHILDREN : 0) |
               (says->grants & NOVA_SYSTEM_GRANT_DMA ? NOVA_CHILD_MAY_DMA : 0) |
               (says->grants & NOVA_SYSTEM_GRANT_POWER ? NOVA_CHILD_MAY_POWER : 0);
}

/* Returns true and prints a message if a program's device would reach all memory. */
static bool is_dangerous(const struct nova_system_program *says)
{
        const struct nova_system_device *const device = pci_unprotected(says);

        if (!device)
                return false;
        printf("init: %s cannot start: the machine has no I/O MMU, so its device '%s' would reach "
               "all memory by DMA; if that is acceptable, write 'dma-unprotected' below line %u.\n",
               says->name, device->name, device->line);
        return true;
}

/* Returns true and prints a message if the memory of a program's device contains something other
 * than a device. */
static bool has_taken_memory(const struct nova_system_program *says)
{
        const struct nova_system_device *device;
        const struct nova_system_range *range;
        const char *const content = devices_taken(says, &device, &range);

        if (!content)
                return false;
        printf("init: %s cannot start: the memory 0x%llx-0x%llx of its device '%s' overlaps %s; ",
               says->name, (unsigned long long)range->first, (unsigned long long)range->last,
               device->name, content);
        if (device->line)
                printf("write the addresses of a device's registers below line %u.\n",
                       device->line);
        else
                printf("leave out this device.\n");
        return true;
}

static void start(struct program *program)
{
        const struct nova_system_program *const says = program->says;
        const char *arguments[STRINGS_MAX], *environment[STRINGS_MAX], *sentence;
        enum program_state state = PROGRAM_OVER;
        struct nova_child_config config = {
                .name = says->name,
                .arguments = arguments,
                .environment = environment,
                .memory = (size_t)says->memory,
                .image_memory = (size_t)says->image,
                /* Without a line in the description, the child's default applies, which depends on
                 * its CPUs. */
                .kernel_memory =
                        says->line_of[NOVA_SYSTEM_KERNEL_MEMORY] ? (size_t)says->kernel_memory : 0,
                .selectors = says->selectors,
                .cpus = programs_cpus_of(says),
                .priority = says->priority,
                .flags = flags_of(says),
                .grants = grants_of(program),
        };

        make_strings(arguments, says->arguments);
        make_strings(environment, says->environment);
        __atomic_store_n(&program->up, false, __ATOMIC_RELAXED);
        if (!modules_map(says->file, &config.image, &config.image_bytes))
                printf("init: %s cannot start: its file %s cannot be mapped.\n", says->name,
                       says->file);
        else if (nova_child_start(&program->child, &config, &sentence))
                printf("init: %s cannot start: %s %s.\n", says->name, says->file, sentence);
        else
                state = PROGRAM_RUNS;
        if (state == PROGRAM_OVER)
                program->status = EXIT_FAILURE;
        /* Writes the state once, with its final value: grants.c may read it at any time, and
         * regards PROGRAM_OVER as final. */
        __atomic_store_n(&program->state, state, __ATOMIC_RELAXED);
        program->started = nova_time_ns();
        program->serve_until = program->started + waiting_patience();
}

static void start_first(struct program *program)
{
        printf("init: %s starts.\n", program->says->name);
        if (!is_dangerous(program->says) && !has_taken_memory(program->says)) {
                start(program);
                return;
        }
        program->state = PROGRAM_OVER;
        program->status = EXIT_FAILURE;
}

/* Returns true if init restarts a program that has ended. */
static bool again(const struct program *program)
{
        const struct nova_system_program *const says = program->says;

        if (says->restart == NOVA_SYSTEM_NEVER || program->status == NOVA_EXIT_FINAL ||
            (says->restart == NOVA_SYSTEM_ON_FAILURE && !program->status))
                return false;
        if (!says->restart_limit)
                return program->failures < FAILURES_MAX;
        return program->restarts < says->restart_limit;
}

/* Returns true if a program that has ended had come up: it had offered a service, or had run for a
 * while. */
static bool was_up(const struct program *program)
{
        if (program->says->provides.count)
                return __atomic_load_n(&program->up, __ATOMIC_ACQUIRE);
        return nova_time_ns() - program->started >= UP_NS;
}

static void count_failure(struct program *program)
{
        if (was_up(program))
                program->failures = 0;
        else if (program->status)
                program->failures++;
}

/* Ends the sentence about a program that init no longer restarts: names the missing service and its
 * clients. */
static void tell_given_up(const struct program *program)
{
        const struct nova_system_list provides = program->says->provides;
        const char *before = "; ";
        unsigned waiting = 0;

        printf(" and is not started again: it failed %u times ", program->failures);
        if (provides.count)
                printf("before it provided its service '%s'", init.system.word[provides.first]);
        else
                printf("within a second of its start");
        for (unsigned i = 0; i < init.system.programs; i++) {
                const struct program *const client = &init.program[i];

                if (client->state != PROGRAM_WAITS || !grants_needs(client, program))
                        continue;
                printf("%s%s", before, client->says->name);
                before = ", ";
                waiting++;
        }
        puts(waiting == 0 ? "." : waiting == 1 ? " waits for it." : " wait for it.");
}

/* Reports the end of a program, and whether init restarts it. */
static void tell_end(const struct program *program)
{
        const struct nova_system_program *const says = program->says;

        printf("init: %s ended with status %d", says->name, program->status);
        if (program->status == NOVA_EXIT_FINAL && says->restart != NOVA_SYSTEM_NEVER) {
                puts(" and is not started again, because it would end in the same way again.");
                return;
        }
        if (!says->restart_limit && program->failures >= FAILURES_MAX) {
                tell_given_up(program);
                return;
        }
        if (!again(program)) {
                const bool limit = says->restart != NOVA_SYSTEM_NEVER && says->restart_limit &&
                                   program->restarts == says->restart_limit;

                puts(limit ? " and is not started again: the limit is reached." : ".");
                return;
        }
        if (says->restart_limit)
                printf(" and starts again (%u of %u).\n", program->restarts + 1,
                       says->restart_limit);
        else
                puts(" and starts again.");
}

static void look_at_end(struct program *program)
{
        __atomic_store_n(&program->ended, false, __ATOMIC_RELAXED);
        nova_child_wait(program->child, &program->status);
        count_failure(program);
        __atomic_store_n(&program->closed, false, __ATOMIC_RELAXED);
        tell_end(program);
        if (!again(program)) {
                program->state = PROGRAM_OVER;
                return;
        }
        program->state = PROGRAM_PAUSES;
        program->pause_until =
                nova_time_ns() +
                PAUSE_NS * (program->restarts < PAUSE_MAX ? program->restarts : PAUSE_MAX);
}

static void look_at(struct program *program)
{
        if (program->state == PROGRAM_RUNS && __atomic_load_n(&program->ended, __ATOMIC_ACQUIRE))
                look_at_end(program);
        if (program->state == PROGRAM_PAUSES && nova_time_ns() >= program->pause_until &&
            !quarantine_ends(program)) {
                program->restarts++;
                start(program);
        }
        if (program->state == PROGRAM_WAITS && waiting_look(program))
                start_first(program);
}

/* Returns true if the system ends now. It ends when all programs without services have ended or are
 * stuck. A system of services alone ends when all of them have ended. */
static bool over(void)
{
        bool other = false;

        for (unsigned i = 0; i < init.system.programs; i++) {
                const struct program *const program = &init.program[i];
                const bool service = program->says->provides.count;

                other = other || !service;
                if (program->state != PROGRAM_OVER && !program->stuck && !service)
                        return false;
        }
        for (unsigned i = 0; i < init.system.programs && !other; i++)
                if (init.program[i].state != PROGRAM_OVER)
                        return false;
        return true;
}

static int end_system(void)
{
        int status = EXIT_SUCCESS;

        for (unsigned i = 0; i < init.system.programs; i++) {
                struct program *const program = &init.program[i];

                if (program->state == PROGRAM_RUNS) {
                        nova_child_kill(program->child, 0);
                        nova_child_wait(program->child, NULL);
                } else if (program->status && program->state != PROGRAM_PAUSES) {
                        /* a program that pauses has not failed: init would have restarted it */
                        status = EXIT_FAILURE;
                }
        }
        printf("init: the system ends with status %d.\n", status);
        return status;
}

int programs_run(void)
{
        for (unsigned i = 0; i < init.system.programs; i++)
                init.program[i].says = &init.system.program[i];
        for (;;) {
                for (unsigned i = 0; i < init.system.programs; i++)
                        look_at(&init.program[init.system.order[i]]);
                if (over())
                        return end_system();
                nova_semaphore_down_until(&init.news, waiting_deadline());
        }
}
