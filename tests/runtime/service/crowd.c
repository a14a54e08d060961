/* SPDX-License-Identifier: BSD-2-Clause */
/* Many sessions, many clients that die, floods from all CPUs: every client is served, nothing
 * leaks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "echo.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "registry.h"

#define SESSIONS 1000
#define DEATHS   1000
#define SLACK    0xc000 /* bytes of kernel memory in frames that are partly used */

static struct nova_session *sessions[SESSIONS];
static struct nova_service *echo;
static unsigned cpu_count;

struct used {
        nova_word_t kernel;
        size_t selectors;
};

static struct used used_now(void)
{
        struct used used = {0, nova_sel_used()};
        nova_word_t limit = 0;

        nova_quota_query(nova_program.pd, &used.kernel, &limit);
        return used;
}

/* Returns true if all resources come back. Memory of ended objects becomes free a moment later,
 * when a frame contains no object any more. A round has more than 3000 sessions, so a leak of the
 * smallest object would be more than 187 KiB. */
static bool is_back(const struct used *before)
{
        struct used now = used_now();

        for (unsigned i = 0; i < 2000; i++) {
                if (now.kernel <= before->kernel + SLACK && now.selectors <= before->selectors)
                        return true;
                nova_sleep(1000000);
                now = used_now();
        }
        printf("# kernel memory %zu before, %zu now; selectors %zu, %zu\n", (size_t)before->kernel,
               (size_t)now.kernel, before->selectors, now.selectors);
        return false;
}

/* Runs a function on every CPU at once. @return true if all return NULL */
static bool everywhere(void *(*function)(void *))
{
        struct nova_thread *thread[NOVA_CPU_MAX];
        unsigned threads = 0;
        bool good = true;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};

                if (!nova_program_has_cpu(cpu))
                        continue;
                if (nova_thread_create(&thread[threads], &attr, function, NULL) == 0)
                        threads++;
                else
                        good = false;
        }
        cpu_count = threads;
        while (threads > 0) {
                void *result = NULL;

                good &= nova_thread_join(thread[--threads], &result) == 0 && !result;
        }
        return good;
}

/* Makes one call through every session. The service counts the calls of each session separately. */
static void *call_all(void *argument)
{
        (void)argument;
        for (unsigned i = 0; i < SESSIONS; i++) {
                nova_word_t answer = 0;

                if (echo_call(sessions[i], ECHO_COUNT, NULL, 0, &answer) || !answer)
                        return sessions[i];
        }
        return NULL;
}

static bool all_counted(nova_word_t expected)
{
        for (unsigned i = 0; i < SESSIONS; i++) {
                nova_word_t answer = 0;

                if (echo_call(sessions[i], ECHO_COUNT, NULL, 0, &answer) || answer != expected)
                        return false;
        }
        return true;
}

static void thousand(void)
{
        unsigned opened = 0;
        int error = 0;

        while (opened < SESSIONS && !error)
                error = nova_session_open(&sessions[opened++], "echo", NULL);
        check(!error && nova_service_sessions(echo) == SESSIONS, "a thousand sessions are opened");
        check(nova_session_open(&sessions[0], "echo", NULL) == ENFILE, "one more is refused");
        check(everywhere(call_all), "all of them are called from every CPU");
        check(all_counted(cpu_count + 1), "and each has counted its own calls");
        while (opened > 0)
                nova_session_close(sessions[--opened]);
        check(nova_service_sessions(echo) == 0, "all of them are closed");
}

static void *open_and_close(void *argument)
{
        (void)argument;
        for (unsigned i = 0; i < 250; i++) {
                struct nova_session *session;
                nova_word_t answer = 0;

                if (nova_session_open(&session, "echo", NULL))
                        return &sessions;
                if (echo_call(session, ECHO_COUNT, NULL, 0, &answer) || answer != 1)
                        return &sessions;
                nova_session_close(session);
        }
        return NULL;
}

