/* SPDX-License-Identifier: BSD-2-Clause */
/* Services that hang: time-outs, and the remains of abandoned calls. */
#include <errno.h>

#include "case.h"
#include "echo.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SECOND 1000000000ull
#define SOON   (SECOND / 50)

static struct nova_session *session;
static struct nova_service *service;

static bool wait_for_hanging(unsigned count)
{
        for (unsigned i = 0; i < 30000 && echo_hanging() != count; i++)
                nova_sleep(1000000);
        return echo_hanging() == count;
}

static bool wait_for_sessions(unsigned count)
{
        for (unsigned i = 0; i < 30000 && nova_service_sessions(service) != count; i++)
                nova_sleep(1000000);
        return nova_service_sessions(service) == count;
}

static int call_until(nova_word_t operation, uint64_t deadline)
{
        struct nova_message message = {.operation = operation};

        return nova_session_call_until(session, &message, deadline);
}

/* Abandons a call that the service has begun and does not finish. On a busy machine, a call may
 * time out before the service has received it; the function then repeats the call. */
static bool hang(void)
{
        int status;

        do
                status = call_until(ECHO_HANG, nova_deadline_in(SOON));
        while (status == ETIMEDOUT && !echo_hanging());
        return status == ETIMEDOUT && echo_hanging() == 1;
}

static void times_out(void)
{
        struct nova_message window = {.operation = ECHO_CPU, .window = nova_crd_obj(64, 0, 31)};

        check(nova_session_open(&session, "hang", NULL) == 0, "a service that can hang is opened");
        check(call_until(ECHO_CPU, nova_deadline_in(60 * SECOND)) == 0,
              "a call with a deadline is answered in time");
        check(nova_session_call_until(session, &window, nova_deadline_in(SECOND)) == EINVAL,
              "a call with a deadline has no window");
        check(hang(), "a call that is not answered ends at its deadline");
        check(call_until(ECHO_CPU, nova_deadline_in(SOON)) == ETIMEDOUT && echo_hanging() == 1,
              "and so does the next one");
        echo_release();
        check(call_until(ECHO_CPU, nova_deadline_in(60 * SECOND)) == 0 && wait_for_hanging(0),
              "the session works again when the service does");
        check(hang(), "another call is abandoned");
        nova_session_close(session);
        check(echo_hanging() == 1, "it can be closed while the service hangs");
        echo_release();
        check(wait_for_hanging(0) && wait_for_sessions(0),
              "when the service continues it closes the session, too");
}

static char page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));

/* Makes the service add one to the first byte of the shared memory. */
static int add_one(void)
{
        const nova_word_t words[] = {0, 1};
        struct nova_message message = {.operation = ECHO_SHARE, .words = words, .word_count = 2};

        return nova_session_call_until(session, &message, nova_deadline_in(60 * SECOND));
}

static void gives_and_asks_in_time(void)
{
        check(nova_session_open(&session, "hang", NULL) == 0 && hang(), "a service hangs");
        check(nova_session_enable_notify_until(session, nova_deadline_in(SOON)) == ETIMEDOUT,
              "a request for notifications ends at its deadline");
        check(nova_session_wait(session, nova_deadline_in(SOON)) == ETIMEDOUT,
              "and so does waiting for them");
        check(nova_session_share_until(session, page, 1, nova_deadline_in(SOON)) == ETIMEDOUT,
              "sharing memory ends at its deadline");
        check(nova_session_unshare_until(session, nova_deadline_in(SOON)) == ETIMEDOUT,
              "and so does taking it back");
        echo_release();
        check(add_one() != 0 && page[0] == 0 && wait_for_hanging(0),
              "when the service continues, nothing is shared");
        check(nova_session_enable_notify_until(session, nova_deadline_in(60 * SECOND)) == 0 &&
                      call_until(ECHO_TELL, nova_deadline_in(60 * SECOND)) == 0 &&
                      nova_session_wait(session, nova_deadline_in(60 * SECOND)) == 0,
              "it notifies after another request");
        check(nova_session_share_until(session, page, 1, nova_deadline_in(60 * SECOND)) == 0 &&
                      add_one() == 0 && page[0] == 1,
              "and uses memory that is shared again");
}

static void *share_soon(void *argument)
{
        (void)argument;
        return (void *)(intptr_t)nova_session_share_until(session, page, 1, nova_deadline_in(SOON));
}

/* Shares memory from a thread on the program's last CPU. If there are several CPUs, no other thread
 * of the test makes calls there. */
