/* SPDX-License-Identifier: BSD-2-Clause */
/* The state in which a program starts, and the order of events at its end. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/thread.h"

static int constructed;
static int initialised = 7;
static char zeroes[5000];

__attribute__((constructor(200))) static void second(void)
{
        constructed = constructed * 10 + 2;
}

__attribute__((constructor(150))) static void first(void)
{
        constructed = constructed * 10 + 1;
}

__attribute__((destructor)) static void last(void)
{
        printf("destructor\n");
}

static void at_exit_1(void)
{
        printf("atexit 1\n");
}

static void at_exit_2(void)
{
        printf("atexit 2\n");
}

static void check_setting(const char *name, const char *wanted)
{
        const char *const value = getenv(name);

        CHECK(value);
        CHECK(!strcmp(value, wanted));
}

static void check_arguments(int argc, char **argv, char **envp)
{
        CHECK(argc == 4 && argv == nova_program.argv && argc == nova_program.argc);
        CHECK(!strcmp(argv[0], "runtime-start") && argv[0] == nova_program.name);
        CHECK(!strcmp(argv[1], "one") && !strcmp(argv[2], "two words") && !strcmp(argv[3], "X=3"));
        CHECK(!argv[4] && envp == nova_program.envp);
        check_setting("COLOUR", "dark red");
        check_setting("N2", "");
        CHECK(!getenv("X") && !getenv("PATH") && !setenv("PATH", "/", 1));
        check_setting("PATH", "/");
}

static void check_record(void)
{
        nova_word_t begin, end;
        char here;

        CHECK(nova_program_is_root() && nova_program.parent == NOVA_SEL_NONE);
        CHECK(nova_program.hip->signature == NOVA_HIP_SIGNATURE);
        CHECK(nova_program_has_cpu(nova_program.cpu) && !nova_program_has_cpu(NOVA_CPU_MAX));
        CHECK(nova_program.priority == NOVA_PRIO_MAX && nova_program.pd == NOVA_SEL_ROOT_PD);
        CHECK(!strcmp(nova_thread_name(nova_thread_self()), "main"));
        CHECK(nova_thread_ec(nova_thread_self()) == nova_program.ec);
        CHECK(nova_thread_cpu() == nova_program.cpu);
        CHECK((nova_word_t)nova_thread_utcb() == (nova_word_t)nova_program.hip - NOVA_PAGE_SIZE);
        nova_thread_stack_bounds(&begin, &end);
        CHECK((nova_word_t)&here >= begin && (nova_word_t)&here < end);
}

/* Checks functions that have one answer in a system without commands and current folders. */
static void check_answers(void)
{
        char folder[2] = "";
        char *copy = getcwd(NULL, 0);

        CHECK(copy && !strcmp(copy, "/"));
        free(copy);
        CHECK(getcwd(folder, sizeof(folder)) == folder && !strcmp(folder, "/"));
        CHECK(!getcwd(folder, 1) && errno == ERANGE);
        CHECK(!getcwd(folder, 0) && errno == EINVAL);
        errno = 0;
        CHECK(system(NULL) == 0 && !errno);
        CHECK(system("true") == -1 && errno == ENOSYS);
}

/* Compares sysconf() with what the program knows from elsewhere. */
static void check_limits(void)
{
        const long pages = sysconf(_SC_PHYS_PAGES);
        long cpus = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                cpus += nova_program_has_cpu(cpu);
        CHECK(sysconf(_SC_NPROCESSORS_ONLN) == cpus && sysconf(_SC_NPROCESSORS_CONF) == cpus);
        CHECK(sysconf(_SC_PAGESIZE) == NOVA_PAGE_SIZE && getpagesize() == NOVA_PAGE_SIZE);
        CHECK(pages > 0 && sysconf(_SC_AVPHYS_PAGES) == (long)nova_page_free_count());
        CHECK(sysconf(_SC_AVPHYS_PAGES) <= pages && sysconf(_SC_CLK_TCK) == CLOCKS_PER_SEC);
        CHECK(sysconf(_SC_OPEN_MAX) >= 35 && sysconf(_SC_MONOTONIC_CLOCK) > 0);
        errno = 0;
        CHECK(sysconf(_SC_ARG_MAX) == -1 && sysconf(_SC_SHELL) == -1 && !errno);
        CHECK(sysconf(-1) == -1 && errno == EINVAL);
        errno = 0;
        CHECK(sysconf(INT_MAX) == -1 && errno == EINVAL);
}

int main(int argc, char **argv, char **envp)
{
        CHECK(constructed == 12 && initialised == 7);
        for (size_t i = 0; i < sizeof(zeroes); i++)
                CHECK(!zeroes[i]);
        check_arguments(argc, argv, envp);
        check_record();
        check_limits();
        check_answers();
        CHECK(!atexit(at_exit_1) && !atexit(at_exit_2));
        CHECK(getpid() == 1 && isatty(0) && isatty(1) && !isatty(9));
        printf("main without a line feed: ");
        return 42;
}
