/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that takes all the kernel memory of a service that it can get by permitted calls.
 * Arguments: an action, and the number of pages that a session shares. Exits with 0 if all was
 * well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "echo.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "parent_registry.h"

#define SESSIONS 64

#define CHECK(condition)                                                                       \
        do {                                                                                   \
                if (!(condition)) {                                                            \
                        printf("%s: line %d: check failed: %s\n", nova_program.name, __LINE__, \
                               #condition);                                                    \
                        exit(1);                                                               \
                }                                                                              \
        } while (0)

static struct nova_session *session[SESSIONS];
static unsigned count; /* number of sessions */
static unsigned most;  /* number of pages to share */

static int call(nova_word_t operation)
{
        return echo_call(session[0], operation, NULL, 0, NULL);
}

/* Opens a session for a PD, as a program in that PD does. */
static int open_for(nova_sel_t pd, struct nova_session **opened)
{
        struct nova_session *const new = calloc(1, sizeof(*new));
        const nova_word_t words[] = {0, 0};
        nova_word_t answer[1] = {0};
        nova_sel_t control;

        CHECK(new &&novart_parent_registry_open("echo", &control) == 0);
        new->portals = nova_sel_alloc(CLIENT_WINDOW_MORE);

        struct nova_message message = {
                .operation = NOVA_OPERATION_OPEN,
                .words = words,
                .word_count = 2,
                .item_count = 1,
                .items = {nova_crd_obj(pd, 0, NOVA_PD_SM)},
                .window = nova_crd_obj(new->portals, CLIENT_WINDOW_MORE, NOVA_PERM_ALL),
                .answer = answer,
                .answer_max = 1,
        };
        const int error = novart_client_transact(control + nova_thread_cpu(), &message, NULL);

        novart_parent_registry_forget(control);
        new->cpus = novart_client_cpus(new->portals);
        new->share_max = (unsigned)answer[0];
        *opened = new;
        return error;
}

/* Returns pages each of which needs a mapping of its own in the program that receives it. */
static char *scattered(unsigned pages)
{
        char *const memory = nova_region_lazy("scattered", pages * NOVA_PAGE_SIZE);

        for (unsigned i = 0; i < pages; i++)
                memory[i * NOVA_PAGE_SIZE] = 1;
        return memory;
}

/* Opens a session and shares as many of *pages as the service takes. Reduces *pages to this
 * number. */
static int hold(nova_sel_t pd, unsigned *pages)
{
        char *const memory = *pages ? scattered(*pages) : NULL;
        const int error = pd == nova_program.pd ? nova_session_open(&session[count], "echo", NULL)
                                                : open_for(pd, &session[count]);

        while (!error && *pages && nova_session_share(session[count], memory, *pages))
                *pages -= 1 + *pages / 16;
        return error;
}

/* Takes kernel memory of the service until the service refuses. The service must take all pages of
 * the first session, although one message with all of them would cost more than the reserve. */
static void hold_all(nova_sel_t pd)
{
        unsigned pages = most, all = 0;
        int error = 0;

        while (count < SESSIONS && !error) {
                error = hold(pd, &pages);
                count += !error;
                all += error ? 0 : pages;
        }
        printf("%u sessions with %u pages: %s\n", count, all, strerror(error));
        CHECK(count && all >= most && error == ENOMEM);
}

/* Calls an operation whose handler may keep the capability that it gets. */
static int call_item(void)
{
        static nova_sel_t sm;
        struct nova_message message = {.operation = ECHO_ITEM, .item_count = 1};

        if (!sm) {
                sm = nova_sel_alloc(0);
                CHECK(nova_create_sm(sm, nova_program.pd, 0) == NOVA_SUCCESS);
        }
        message.items[0] = nova_crd_obj(sm, 0, NOVA_SM_UP);
        return nova_session_call(session[0], &message);
}

/* The service must still be able to serve an operation that needs a large stack, and new clients.
 */
static void hoard(void)
{
        hold_all(nova_program.pd);
        CHECK(call(ECHO_DEEP) == 0 && call_item() == ENOMEM);
        while (count > 1)
                nova_session_close(session[--count]);
        CHECK(nova_session_open(&session[1], "echo", NULL) == 0 && call_item() == 0);
        printf("the service has kept a reserve\n");
}

static bool enough; /* share_on() must end */

static void *share_on(void *argument)
{
        char *const memory = scattered(most);
        unsigned refusals = 0;

        for (; !__atomic_load_n(&enough, __ATOMIC_ACQUIRE); refusals++)
                CHECK(nova_session_share((struct nova_session *)argument, memory, most) == ENOMEM);
        printf("%u messages were refused\n", refusals);
        return NULL;
}

/* Sends memory for which the service keeps kernel memory, and never repeats the message. The
 * service must not keep this memory for ever. */
static void abandon(void)
{
        const nova_word_t words[] = {most};
        struct nova_message message = {
                .operation = NOVA_OPERATION_SHARE, .words = words, .word_count = 1};
        const nova_word_t cpu = nova_thread_cpu();
        struct nova_session *one, *other;

        CHECK(nova_session_open(&one, "echo", NULL) == 0);

        const struct client_share share = {scattered(most), most, one->portals + cpu};

        CHECK(novart_client_transact(one->portals + ((nova_sel_t)1 << one->order) + cpu, &message,
                                     &share) == EAGAIN);
        CHECK(nova_session_open(&other, "echo", NULL) == 0);
        nova_session_close(one);
        nova_session_close(other);
}

/* Sends messages from each CPU that would cost more than the reserve. Meanwhile the service must
 * still be able to serve an operation that needs a large stack. */
static void crush(void)
{
        struct nova_thread *thread[NOVA_CPU_MAX] = {NULL};
        struct nova_session *beggar[NOVA_CPU_MAX];

        abandon();
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program_has_cpu(cpu))
                        CHECK(nova_session_open(&beggar[cpu], "echo", NULL) == 0);
        hold_all(nova_program.pd);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "beggar", .cpu = cpu};

                if (nova_program_has_cpu(cpu))
                        CHECK(!nova_thread_create(&thread[cpu], &attr, share_on, beggar[cpu]));
        }
        for (unsigned i = 0; i < 10; i++)
                CHECK(call(ECHO_SLOW) == 0);
        CHECK(call(ECHO_LATE) == 0);
        __atomic_store_n(&enough, true, __ATOMIC_RELEASE);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                CHECK(!thread[cpu] || nova_thread_join(thread[cpu], NULL) == 0);
        printf("no message has taken the reserve\n");
}

