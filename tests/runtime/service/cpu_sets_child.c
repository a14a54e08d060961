/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of services on several sets of CPUs. Each argument is a service's name and its CPUs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/thread.h"

#define PAGES 2

#define CHECK(condition)                                                                          \
        do {                                                                                      \
                if (!(condition)) {                                                               \
                        printf("CPUs %lx, service %s, thread on CPU %lu, line %d: check failed: " \
                               "%s\n",                                                            \
                               (unsigned long)nova_program.cpus, service,                         \
                               (unsigned long)nova_thread_cpu(), __LINE__, #condition);           \
                        exit(1);                                                                  \
                }                                                                                 \
        } while (0)

static unsigned char memory[PAGES * NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
static struct nova_session *session;
static const char *service;

/* Lets the service add one to a byte on each page. */
static void use(void)
{
        for (nova_word_t page = 0; page < PAGES; page++) {
                const nova_word_t words[] = {page * NOVA_PAGE_SIZE + 7, 1};
                const unsigned char wanted = memory[words[0]] + 1;

                CHECK(echo_call(session, ECHO_SHARE, words, 2, NULL) == 0);
                CHECK(memory[words[0]] == wanted);
        }
}

static void *share(void *argument)
{
        const nova_word_t words[] = {0, 1};

        CHECK(nova_session_share(session, memory, PAGES) == 0);
        use();
        CHECK(nova_session_unshare(session) == 0);
        CHECK(echo_call(session, ECHO_SHARE, words, 2, NULL) == EINVAL);
        CHECK(nova_session_share(session, memory, PAGES) == 0);
        use();
        return argument;
}

static void share_from_everywhere(void)
{
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "sharer", .cpu = cpu};
                struct nova_thread *thread;

                if (!nova_program_has_cpu(cpu))
                        continue;
                CHECK(nova_thread_create(&thread, &attr, share, NULL) == 0);
                CHECK(nova_thread_join(thread, NULL) == 0);
        }
}

static void visit(uint64_t cpus)
{
        if (!(cpus & nova_program.cpus)) {
                CHECK(nova_session_open(&session, service, NULL) == EHOSTUNREACH);
                return;
        }
        CHECK(nova_session_open(&session, service, NULL) == 0);
        share_from_everywhere();
        CHECK(nova_session_reopen(session) == 0);
        use();
        nova_session_close(session);
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                char *mark = strchr(argv[i], '=');

                if (!mark)
                        return 2;
                *mark = 0;
                service = argv[i];
                visit(strtoul(mark + 1, NULL, 16));
        }
        return 0;
}
