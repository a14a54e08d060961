/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that are cancelled; services that die and start again; CPUs that a service does not serve;
 * portals delegated to others. */
#include <errno.h>
#include <string.h>

#include "case.h"
#include "echo.h"
#include "names/server.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/names.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "registry.h"

#define SECOND 1000000000ull

static struct nova_session *session;
static volatile int result;

static struct nova_thread *start(void *(*function)(void *), nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};
        struct nova_thread *thread = NULL;

        nova_thread_create(&thread, &attr, function, NULL);
        return thread;
}

/* Starts a thread on each CPU. */
static unsigned start_everywhere(struct nova_thread **threads, void *(*function)(void *))
{
        unsigned count = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program_has_cpu(cpu) && (threads[count] = start(function, cpu)))
                        count++;
        return count;
}

static bool wait_for_hanging(unsigned count)
{
        for (unsigned i = 0; i < 30000 && echo_hanging() != count; i++)
                nova_sleep(1000000);
        return echo_hanging() == count;
}

static bool wait_for_no_session(struct nova_service *service)
{
        for (unsigned i = 0; i < 30000 && nova_service_sessions(service); i++)
                nova_sleep(1000000);
        return !nova_service_sessions(service);
}

static struct nova_cancel cancel = NOVA_CANCEL_INITIALIZER;

static void *hang(void *argument)
{
        struct nova_message message = {.operation = ECHO_HANG, .cancel = &cancel};
        const uint64_t deadline = argument ? nova_deadline_in(60 * SECOND) : NOVA_FOREVER;

        return (void *)(intptr_t)nova_session_call_until(session, &message, deadline);
}

/* Starts calls that hang: one on each CPU, every other one with a deadline. */
static unsigned hang_everywhere(struct nova_thread **threads)
{
        unsigned count = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};

                if (nova_program_has_cpu(cpu) &&
                    !nova_thread_create(&threads[count], &attr, hang, count % 2 ? &cancel : NULL))
                        count++;
        }
        return count;
}

/* Returns the number of calls that end with ECANCELED within a minute. */
static unsigned cancelled(struct nova_thread **threads, unsigned count)
{
        unsigned ended = 0;

        for (unsigned i = 0; i < count; i++) {
                void *error;

                ended += !nova_thread_join_until(threads[i], &error,
                                                 nova_deadline_in(60 * SECOND)) &&
                         (intptr_t)error == ECANCELED;
        }
        return ended;
}

static void is_cancelled(void)
{
        const struct echo_options options = {"cancel", 4, 4, true, 0};
        struct nova_service *service = echo_start(&options);
        struct nova_message late = {.operation = ECHO_HANG, .cancel = &cancel};
        struct nova_message quick = {.operation = ECHO_CPU, .cancel = &cancel};
        struct nova_message free_one = {.operation = ECHO_CPU};
        struct nova_thread *threads[NOVA_CPU_MAX];

        check(service && nova_session_open(&session, "cancel", NULL) == 0 &&
                      nova_session_call(session, &quick) == 0,
              "a cancellable call is answered like any other");

        const unsigned count = hang_everywhere(threads);

        check(count && wait_for_hanging(count), "a call hangs on each CPU");
        nova_cancel_calls(&cancel);
        check(cancelled(threads, count) == count, "another thread cancels all of them");
        check(nova_session_call(session, &late) == ECANCELED && echo_hanging() == count,
              "and later calls do not even begin");
        echo_release();
        check(wait_for_hanging(0) && nova_session_call(session, &free_one) == 0,
              "after the service has answered it can be called as before");
        nova_cancel_calls(&cancel);
        nova_session_close(session);
        check(wait_for_no_session(service), "the calls leave nothing in the session");
        nova_service_stop(service);
}