/* Makes one claim after the other, and uses none. */
static void *claim_on(void *argument)
{
        struct nova_session *const own = (struct nova_session *)argument;
        const nova_word_t words[] = {most}, none[] = {0};
        const nova_word_t cpu = nova_thread_cpu();
        const nova_sel_t portal = own->portals + ((nova_sel_t)1 << own->order) + cpu;
        const struct client_share share = {scattered(most), most, own->portals + cpu};
        struct nova_message message = {
                .operation = NOVA_OPERATION_SHARE, .words = words, .word_count = 1};
        struct nova_message end = {
                .operation = NOVA_OPERATION_SHARE, .words = none, .word_count = 1};
        unsigned claims = 0;

        for (; !__atomic_load_n(&enough, __ATOMIC_ACQUIRE); claims++) {
                CHECK(novart_client_transact(portal, &message, &share) == EAGAIN);
                nova_sleep(20000000); /* less than the runner waits */
                novart_client_transact(portal, &end, NULL);
        }
        printf("%u claims\n", claims);
        return NULL;
}

/* A client makes claims without end. Meanwhile others must get all they ask for, at once. */
static void starve(void)
{
        const struct nova_thread_attr attr = {.name = "claims", .cpu = 1};
        struct nova_session *greedy, *other;
        struct nova_thread *thread;

        CHECK(nova_session_open(&session[0], "echo", NULL) == 0);
        CHECK(nova_session_open(&greedy, "echo", NULL) == 0);
        CHECK(nova_thread_create(&thread, &attr, claim_on, greedy) == 0);
        for (unsigned i = 0; i < 200; i++) {
                CHECK(nova_session_open(&other, "echo", NULL) == 0);
                nova_session_close(other);
                CHECK(call_item() == 0);
        }
        __atomic_store_n(&enough, true, __ATOMIC_RELEASE);
        CHECK(nova_thread_join(thread, NULL) == 0);
        printf("claims have stopped no other client\n");
}

/* A client that has taken the kernel memory ends. Then another client's first attempt to open a
 * session must succeed. */
static void heir(void)
{
        const nova_sel_t pd = nova_sel_alloc(0);

        CHECK(nova_create_pd(pd, nova_program.pd, 0) == NOVA_SUCCESS);
        hold_all(pd);
        nova_sel_release(pd, 0);
        CHECK(nova_session_open(&session[0], "echo", NULL) == 0 && call(ECHO_COUNT) == 0);
        printf("the service has room again\n");
}

int main(int argc, char **argv)
{
        const char *const action = argc > 1 ? argv[1] : "";

        most = argc > 2 ? (unsigned)atoi(argv[2]) : ECHO_PAGES;
        if (!strcmp(action, "hoard"))
                hoard();
        else if (!strcmp(action, "crush"))
                crush();
        else if (!strcmp(action, "starve"))
                starve();
        else if (!strcmp(action, "heir"))
                heir();
        else
                return 2;
        return 0;
}
