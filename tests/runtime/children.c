/* SPDX-License-Identifier: BSD-2-Clause */
/* Children that behave well, fault, flood, make invalid requests, use up all resources or never
 * end: the parent answers and continues, and all resources come back. */
#include <errno.h>
#include <stdlib.h>

#include "family.h"
#include "nova/event.h"
#include "nova/hip.h"
#include "novart/fault.h"
#include "novart/start_page.h"
#include "novart/thread.h"
#include "tap.h"

#define GIVEN 7
#define KEPT  4 /* pages that a check may keep; runtime-many-children tests that nothing leaks */

static struct family_balance before;

static void check_lives(void)
{
        static const char *const environment[] = {"COLOUR=green", NULL};
        int status = -1;
        struct nova_child *child;

        check(family_run("return", "42") == 42, "the exit status of a child arrives");
        family_config.environment = environment;
        check(family_run("print", "a text of the child's") == 0, "a child has its environment");
        family_config.environment = NULL;
        check(family_run("input", NULL) == GIVEN, "only an input with a source is a terminal");
        check(family_run("denied", NULL) == GIVEN, "a child has no resource that was not granted");

        child = family_start("sleep", NULL);
        check(nova_child_wait_until(child, &status, 0) == ETIMEDOUT, "a wait can have a deadline");
        nova_child_kill(child, 77);
        nova_child_wait(child, &status);
        check(status == 77, "a child that sleeps is killed");
        child = family_start("spin", NULL);
        family_sleep(20);
        nova_child_kill(child, 78);
        nova_child_wait(child, &status);
        check(status == 78, "a child that spins is killed");
        check(family_balanced(&before, KEPT), "all of them returned all resources");
}

static void check_faults(void)
{
        struct nova_child *const other = family_start("sleep", NULL);

        check(family_run("fault", NULL) == NOVA_FAULT_STATUS + NOVA_EXC_PF,
              "a child that faults ends with that event");
        family_config.memory = 1 << 20;
        check(family_run("overflow", NULL) == NOVA_FAULT_STATUS + NOVA_EXC_PF,
              "a child whose stack overflows ends with that event");
        family_config.memory = 0;
        check(nova_child_wait_until(other, NULL, 0) == ETIMEDOUT, "another child continues");
        nova_child_kill(other, 0);
        nova_child_wait(other, NULL);
        check(family_balanced(&before, KEPT), "faults leave nothing behind");
}

/* Starts a child with @p words words, which are its name and its arguments. */
static int start_with_words(unsigned words, const char **sentence)
{
        static const char *arguments[NOVA_START_WORDS + 2];
        struct nova_child_config config = family_config;
        struct nova_child *child;
        int status;

        for (unsigned i = 0; i <= NOVA_START_WORDS + 1; i++)
                arguments[i] = i < words - 1 ? "x" : NULL;
        arguments[0] = "count";
        config.arguments = arguments;

        const int error = nova_child_start(&child, &config, sentence);

        if (error)
                return -error;
        nova_child_wait(child, &status);
        return status;
}

static void check_words(void)
{
        const char *sentence = "";

        check(start_with_words(NOVA_START_WORDS, &sentence) == GIVEN,
              "a child gets as many words as fit");
        check(start_with_words(NOVA_START_WORDS + 1, &sentence) == -E2BIG &&
                      strcmp(sentence, "has more arguments and environment entries than fit into "
                                       "its start page") == 0,
              "one more word is refused");
        check(family_balanced(&before, KEPT), "words leave nothing behind");
}

/* Starts a child whose segments need more memory than `image_memory` permits. */
static void check_image(void)
{
        struct nova_child_config config = family_config;
        struct nova_child *child;
        const char *sentence = "";

        config.image_memory = NOVA_PAGE_SIZE;
        check(nova_child_start(&child, &config, &sentence) == EFBIG &&
                      strstr(sentence, "segments that need more memory"),
              "a child's segments take no more than their limit");
        check(family_balanced(&before, 0), "a refused child leaves nothing behind");
}