static void dies(void)
{
        const struct echo_options options = {"mortal", 4, 4, false, 0};
        struct nova_service *service = echo_start(&options);
        nova_word_t answer = 0;

        check(service && nova_session_open(&session, "mortal", NULL) == 0 &&
                      nova_session_enable_notify(session) == 0,
              "a service that will die is opened");

        check(echo_call(session, ECHO_DIE, NULL, 0, NULL) == ECONNRESET,
              "when the handler dies in the middle of a call, the caller gets an error");
        check(echo_call(session, ECHO_CPU, NULL, 0, NULL) == ECONNRESET, "and so does the next");
        nova_service_stop(service);
        check(nova_session_wait(session, nova_deadline_in(60 * SECOND)) == ECONNRESET,
              "a waiter gets an error when the service has ended");
        check(nova_session_reopen(session) == ENOENT, "while it is gone it cannot be opened");
        service = echo_start(&options);
        check(nova_session_reopen(session) == 0 &&
                      echo_call(session, ECHO_COUNT, NULL, 0, &answer) == 0 && answer == 1,
              "after it has started again, a session begins again");
        check(echo_call(session, ECHO_TELL, NULL, 0, NULL) == 0 &&
                      nova_session_wait(session, nova_deadline_in(60 * SECOND)) == 0,
              "and notifies as before");
        nova_session_close(session);
        nova_service_stop(service);
}

static void *call_slowly(void *argument)
{
        unsigned answers = 0;

        (void)argument;
        while (echo_call(session, ECHO_SLOW, NULL, 0, NULL) == 0)
                answers++;
        return answers ? session : NULL;
}

/* Tests that a stopping service still serves one call at a time, until its end. */
static void stops(void)
{
        const struct echo_options options = {"slow", 4, 4, false, 0};
        struct nova_service *service = echo_start(&options);
        struct nova_thread *threads[NOVA_CPU_MAX];
        unsigned ended = 0;

        nova_session_open(&session, "slow", NULL);
        const unsigned count = start_everywhere(threads, call_slowly);

        nova_sleep(SECOND / 20);
        nova_service_stop(service);
        for (unsigned i = 0; i < count; i++)
                ended += nova_thread_join_until(threads[i], NULL, nova_deadline_in(60 * SECOND)) ==
                         0;
        check(count && ended == count, "a service stops while it is called on all CPUs");
        check(echo_crowded() == 0, "and serves one call at a time to the end");
        nova_session_close(session);
}

static struct nova_service *locked;
static struct nova_semaphore has = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore let_go = NOVA_SEMAPHORE_INITIALIZER(0);
static volatile bool stopped;

/* Holds the service's lock, in a thread of the service's program, until told to stop. */
static void *keep_lock(void *argument)
{
        const int error = nova_service_lock(locked);

        (void)argument;
        nova_semaphore_up(&has);
        nova_semaphore_down(&let_go);
        nova_service_unlock(locked);
        return (void *)(intptr_t)error;
}

static void *want_lock(void *argument)
{
        const int error = nova_service_lock(locked);

        (void)argument;
        if (!error)
                nova_service_unlock(locked);
        return (void *)(intptr_t)error;
}

static void *call_hanging(void *argument)
{
        (void)argument;
        return (void *)(intptr_t)echo_call(session, ECHO_HANG, NULL, 0, NULL);
}

static void *open_hanging(void *argument)
{
        struct nova_session *other;

        (void)argument;
        return (void *)(intptr_t)nova_session_open(&other, "locked", "hang");
}

static void *stop(void *argument)
{
        (void)argument;
        nova_service_stop(locked);
        stopped = true;
        return NULL;
}

/* Returns true if all threads end with the errno value @p wanted within a minute. */
static bool end_with(struct nova_thread **threads, unsigned count, int wanted)
{
        unsigned ended = 0;

        for (unsigned i = 0; i < count; i++) {
                void *error = NULL;

                ended += !nova_thread_join_until(threads[i], &error,
                                                 nova_deadline_in(60 * SECOND)) &&
                         (intptr_t)error == wanted;
        }
        return count && ended == count;
}

