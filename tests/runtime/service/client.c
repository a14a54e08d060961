/* SPDX-License-Identifier: BSD-2-Clause */
/* A client as a program: its first argument chooses its action. It exits with 0 if all was well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/disk.h"
#include "novart/service/log.h"
#include "novart/service/memory.h"
#include "novart/service/names.h"
#include "novart/service/power.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SECOND   1000000000ull
#define SESSIONS 1000
#define SLACK    4096 /* bytes of kernel memory: less than an object for each of 100 deaths */

#define CHECK(condition)                                                                       \
        do {                                                                                   \
                if (!(condition)) {                                                            \
                        printf("%s: line %d: check failed: %s\n", nova_program.name, __LINE__, \
                               #condition);                                                    \
                        exit(1);                                                               \
                }                                                                              \
        } while (0)

static struct nova_session *echo;
static const char *server = "echo"; /* service that the action `steady` calls */

static int call(nova_word_t operation, nova_word_t *answer)
{
        return echo_call(echo, operation, NULL, 0, answer);
}

/* Checks that every service answers, and that the words of an answer are in order. */
static void services(void)
{
        static char text[600];
        struct nova_session *timer, *names, *memory, *disk, *power;
        struct nova_memory got;
        struct nova_disk_file file;
        size_t bytes = 0;
        unsigned count = 0;
        const nova_sel_t sm = nova_sel_alloc(0), copy = nova_sel_alloc(0);

        CHECK(nova_log_use() == 0);
        printf("the log answers\n");
        CHECK(nova_timer_open(&timer) == 0);
        CHECK(nova_timer_arm(timer, nova_time_ns() + SECOND / 50, 0) == 0);
        CHECK(nova_timer_wait(timer, &count, UINT64_MAX) == 0 && count == 1);
        printf("the timer answers\n");
        CHECK(nova_names_open(&names) == 0 && nova_create_sm(sm, nova_program.pd, 1) == 0);
        CHECK(nova_names_publish(names, "mine", nova_crd_obj(sm, 0, NOVA_PERM_ALL)) == 0);
        CHECK(nova_names_lookup(names, "mine", nova_crd_obj(copy, 0, NOVA_SM_DN), 0) == 0);
        CHECK(nova_sm_down_until(copy, 0, 0) == NOVA_SUCCESS);
        printf("the names answer\n");
        CHECK(nova_memory_open(&memory) == 0 && nova_memory_alloc(memory, 10000, &got) == 0);
        memset(got.address, 1, got.bytes);
        CHECK(nova_memory_free(memory, &got) == 0);
        printf("the memory answers\n");
        CHECK(nova_disk_open(&disk) == 0 && nova_disk_find(disk, "README.md", &file) == 0);
        CHECK(nova_disk_read(disk, &file, 0, text, sizeof(text) - 1, &bytes) == 0 && bytes > 10);
        printf("the disk answers: %.9s\n", text);
        CHECK(nova_power_open(&power) == 0 && nova_power_off(power) == EPERM);
        printf("the power service refuses\n");
        CHECK(nova_session_open(&echo, "absent", NULL) == EACCES);
        printf("a service that is not granted is refused\n");
}

static void *talk(void *argument)
{
        for (unsigned i = 0; i < 50; i++)
                printf("thread %zu prints line %u of many, which is not short\n", (size_t)argument,
                       i);
        return NULL;
}

/* Writes lines from several threads at once. */
static void talking(void)
{
        struct nova_thread *thread;

        CHECK(nova_log_use() == 0);
        CHECK(nova_thread_create(&thread, NULL, talk, (void *)1) == 0);
        talk((void *)2);
        CHECK(nova_thread_join(thread, NULL) == 0);
        printf("has printed everything\n");
}

static void typing(void)
{
        char line[80];

        CHECK(nova_log_use() == 0);
        printf("type a line, please\n");
        fflush(stdout);
        CHECK(fgets(line, sizeof(line), stdin));
        line[strcspn(line, "\n")] = 0;
        printf("got <%s>\n", line);
}

static struct nova_session *sessions[SESSIONS];

static void *call_all(void *argument)
{
        (void)argument;
        for (unsigned i = 0; i < SESSIONS; i++) {
                nova_word_t cpu = 0;

                CHECK(echo_call(sessions[i], ECHO_COUNT, NULL, 0, NULL) == 0);
                CHECK(echo_call(sessions[i], ECHO_CPU, NULL, 0, &cpu) == 0);
                CHECK(cpu == nova_thread_cpu());
        }
        return NULL;
}

/* Opens a thousand sessions, and calls them from every CPU. */
static void crowd(void)
{
        struct nova_thread *thread[NOVA_CPU_MAX] = {0};
        nova_word_t count = 0, cpus = 0;

        for (unsigned i = 0; i < SESSIONS; i++)
                CHECK(nova_session_open(&sessions[i], "echo", NULL) == 0);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "caller", .cpu = cpu};

                if (nova_program_has_cpu(cpu))
                        CHECK(nova_thread_create(&thread[cpu], &attr, call_all, NULL) == 0);
        }
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (thread[cpu] && nova_thread_join(thread[cpu], NULL) == 0)
                        cpus++;
        for (unsigned i = 0; i < SESSIONS; i++) {
                CHECK(echo_call(sessions[i], ECHO_COUNT, NULL, 0, &count) == 0);
                CHECK(count == cpus + 1);
        }
        printf("%u sessions were called from %zu CPUs\n", SESSIONS, (size_t)cpus);
}