#define NO_DEED 99 /* status of a child whose argument names none of its deeds */

/* Starts a child with these amounts. Returns its status, or a negative error. */
static int start_with(size_t memory, size_t kernel_memory, size_t selectors)
{
        static const char *const arguments[] = {"none", NULL};
        struct nova_child_config config = family_config;
        struct nova_child *child;
        const char *sentence = NULL;
        int status;

        config.arguments = arguments;
        config.memory = memory;
        config.kernel_memory = kernel_memory;
        config.selectors = selectors;

        const int error = nova_child_start(&child, &config, &sentence);

        if (error)
                return sentence ? -error : 0;
        nova_child_wait(child, &status);
        return status;
}

static void check_minima(void)
{
        const size_t memory = NOVA_CHILD_MEMORY_MIN, selectors = NOVA_CHILD_SELECTORS_MIN;
        const size_t kernel_memory = NOVA_CHILD_KERNEL_MEMORY_MIN;

        check(start_with(memory, kernel_memory, selectors) == NO_DEED,
              "a child runs with the minimum of each resource");
        check(start_with(memory - 1, 0, 0) == -EINVAL && start_with(1, 0, 0) == -EINVAL,
              "a child with less memory is refused");
        check(start_with(0, kernel_memory - 1, 0) == -EINVAL && start_with(0, 1, 0) == -EINVAL,
              "and so is one with less kernel memory");
        check(start_with(0, 0, selectors - 1) == -EINVAL && start_with(0, 0, 1) == -EINVAL,
              "and one with fewer selectors");
        check(family_balanced(&before, KEPT), "refused children leave nothing behind");
}

static void *nothing(void *argument)
{
        return argument;
}

/* Requests a quantum that does not fit into a QPD on x86-32: the runtime must not drop its upper
 * bits. */
static void check_quantum(void)
{
        const struct nova_thread_attr attr = {.name = "long", .quantum_us = 1 << 20};
        struct nova_thread *thread;
        int error = nova_thread_create(&thread, &attr, nothing, NULL);

        if (!error)
                error = nova_thread_join(thread, NULL);
        check(!error, "a thread can request a quantum above the maximum");

        struct nova_child *const hog = family_start("hog", NULL);

        family_sleep(50);
        check(family_run("return", "5") == 5, "a child's endless quantum ends");
        nova_child_kill(hog, 0);
        nova_child_wait(hog, NULL);
        check(family_balanced(&before, KEPT), "the hog leaves nothing behind");
}

/* Measures the progress of a child on the first CPU beside a busy child on the first or the last
 * CPU. Returns true if the progress is at least half of the progress beside a child that spins on
 * the same CPU. Takes the best of five measurements, because the test machine's other loads are
 * transient. */
static bool gets_on(const char *deed, bool same_cpu)
{
        const uint64_t cpus = nova_program.cpus;
        const uint64_t other = same_cpu ? cpus & -cpus : cpus & ~(cpus >> 1);
        int best = 0, beside_spinner = 0;

        for (unsigned i = 0; i < 5; i++) {
                for (unsigned talks = 0; talks < 2; talks++) {
                        family_config.cpus = other;

                        struct nova_child *const neighbour =
                                family_start(talks ? deed : "spin", NULL);

                        family_config.cpus = cpus & -cpus;

                        const int rounds = family_run("progress", "40");

                        if (talks && rounds > best)
                                best = rounds;
                        else if (!talks && rounds > beside_spinner)
                                beside_spinner = rounds;
                        nova_child_kill(neighbour, 0);
                        nova_child_wait(neighbour, NULL);
                }
                if (best >= beside_spinner / 2)
                        break;
        }
        family_config.cpus = 0;
        printf("beside %s on %s CPU: %d, beside spin: %d\n", deed,
               same_cpu ? "the same" : "the last", best, beside_spinner);
        return best >= beside_spinner / 2;
}