static void stops_while_locked(void)
{
        const struct echo_options options = {"locked", 8, 8, true, 0};
        struct nova_thread *waiters[NOVA_CPU_MAX], *callers[NOVA_CPU_MAX], *keeper, *stopper;
        const unsigned closed = echo_closed();

        locked = echo_start(&options);
        check(locked && nova_session_open(&session, "locked", NULL) == 0, "a service is opened");
        const unsigned count = start_everywhere(callers, call_hanging);

        check(wait_for_hanging(count), "a call hangs on each CPU");
        keeper = start(keep_lock, nova_program.cpu);
        nova_semaphore_down(&has);
        start_everywhere(waiters, want_lock);
        nova_sleep(SECOND / 50);
        stopped = false;
        stopper = start(stop, nova_program.cpu);
        check(end_with(waiters, count, ECANCELED),
              "a thread that waits for the lock gets an error");
        echo_release();
        check(end_with(callers, count, ECONNRESET), "calls inside the service do not return");
        nova_sleep(SECOND / 50);
        check(!stopped, "it does not stop as long as a thread holds the lock");
        nova_semaphore_up(&let_go);
        check(end_with(&keeper, 1, 0) && end_with(&stopper, 1, 0),
              "and stops when the thread releases it");
        check(echo_closed() == closed + 1, "each session was closed once");
        nova_session_close(session);
}

static void stops_while_opening(void)
{
        const struct echo_options options = {"locked", 8, 8, true, 0};
        struct nova_thread *opener, *keeper, *stopper;
        const unsigned closed = echo_closed();

        locked = echo_start(&options);
        opener = start(open_hanging, nova_program.cpu);
        check(locked && wait_for_hanging(1), "a service hangs while it opens a session");
        keeper = start(keep_lock, nova_program.cpu);
        nova_semaphore_down(&has);
        stopper = start(stop, nova_program.cpu);
        nova_sleep(SECOND / 50);
        echo_release();
        check(end_with(&opener, 1, ECONNRESET),
              "the client gets the error for a service that is gone");
        nova_semaphore_up(&let_go);
        check(end_with(&keeper, 1, 0) && end_with(&stopper, 1, 0) && echo_closed() == closed + 1,
              "the half-opened session is closed");
}

static void stops_with_a_dead_handler(void)
{
        const struct echo_options options = {"locked", 8, 8, false, 0};
        struct nova_thread *waiters[NOVA_CPU_MAX], *stopper;
        const unsigned closed = echo_closed();

        locked = echo_start(&options);
        check(locked && nova_session_open(&session, "locked", NULL) == 0 &&
                      echo_call(session, ECHO_DIE, NULL, 0, NULL) == ECONNRESET,
              "a handler dies while it holds the lock");
        const unsigned count = start_everywhere(waiters, want_lock);

        nova_sleep(SECOND / 50);
        stopper = start(stop, nova_program.cpu);
        check(end_with(waiters, count, ECANCELED),
              "no thread waits for the lock after the service has stopped");
        check(end_with(&stopper, 1, 0) && echo_closed() == closed + 1,
              "the stop completes and closes the session");
        nova_session_close(session);
}

static bool is_null(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && !crd;
}

/* Stops the service after a client has found it, and before the client calls it. */
static void stops_while_found(void)
{
        const struct echo_options options = {"found", 4, 4, false, 0};
        struct nova_service *service = echo_start(&options);
        nova_sel_t control = 0, other = 0;
        size_t used;

        check(service && novart_registry_get("found", &control), "a service is found");
        nova_service_stop(service);
        check(!novart_registry_get("found", &other), "after it has stopped, it cannot be found");
        check(is_null(control + nova_thread_cpu()), "and a client that had found it has no portal");

        service = echo_start(&options);
        check(service && novart_registry_get("found", &other) && other != control,
              "a service that starts meanwhile gets other selectors");
        novart_registry_put(other);
        nova_service_stop(service);
        used = nova_sel_used();
        novart_registry_put(control);
        check(nova_sel_used() == used - ((size_t)1 << NOVA_PARENT_SERVICE_ORDER),
              "its selectors are free when the last client has released them");
}

static volatile bool enough;
static unsigned opened, refused;

/* Opens sessions again and again, and accepts only the documented answers. */
static void *open_often(void *argument)
{
        unsigned strange = 0;

        (void)argument;
        while (!enough) {
                struct nova_session *own;
                const int error = nova_session_open(&own, "brief", NULL);
                nova_word_t answer;

                if (error) {
                        __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
                        if (error != ENOENT && error != ECONNRESET) {
                                strange++;
                                printf("# open: %s\n", strerror(error));
                        }
                        continue;
                }
                __atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED);

                const int call = echo_call(own, ECHO_COUNT, NULL, 0, &answer);

                if (call ? call != ECONNRESET : answer != 1) {
                        strange++;
                        printf("# call: %s, %zu\n", strerror(call), (size_t)answer);
                }
                nova_session_close(own);
        }
        return (void *)(nova_word_t)strange;
}