static int share_far_away(void)
{
        struct nova_thread_attr attr = {.name = "far"};
        struct nova_thread *thread;
        void *error = NULL;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program_has_cpu(cpu))
                        attr.cpu = cpu;
        if (nova_thread_create(&thread, &attr, share_soon, NULL) == 0)
                nova_thread_join(thread, &error);
        return (int)(intptr_t)error;
}

static void takes_back_in_time(void)
{
        check(hang() && nova_session_unshare_until(session, nova_deadline_in(SOON)) == ETIMEDOUT,
              "memory is taken back while the service hangs");
        echo_release();
        check(add_one() != 0 && page[0] == 1 && wait_for_hanging(0),
              "the service has lost it, though it never answered");

        /* This thread holds the service's lock, so that the handlers cannot take the memory. */
        check(nova_service_lock(service) == 0 && share_far_away() == ETIMEDOUT,
              "sharing is abandoned in the middle, on another CPU if there is one");
        nova_service_unlock(service);
        check(call_until(ECHO_COUNT, nova_deadline_in(60 * SECOND)) == 0,
              "the unfinished call blocks no other sharing");
        check(nova_session_share_until(session, page, 1, nova_deadline_in(60 * SECOND)) == 0 &&
                      nova_session_unshare_until(session, nova_deadline_in(60 * SECOND)) == 0 &&
                      add_one() == EINVAL,
              "memory is shared and taken back with deadlines");
        nova_session_close(session);
        check(wait_for_sessions(0), "the session is closed");
}

static void opens_again(void)
{
        nova_word_t count = 0;
        struct nova_session *other;

        check(nova_session_open(&session, "hang", NULL) == 0 && hang(), "a service hangs again");
        check(nova_session_open_until(&other, "hang", NULL, nova_deadline_in(SOON)) == ETIMEDOUT,
              "opening a session with it ends at its deadline");
        check(nova_session_reopen_until(session, nova_deadline_in(SOON)) == ETIMEDOUT,
              "and so does opening one again");
        check(nova_session_invoke(session, ECHO_COUNT, 0, 0) == ECONNRESET,
              "a session that could not be opened again cannot be called");
        echo_release();
        check(wait_for_sessions(0), "a session that is opened too late is closed");
        check(nova_session_reopen_until(session, nova_deadline_in(60 * SECOND)) == 0 &&
                      echo_call(session, ECHO_COUNT, NULL, 0, &count) == 0 && count == 1,
              "when the service continues, the session begins again");
        nova_session_close(session);
        check(wait_for_sessions(0), "and is closed at once");
}

/* Selectors are reused at once. An abandoned message must not arrive at a selector's new owner. */
static void arrives_nowhere(void)
{
        const struct echo_options options = {"other", 4, 4, false, 0};
        struct nova_service *other = echo_start(&options);
        unsigned early = 0, strange = 0;

        for (unsigned i = 0; i < 20; i++) {
                nova_word_t count = 0;

                if (nova_session_open(&session, "hang", NULL))
                        continue; /* earlier sessions are not closed yet */
                early += call_until(ECHO_COUNT, i & 1 ? nova_deadline_in(i * 10000) : 1) == 0;
                nova_session_close(session);
                if (nova_session_open(&session, "other", NULL))
                        strange++;
                nova_sleep(5000000);
                if (echo_call(session, ECHO_COUNT, NULL, 0, &count) || count != 1)
                        strange++;
                nova_session_close(session);
        }
        check(early < 20 && strange == 0, "an abandoned call reaches no other service");
        nova_service_stop(other);
}

static void is_cancelled(void)
{
        static struct nova_cancel cancel;
        struct nova_message message = {.operation = ECHO_CPU, .cancel = &cancel};

        nova_cancel_calls(&cancel);
        nova_session_open(&session, "hang", NULL);
        check(nova_session_call(session, &message) == ECANCELED, "a call is cancelled in advance");
        nova_session_close(session);
        check(nova_service_sessions(service) == 0, "its session is closed like any other");
}

static unsigned attempts;

static int not_yet(struct nova_request *request, const char *arguments)
{
        (void)request, (void)arguments;
        attempts++;
        return EAGAIN;
}

/* Tests a service that is never ready. Its clients must leave other programs time. */
static void is_never_ready(void)
{
        const struct nova_service_config config = {.name = "unready", .open = not_yet};
        const uint64_t begin = nova_time_ns();
        struct nova_service *unready = NULL;
        const bool refused = nova_service_start(&unready, &config) == 0 &&
                             nova_session_open(&session, "unready", NULL) == EAGAIN;
        const uint64_t time = nova_time_ns() - begin;

        printf("# %u attempts in %llu ms\n", attempts, (unsigned long long)time / 1000000);
        check(refused && time >= 5 * SECOND, "a client waits five seconds for a service");
        check(attempts >= 10 && attempts < 200, "and tries again after pauses that grow");
        nova_service_stop(unready);
}