static void check_text(void)
{
        static const char *const environment[] = {"COLOUR=green", NULL};

        check(family_run("reports", NULL) == NOVA_FAULT_STATUS + NOVA_EXC_PF,
              "a child can say once that it has faulted");
        check(gets_on("chatter", true), "a child writes text on its own time");
        check(gets_on("chatter", false), "a child that writes text does not slow other CPUs");
        check(gets_on("flood", false), "a child that makes endless requests does not slow them");
        for (unsigned i = 0; i < 20; i++) {
                struct nova_child *const chatter = family_start("chatter", NULL);

                family_sleep(i % 4);
                nova_child_kill(chatter, 0);
                nova_child_wait(chatter, NULL);
        }
        family_config.environment = environment;
        check(family_run("print", "after the chatter") == 0,
              "other children write after one was killed in the middle of a line");
        family_config.environment = NULL;
        check(family_balanced(&before, KEPT), "text leaves nothing behind");
}

static void check_evil(void)
{
        struct nova_child *const flood = family_start("flood", NULL);
        struct nova_child *const second = family_start("flood", NULL);

        check(family_run("return", "3") == 3,
              "a child gets its requests answered while two others flood");
        nova_child_kill(flood, 0);
        nova_child_kill(second, 0);
        nova_child_wait(flood, NULL);
        nova_child_wait(second, NULL);
        check(family_run("exhaust", NULL) == GIVEN, "a child can use up its own memory only");
        check(family_run("nonsense", "2000") == GIVEN, "nonsense is answered");
        check(family_run("suicide", NULL) == GIVEN,
              "threads that end while they are served delay no other thread");
        check(family_run("drop", NULL) == GIVEN,
              "a thread that drops the SC on which it asks leaves the parent's thread free");
        check(family_run("return", "4") == 4, "the next child is served normally");
        check(family_balanced(&before, KEPT), "these requests leave nothing behind");
}

/* Checks that children find no traces of others: the second child gets the pages of the first one,
 * and its own child gets the pages that the second child has not touched. */
static void check_traces(void)
{
        family_config.memory = 8 << 20;
        check(family_run("traces", NULL) == GIVEN, "all of a child's memory is zero");
        check(family_run("traces", NULL) == GIVEN,
              "memory that another child has used is zero, too");
        family_config.memory = 0;
        check(family_balanced(&before, KEPT), "the traces leave nothing behind");
}

/* Returns the default limit of a child's kernel memory, in bytes. */
static size_t default_kernel_memory(void)
{
        struct nova_child *const child = family_start("sleep", NULL);
        size_t used, limit = 0;

        nova_child_kernel_memory(child, &used, &limit);
        nova_child_kill(child, 0);
        nova_child_wait(child, NULL);
        return limit;
}

static void check_default_kernel_memory(unsigned cpus)
{
        const size_t wanted = (128 + 48 * (cpus - 1)) << 10;

        family_config.kernel_memory = 0;
        family_config.cpus = nova_program.cpus;
        check(default_kernel_memory() == (wanted < 1 << 20 ? wanted : 1 << 20),
              "the default kernel memory of a child grows with its CPUs");
        family_config.cpus = 0;
        check(default_kernel_memory() == 128 << 10, "a child on one CPU has 128 KiB by default");
}

static void check_cpus(void)
{
        const unsigned cpus = nova_hip_cpu_count(nova_program.hip);
        char number[12];
        struct family_balance all;

        check_default_kernel_memory(cpus);
        family_config.cpus = nova_program.cpus;
        family_config.kernel_memory = 512 << 10;
        snprintf(number, sizeof(number), "%u", cpus);
        check(family_run("threads", number) == GIVEN, "a child has threads on all of its CPUs");
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program.cpus >> cpu & 1) {
                        family_config.cpus = UINT64_C(1) << cpu;
                        if (family_run("threads", "1") != GIVEN)
                                check(false, "a child has a thread on each single CPU");
                }
        all = family_balance();
        family_config.cpus = nova_program.cpus;
        family_run("threads", number);
        family_run("threads", number);
        check(family_balanced(&all, KEPT), "children on all CPUs leave nothing behind");
        family_config.cpus = 0;
        family_config.kernel_memory = 0;
}