/* Starts and stops a service until clients have opened it often and were refused often. @return
 * false: this did not happen in time */
static bool come_and_go(const struct echo_options *options)
{
        const uint64_t deadline = nova_deadline_in(60 * SECOND);

        while (opened < 100 || refused < 100) {
                struct nova_service *service = echo_start(options);

                if (!service || nova_rdtsc() > deadline)
                        return false;
                nova_sleep(1000000);
                nova_service_stop(service);
        }
        return true;
}

static void stops_while_opened(void)
{
        const struct echo_options options = {"brief", 16, 16, false, 0};
        struct nova_thread *threads[NOVA_CPU_MAX];
        nova_word_t strange = 0;

        enough = false;
        const unsigned count = start_everywhere(threads, open_often);
        const bool good = count && come_and_go(&options);

        enough = true;
        for (unsigned i = 0; i < count; i++) {
                void *answers = NULL;

                nova_thread_join(threads[i], &answers);
                strange += (nova_word_t)answers;
        }
        check(good, "a service comes and goes while sessions are opened on all CPUs");
        check(strange == 0, "each opening succeeds, or reports that the service is gone");
}

/* Gives a portal to another program by the service `names`. Here both programs are this one. */
static bool give_on(nova_sel_t portal, nova_sel_t copy)
{
        struct nova_session *names;

        if (names_service_start() || nova_names_open(&names))
                return false;
        return !nova_names_publish(names, "way-in", nova_crd_obj(portal, 0, NOVA_PERM_ALL)) &&
               !nova_names_lookup(names, "way-in", nova_crd_obj(copy, 0, NOVA_PERM_ALL), 0);
}

static void given_on(void)
{
        const struct echo_options options = {"given", 4, 4, false, 0};
        struct nova_service *service = echo_start(&options);
        struct nova_utcb *utcb = nova_thread_utcb();
        const nova_sel_t copy = nova_sel_alloc(0);
        nova_word_t count = 0;

        nova_session_open(&session, "given", NULL);
        check(give_on(nova_session_portals(session) + nova_thread_cpu(), copy),
              "a session portal is delegated to another program");
        utcb->items = 1;
        utcb->word[0] = ECHO_COUNT;
        check(nova_call(copy, 0) == NOVA_SUCCESS && utcb->word[0] == 0 && utcb->word[1] == 1 &&
                      echo_call(session, ECHO_COUNT, NULL, 0, &count) == 0 && count == 2,
              "and refers to the same session");
        nova_session_close(session);
        utcb->items = 1;
        check(nova_call(copy, 0) == NOVA_BAD_CAP, "it ends with the session");
        nova_service_stop(service);
}

static void *from_here(void *argument)
{
        nova_word_t answer = 0;

        (void)argument;
        result = nova_session_open(&session, "narrow", NULL);
        if (!result)
                result = echo_call(session, ECHO_CPU, NULL, 0, &answer);
        return (void *)answer;
}

static void other_cpus(void)
{
        static char page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        nova_word_t far = nova_program.cpu;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program_has_cpu(cpu))
                        far = cpu;

        const struct echo_options options = {"narrow", 4, 4, false, (uint64_t)1 << far};
        const struct echo_options none = {"none", 4, 4, false, (uint64_t)1 << 63};
        struct nova_service *service = echo_start(&options);
        void *answer = NULL;

        check(!echo_start(&none), "a service on a CPU that the program lacks is refused");
        nova_thread_join(start(from_here, nova_program.cpu), &answer);
        check(result == 0 && (nova_word_t)answer == far,
              "a call from a CPU that is not served is made on another one");
        check(nova_session_share(session, page, 1) == 0 && nova_session_unshare(session) == 0,
              "and so is memory shared");
        nova_session_close(session);
        nova_service_stop(service);
}

int main(void)
{
        is_cancelled();
        dies();
        stops();
        stops_while_locked();
        stops_while_opening();
        stops_with_a_dead_handler();
        stops_while_found();
        stops_while_opened();
        given_on();
        other_cpus();
        return check_end();
}
