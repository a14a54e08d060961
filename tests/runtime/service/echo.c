/* SPDX-License-Identifier: BSD-2-Clause */
/* A service for tests. */
#include "echo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/guard.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

struct state {
        nova_word_t count;
};

static struct nova_semaphore hang = NOVA_SEMAPHORE_INITIALIZER(0);
static volatile unsigned hanging, closed, crowded;

static int sum(struct nova_request *request)
{
        nova_word_t all = 0;

        for (unsigned i = 0; i < request->word_count; i++)
                all += request->word[i];
        nova_request_answer(request, all);
        return 0;
}

static int count(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;

        nova_request_answer(request, ++state->count);
        return 0;
}

static int item(struct nova_request *request)
{
        if (!request->item)
                return EINVAL;
        return nova_sm_up(nova_crd_base(request->item)) == NOVA_SUCCESS ? 0 : EBADF;
}

static int share(struct nova_request *request)
{
        unsigned char bytes[64];
        const size_t offset = request->word[0], size = request->word[1];

        if (size > sizeof(bytes))
                return EINVAL;

        const int error = nova_request_share_read(request, offset, bytes, size);

        if (error)
                return error;
        for (size_t i = 0; i < size; i++)
                bytes[i]++;
        return nova_request_share_write(request, offset, bytes, size);
}

static int hold(struct nova_request *request)
{
        const char *const memory = nova_request_share_hold(request);
        char byte;

        if (!memory)
                return ENOENT;
        return nova_copy_guarded(&byte, memory, 1) || nova_request_share_read(request, 0, &byte, 1);
}

static int tell(struct nova_request *request)
{
        nova_service_notify(request->service, request->state);
        return 0;
}

static int stay(struct nova_request *request)
{
        (void)request;
        __atomic_add_fetch(&hanging, 1, __ATOMIC_SEQ_CST);
        nova_semaphore_down(&hang);
        __atomic_sub_fetch(&hanging, 1, __ATOMIC_SEQ_CST);
        return 0;
}

static int die(struct nova_request *request)
{
        (void)request;
        __builtin_trap();
}

static int slow(struct nova_request *request)
{
        static unsigned inside;

        (void)request;
        if (__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST))
                __atomic_add_fetch(&crowded, 1, __ATOMIC_SEQ_CST);
        nova_sleep(5000000);
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        return 0;
}

static int used(struct nova_request *request)
{
        nova_word_t kernel = 0, limit = 0;

        nova_quota_query(nova_program.pd, &kernel, &limit);
        nova_request_answer(request, kernel);
        nova_request_answer(request, nova_sel_used());
        nova_request_answer(request, nova_service_sessions(request->service));
        nova_request_answer(request, nova_page_free_count());
        return 0;
}

static int big(struct nova_request *request)
{
        nova_word_t i = 0;

        while (nova_request_answer(request, i))
                i++;
        return nova_request_answer_bytes(request, "x", 1) ? EPROTO : 0;
}

static int cpu(struct nova_request *request)
{
        nova_request_answer(request, request->cpu);
        return 0;
}

static int print(struct nova_request *request)
{
        struct nova_session *session;
        const nova_word_t first = request->word[0];

        printf("# in a handler of %s\n", (const char *)nova_service_argument(request->service));
        if (nova_session_open(&session, "inner", NULL) != 0)
                return EIO;

        const nova_word_t words[] = {first, 1};
        nova_word_t answer = 0;
        const int error = echo_call(session, ECHO_SUM, words, 2, &answer);

        nova_session_close(session);
        if (request->word[0] != first)
                return EILSEQ;
        nova_request_answer(request, answer);
        return error;
}

static int give(struct nova_request *request)
{
        nova_request_answer(request, 1);
        nova_request_give(request, nova_crd_obj(nova_program.pd, 0, NOVA_PD_SM));
        return (int)request->word[0];
}

static int open_session(struct nova_request *request, const char *arguments)
{
        if (!strcmp(arguments, "hang"))
                return stay(request);
        return strcmp(arguments, "no") ? 0 : EDOM;
}

/* Touches each page below itself on the handler's stack. */
static int deep(struct nova_request *request)
{
        volatile char frame[NOVA_HANDLER_STACK * 5 / 8];

        for (size_t at = sizeof(frame); at > 0; at -= sizeof(frame) / 8)
                frame[at - 1] = 1;
        nova_request_answer(request, (nova_word_t)frame[sizeof(frame) - 1]);
        return 0;
}

static int late(struct nova_request *request)
{
        const int error = slow(request);

        return error ? error : deep(request);
}

static void close_session(struct nova_service *service, void *state)
{
        (void)service, (void)state;
        __atomic_add_fetch(&closed, 1, __ATOMIC_SEQ_CST);
}

struct nova_service *echo_start(const struct echo_options *options)
{
        return echo_start_sharing(options, ECHO_PAGES);
}

struct nova_service *echo_start_sharing(const struct echo_options *options, unsigned pages)
{
        static const struct nova_service_operation operations[] = {
                {sum, 1, 8, false},   {count, 0, 0, false}, {item, 0, 0, true},
                {share, 2, 2, false}, {tell, 0, 0, false},  {stay, 0, 0, false},
                {big, 0, 0, false},   {cpu, 0, 0, false},   {print, 1, 1, false},
                {die, 0, 0, false},   {used, 0, 0, false},  {slow, 0, 0, false},
                {give, 1, 1, false},  {hold, 0, 0, false},  {deep, 0, 0, false},
                {late, 0, 0, false},  {NULL, 0, 0, false},
        };
        const struct nova_service_config config = {
                .name = options->name,
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct state),
                .sessions = options->sessions,
                .client_sessions = options->client_sessions,
                .receive_order = 1,
                .share_pages = pages,
                .parallel = options->parallel,
                .cpus = options->cpus,
                .argument = (void *)options->name,
                .open = open_session,
                .close = close_session,
        };
        struct nova_service *service = NULL;
        const int error = nova_service_start(&service, &config);

        if (error)
                printf("# %s does not start: %s\n", options->name, strerror(error));
        return service;
}

void echo_release(void)
{
        for (unsigned i = echo_hanging(); i > 0; i--)
                nova_semaphore_up(&hang);
}

unsigned echo_hanging(void)
{
        return __atomic_load_n(&hanging, __ATOMIC_SEQ_CST);
}

unsigned echo_closed(void)
{
        return __atomic_load_n(&closed, __ATOMIC_SEQ_CST);
}

unsigned echo_crowded(void)
{
        return __atomic_load_n(&crowded, __ATOMIC_SEQ_CST);
}

int echo_call(struct nova_session *session, nova_word_t operation, const nova_word_t *words,
              unsigned count_words, nova_word_t *answer)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count_words,
                                       .answer = answer,
                                       .answer_max = answer ? 1 : 0};

        return nova_session_call(session, &message);
}