static void *call_for_ever(void *argument)
{
        (void)argument;
        while (call(ECHO_SLOW, NULL) == 0)
                ;
        return NULL;
}

/* Dies with sessions, one of them in the middle of a call. */
static void mortal(void)
{
        struct nova_thread *thread;
        struct nova_session *more;

        CHECK(nova_session_open(&echo, "echo", NULL) == 0);
        CHECK(nova_session_open(&more, "echo", NULL) == 0);
        CHECK(nova_session_enable_notify(more) == 0);
        CHECK(nova_thread_create(&thread, NULL, call_for_ever, NULL) == 0);
        nova_sleep(SECOND / 80);
        _Exit(7);
}

/* Waits until all other clients have ended, and compares the server's resources with those
 * before. */
static void watch(const char *rounds)
{
        nova_word_t answer[4], before[4];
        struct nova_message message = {.operation = ECHO_USED, .answer = before, .answer_max = 4};
        unsigned deaths = (unsigned)atoi(rounds);

        CHECK(nova_session_open(&echo, "echo", NULL) == 0);
        CHECK(nova_session_call(echo, &message) == 0 && message.answer_count == 4);
        message.answer = answer;
        for (unsigned quiet = 0; quiet < 200;) { /* longer than any client lives or pauses */
                CHECK(nova_session_call(echo, &message) == 0);
                quiet = answer[2] == 1 ? quiet + 1 : 0;
                nova_sleep(SECOND / 50);
        }
        printf("for %u deaths: kernel memory %zu before, %zu now; selectors %zu, %zu; "
               "free pages %zu, %zu\n",
               deaths, (size_t)before[0], (size_t)answer[0], (size_t)before[1], (size_t)answer[1],
               (size_t)before[3], (size_t)answer[3]);
        CHECK(answer[0] <= before[0] + SLACK && answer[1] <= before[1] &&
              answer[3] + 2 >= before[3]);
        printf("nothing is lost\n");
}

/* Survives the death of the server, which dies while it serves this client and starts again. */
static void survivor(void)
{
        nova_word_t count = 0;

        CHECK(nova_session_open(&echo, "echo", NULL) == 0 && call(ECHO_COUNT, &count) == 0);
        CHECK(call(ECHO_DIE, NULL) == ECONNRESET);
        CHECK(call(ECHO_COUNT, NULL) == ECONNRESET);
        CHECK(nova_session_reopen(echo) == 0);
        CHECK(call(ECHO_COUNT, &count) == 0 && count == 1);
        printf("the server died and started again\n");
}

/* Calls a server that does not answer. This program continues nevertheless, and can drop the
 * session. */
static void patient(void)
{
        struct nova_message message = {.operation = ECHO_HANG};

        CHECK(nova_session_open(&echo, "echo", NULL) == 0);
        CHECK(nova_session_call_until(echo, &message, nova_deadline_in(SECOND / 20)) == ETIMEDOUT);
        printf("there was no answer in time\n");
        nova_session_close(echo);
        CHECK(nova_session_open_until(&echo, "echo", NULL, nova_deadline_in(SECOND / 20)) ==
              ETIMEDOUT);
        printf("it is left alone\n");
}