static int grant_module(void *context, const char *name, const void **data, size_t *bytes)
{
        (void)context;
        if (strcmp(name, "runtime-child") != 0)
                return ENOENT;
        *data = family_config.image;
        *bytes = family_config.image_bytes;
        return 0;
}

static void check_grandchildren(void)
{
        const struct nova_child_config plain = family_config;

        family_config.flags = NOVA_CHILD_MAY_HAVE_CHILDREN;
        family_config.memory = 1 << 20;
        family_config.kernel_memory = 512 << 10;
        family_config.selectors = 4096;
        family_config.grants.module = grant_module;
        check(family_run("parent", "11") == 11, "a child is a parent");
        check(family_run("parent", "a text of the grandchild's") == 0, "a grandchild writes");
        check(family_balanced(&before, KEPT), "a family of two generations leaves nothing behind");
        check(family_run("leave", NULL) == GIVEN, "a child may end while its own child runs");
        check(family_balanced(&before, KEPT), "the grandchild ends with its parent");
        check(family_run("leave", "all") == GIVEN, "a child gives up its own child, and ends");
        check(family_balanced(&before, KEPT),
              "a grandchild that its parent gave up ends with its parent");
        family_config = plain;
}

/* Prints the kernel memory of a child that sleeps, and the pages that its runtime has taken. */
static void check_overhead(void)
{
        struct family_balance with, without = family_balance();
        struct nova_child *const child = family_start("sleep", NULL);
        const int pages = family_run("measure", NULL);
        size_t used = 0, limit = 0;

        family_sleep(50);
        with = family_balance();
        nova_child_kernel_memory(child, &used, &limit);

        /* The parent's account counts the whole limit as used. */
        const size_t parent = (size_t)(with.kernel - without.kernel) - limit;
        const size_t own = (size_t)pages * NOVA_PAGE_SIZE;
        const size_t start_page = NOVA_PAGE_SIZE;

        printf("a child needs %zu bytes of kernel memory of its own, %zu of its parent's, "
               "%zu of its pool, a start page: %zu\n",
               used, parent, own, used + parent + own + start_page);
        check(used + parent + own + start_page <= 64 << 10,
              "a child needs 64 KiB at most beside its segments");
        nova_child_kill(child, 0);
        nova_child_wait(child, NULL);
}

/* Allocates the resources that this program keeps: memory for the largest children, and the child
 * servers of all CPUs. */
static void warm_up(void)
{
        struct nova_child *child[4];

        family_config.cpus = nova_program.cpus;
        for (unsigned i = 0; i < 4; i++)
                child[i] = family_start(i % 2 ? "overflow" : "fault", NULL);
        for (unsigned i = 0; i < 4; i++)
                nova_child_wait(child[i], NULL);
        family_config.cpus = 0;
        family_config.memory = 1 << 20;
        child[0] = family_start("sleep", NULL);
        family_run("overflow", NULL);
        nova_child_kill(child[0], 0);
        nova_child_wait(child[0], NULL);
        family_config.memory = 0;
        family_run("return", "0");
}

int main(void)
{
        if (!family_begin("runtime-child"))
                return 1;
        warm_up();
        before = family_balance();
        check_lives();
        check_faults();
        check_words();
        check_image();
        check_minima();
        check_quantum();
        check_text();
        check_evil();
        check_traces();
        check_overhead();
        check_grandchildren();
        check_cpus();
        return tap_end();
}