static struct nova_service *chatty;

static int chat(struct nova_request *request)
{
        nova_service_notify(chatty, request->state);
        return 0;
}

/* Tests a service that answers that nothing has happened, and notifies at once. */
static void ends_although_notified(void)
{
        static const struct nova_service_operation operations[] = {
                {.handler = chat, .words_max = 4}, {.handler = chat}, {.handler = chat}};
        const struct nova_service_config config = {
                .name = "chatty", .operations = operations, .operation_count = 3, .state_bytes = 1};
        unsigned count;

        check(nova_service_start(&chatty, &config) == 0 &&
                      nova_session_open(&session, "chatty", NULL) == 0 &&
                      nova_session_enable_notify(session) == 0 &&
                      nova_timer_wait(session, &count, nova_time_ns() + SOON) == ETIMEDOUT,
              "notifications without end do not delay a deadline");
        nova_session_close(session);
        nova_service_stop(chatty);
}

/* Opens the client's only session with the service `single`, with a deadline or without. */
static bool open_single(bool with_deadline)
{
        return with_deadline ? nova_session_open_until(&session, "single", NULL,
                                                       nova_deadline_in(60 * SECOND)) == 0
                             : nova_session_open(&session, "single", NULL) == 0;
}

/* Tests that an opener waits for the thread that closes the client's only session. This thread has
 * the lowest priority, so it does not run before the opener pauses. */
static void waits_for_a_closer(void)
{
        const struct echo_options options = {"single", 4, 1, false, 0};
        struct nova_service *single = echo_start(&options);
        struct nova_session *second;
        bool open = open_single(true);

        for (unsigned i = 0; open && i < 20; i++) {
                nova_session_close(session);
                open = open_single(i % 2);
        }
        check(open, "a session is opened again while a thread still closes it");
        if (open) {
                const uint64_t begin = nova_time_ns();

                check(nova_session_open(&second, "single", NULL) == EMFILE &&
                              nova_time_ns() - begin < 3 * SECOND,
                      "a second session is refused at once while no thread closes the first");
                nova_session_close(session);
        }
        nova_service_stop(single);
}

static nova_word_t kernel_memory(void)
{
        nova_word_t used = 0, limit = 0;

        nova_quota_query(nova_program.pd, &used, &limit);
        return used;
}

static void *nothing(void *argument)
{
        return argument;
}

/* Abandons calls at different moments, then stores how many selectors and bytes of kernel memory
 * are in use. */
static void give_up(nova_word_t *selectors, nova_word_t *memory)
{
        struct nova_thread *thread;

        for (unsigned i = 0; i < 40; i++) {
                if (nova_session_open(&session, "hang", NULL))
                        continue; /* earlier sessions are not closed yet */
                nova_session_enable_notify_until(session, nova_deadline_in(i * 20000));
                nova_session_share_until(session, page, 1, nova_deadline_in(i * 20000));
                call_until(ECHO_SLOW, nova_deadline_in(i * 100000));
                nova_session_close(session);
        }
        wait_for_sessions(0);
        nova_sleep(SOON);
        if (nova_thread_create(&thread, NULL, nothing, NULL) == 0)
                nova_thread_join(thread, NULL); /* frees the resources of detached threads */
        *selectors = nova_sel_used();
        *memory = kernel_memory();
}

/* Tests that abandoned calls cost nothing. Freed kernel memory still counts as used for a while, so
 * the smallest of several readings is compared. */
static void costs_nothing(void)
{
        nova_word_t selectors[2], memory[2], least = (nova_word_t)-1;

        give_up(&selectors[0], &memory[0]);
        for (unsigned i = 0; i < 4; i++) {
                give_up(&selectors[1], &memory[1]);
                if (memory[1] < least)
                        least = memory[1];
                printf("# selectors %zu, then %zu; kernel memory %zu, then %zu\n",
                       (size_t)selectors[0], (size_t)selectors[1], (size_t)memory[0],
                       (size_t)memory[1]);
        }
        check(selectors[0] == selectors[1] && least <= memory[0] + 32 * NOVA_PAGE_SIZE,
              "abandoned calls leave nothing behind");
}

int main(void)
{
        const struct echo_options options = {"hang", 8, 8, false, 0};

        service = echo_start(&options);
        check(service, "a service starts");
        times_out();
        gives_and_asks_in_time();
        takes_back_in_time();
        opens_again();
        arrives_nowhere();
        is_cancelled();
        is_never_ready();
        ends_although_notified();
        waits_for_a_closer();
        costs_nothing();
        nova_service_stop(service);
        return check_end();
}