/* Never provides the service that the description says this program provides. */
static void mute(void)
{
        for (;;)
                nova_sleep(SECOND);
}

/* Takes the semaphore of init's console whenever possible and never releases it. */
static void greedy(void)
{
        const struct echo_options options = {"greedy", 4, 4, false, 0};
        const nova_sel_t turn = nova_sel_alloc(0);

        CHECK(nova_parent_console("rtc", turn) == ENOENT);
        CHECK(nova_parent_console("serial", turn) == 0);
        printf("every line is mine\n");
        CHECK(echo_start(&options));
        while (nova_sm_down(turn) == NOVA_SUCCESS)
                ;
}

/* Makes requests that must be refused, and dies with its sessions open. */
static void flood(void)
{
        struct nova_session *more;
        struct nova_utcb *utcb = nova_thread_utcb();

        if (nova_session_open(&echo, "echo", NULL))
                _Exit(7); /* the sessions of the previous client are not freed yet */
        while (nova_session_open(&more, "echo", NULL) == 0)
                ;
        for (unsigned i = 0; i < 500; i++) {
                CHECK(nova_session_open(&more, "echo", NULL) == EMFILE);
                CHECK(nova_session_open(&more, "absent", NULL) == EACCES);
                CHECK(call((nova_word_t)-1 - i, NULL) == ENOSYS);
                CHECK(nova_session_share(echo, &more, 1) != 0);
                nova_utcb_clear(utcb);
                utcb->items = (nova_word_t)-1;
                CHECK(nova_call(nova_session_portals(echo) + nova_thread_cpu(), 0) == 0 &&
                      utcb->word[0] == EINVAL);
        }
        printf("no attempt succeeded\n");
        _Exit(7);
}

/* Gets its answers, regardless of the actions of other clients. */
static void steady(void)
{
        nova_word_t count = 0;

        CHECK(nova_session_open(&echo, server, NULL) == 0);
        for (unsigned i = 1; i <= 1000; i++) {
                CHECK(call(ECHO_COUNT, &count) == 0 && count == i);
                nova_sleep(SECOND / 1000);
        }
        printf("all calls were answered\n");
}

/* Publishes a semaphore for a partner, and waits for it. */
static void bell(void)
{
        struct nova_session *names;
        const nova_sel_t sm = nova_sel_alloc(0);

        CHECK(nova_names_open(&names) == 0 && nova_create_sm(sm, nova_program.pd, 0) == 0);
        CHECK(nova_names_publish(names, "bell", nova_crd_obj(sm, 0, NOVA_SM_UP)) == 0);
        CHECK(nova_sm_down_until(sm, 0, nova_deadline_in(60 * SECOND)) == NOVA_SUCCESS);
        printf("the bell has rung\n");
}

static void ringer(void)
{
        struct nova_session *names;
        const nova_sel_t sm = nova_sel_alloc(0);

        CHECK(nova_names_open(&names) == 0);
        CHECK(nova_names_lookup(names, "bell", nova_crd_obj(sm, 0, NOVA_PERM_ALL),
                                nova_deadline_in(60 * SECOND)) == 0);
        CHECK(nova_sm_down_until(sm, 0, 0) == NOVA_BAD_CAP);
        CHECK(nova_sm_up(sm) == NOVA_SUCCESS);
}

static void off(void)
{
        struct nova_session *power;

        CHECK(nova_power_open(&power) == 0);
        printf("the machine goes off\n");
        nova_power_off(power);
}

static void reset(void)
{
        struct nova_session *power;

        CHECK(nova_power_open(&power) == 0);
        printf("the machine restarts\n");
        nova_power_reset(power);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                void (*function)(void);
        } modes[] = {
                {"services", services}, {"talk", talking},     {"type", typing},   {"crowd", crowd},
                {"mortal", mortal},     {"survive", survivor}, {"wait", patient},  {"bell", bell},
                {"ring", ringer},       {"off", off},          {"reset", reset},   {"mute", mute},
                {"flood", flood},       {"steady", steady},    {"greedy", greedy},
        };

        if (argc > 2 && !strcmp(argv[1], "watch")) {
                watch(argv[2]);
                return 0;
        }
        if (argc > 2)
                server = argv[2];
        for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]) && argc > 1; i++) {
                if (strcmp(argv[1], modes[i].name) != 0)
                        continue;
                modes[i].function();
                return 0;
        }
        printf("client: name an action as argument.\n");
        return 2;
}