/* Acts as a client that is only a PD: opens a session, and dies without closing it. */
static bool live_and_die(nova_sel_t pd)
{
        static const char name[NOVA_NAME_SIZE] = {'m', 'o', 'r', 't', 'a', 'l'};
        struct nova_utcb *utcb = nova_thread_utcb();
        nova_word_t answer = (nova_word_t)-1;
        nova_sel_t control = 0;

        if (nova_create_pd(pd, nova_program.pd, 0) != NOVA_SUCCESS)
                return false;
        nova_name_set(pd, name);
        novart_registry_get("echo", &control);
        for (unsigned tries = 0; tries < 5000; tries++) {
                nova_utcb_set_windows(utcb, 0, 0);
                nova_utcb_clear(utcb);
                nova_utcb_put(utcb, NOVA_OPERATION_OPEN);
                nova_utcb_delegate(utcb, nova_crd_obj(pd, 0, NOVA_PD_SM), 0, 0);
                nova_call(control + nova_thread_cpu(), 0);
                nova_utcb_get(utcb, 0, &answer);
                if (answer != EAGAIN)
                        break;
                nova_sleep(1000000);
        }
        novart_registry_put(control);
        if (answer)
                printf("# open: %s\n", strerror((int)answer));
        nova_pd_destroy(pd);
        nova_revoke(nova_crd_obj(pd, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        return answer == 0;
}

static bool wait_for_none(void)
{
        for (unsigned i = 0; i < 30000 && nova_service_sessions(echo); i++)
                nova_sleep(1000000);
        return nova_service_sessions(echo) == 0;
}

static void deaths(unsigned count)
{
        const nova_sel_t pd = nova_sel_alloc(0);
        const unsigned closed = echo_closed();
        unsigned died = 0;

        while (died < count && live_and_die(pd))
                died++;
        check(died == count, "clients die with a session, one after another");
        check(wait_for_none() && echo_closed() - closed == count,
              "the service notices each of them");
        nova_sel_release(pd, 0);
}

/* Sends messages of every kind as fast as possible. */
static void *flood(void *argument)
{
        struct nova_utcb *utcb = nova_thread_utcb();
        uint32_t seed = (uint32_t)nova_thread_cpu() + 1;
        struct nova_session *session;

        (void)argument;
        if (nova_session_open(&session, "echo", NULL))
                return &sessions;
        for (unsigned i = 0; i < 3000; i++) {
                for (unsigned word = 0; word < 4; word++)
                        utcb->word[word] = (seed = seed * 1664525 + 1013904223) >> 24;
                if (utcb->word[0] == ECHO_HANG || utcb->word[0] == ECHO_PRINT ||
                    utcb->word[0] == ECHO_DIE)
                        continue;
                utcb->items = nova_utcb_items(seed >> 16 & 7, seed >> 28 ? 0 : seed >> 20 & 7);
                nova_utcb_set_windows(utcb, 0, 0);
                nova_call(nova_session_portals(session) + nova_thread_cpu(), 0);
        }
        nova_session_close(session);
        return NULL;
}

static void *ask(void *argument)
{
        struct nova_session *session;
        nova_word_t answer = 0;

        (void)argument;
        int error = nova_session_open(&session, "echo", NULL);

        for (unsigned i = 1; i <= 500 && !error; i++) {
                const nova_word_t words[] = {i, i};

                error = echo_call(session, ECHO_SUM, words, 2, &answer);
                if (!error && answer != 2 * i)
                        error = EILSEQ;
        }
        if (error) {
                printf("# the normal client got: %s\n", strerror(error));
                return &sessions;
        }
        nova_session_close(session);
        return NULL;
}

static void *flood_and_ask(void *argument)
{
        struct nova_thread *thread;
        void *result = NULL;

        if (nova_thread_create(&thread, NULL, flood, NULL))
                return &sessions;

        void *const own = ask(argument);

        nova_thread_join(thread, &result);
        return own ? own : result;
}

static void round_of_all(unsigned count)
{
        thousand();
        check(everywhere(open_and_close), "sessions come and go on all CPUs");
        deaths(count);
        check(everywhere(flood_and_ask), "a normal client among floods gets its answers");
        check(wait_for_none(), "no session is left");
}

int main(void)
{
        const struct echo_options options = {"echo", SESSIONS, SESSIONS + 1, false, 0};

        echo = echo_start(&options);
        check(echo, "the service starts");
        if (!echo)
                return check_end();
        round_of_all(DEATHS / 10);

        const struct used before = used_now();

        round_of_all(DEATHS);
        check(is_back(&before), "no selector and no kernel memory is lost");
        nova_service_stop(echo);
        return check_end();
}
