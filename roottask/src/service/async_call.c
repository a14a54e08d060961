/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous calls: a call thread makes the call while the caller waits. They are used if the
 * service does not serve the caller's CPU, or if the caller waits only until a deadline.
 *
 * A caller that stops waiting also ends the call. Otherwise the call could be delivered at a time
 * when the selectors that it names (portals, items) mean something else. Caller and call thread
 * agree on the outcome through one word, the call's state. If the call has not begun when the
 * caller stops waiting, it never begins. If the call has begun, the caller destroys the call
 * thread, and the service sees a caller that died. This is safe, because in ASYNC_CALL_BEGUN the
 * thread owns only the call's resources and takes no page fault.
 *
 * A call that can be cancelled is in the list of its struct nova_cancel as long as the caller
 * waits, so nova_cancel_calls() finds only calls that still exist. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "nova/hypercall.h"
#include "novart/thread.h"
#include "thread/reap.h"
#include "thread/thread.h"

/* The call thread changes NEW to BEGUN and later to DONE; the caller changes any state to LEFT. */
enum async_call_state { ASYNC_CALL_NEW, ASYNC_CALL_BEGUN, ASYNC_CALL_DONE, ASYNC_CALL_LEFT };

/* Bytes of stack that a call thread needs for its call. */
#define CALL_STACK 1024

struct nova_async_call {
        struct nova_message message;
        struct client_share share;    /* used if the message has memory */
        struct nova_semaphore over;   /* gets an up when the call has returned or is cancelled */
        struct nova_async_call *next; /* in the list cancel->first, under its mutex */
        nova_sel_t portal;
        uint32_t state;   /* enum async_call_state; atomic */
        unsigned holders; /* number of references: of the caller, and of the call thread; the last
                           * holder frees the call */
        int error;
        nova_word_t answer[NOVA_MESSAGE_WORDS];
        nova_word_t words[];
};

static void release(struct nova_async_call *async)
{
        if (!__atomic_sub_fetch(&async->holders, 1, __ATOMIC_ACQ_REL))
                free(async);
}

static bool change_state(struct nova_async_call *async, enum async_call_state from,
                         enum async_call_state to)
{
        uint32_t expected = from;

        return __atomic_compare_exchange_n(&async->state, &expected, to, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
}

/* Touches the stack and the answer's buffer, so that their page faults happen now: a thread in a
 * page fault holds locks. */
static void touch(struct nova_async_call *async)
{
        volatile char depth[CALL_STACK];

        depth[0] = 0;
        (void)depth[0];
        *(volatile nova_word_t *)&async->answer[0] = 0;
        *(volatile nova_word_t *)&async->answer[NOVA_MESSAGE_WORDS - 1] = 0;
}

static void *run(void *argument)
{
        struct nova_async_call *async = argument;

        touch(async);
        if (change_state(async, ASYNC_CALL_NEW, ASYNC_CALL_BEGUN)) {
                async->error = novart_client_transact(async->portal, &async->message,
                                                      async->share.memory ? &async->share : NULL);
                if (!change_state(async, ASYNC_CALL_BEGUN, ASYNC_CALL_DONE))
                        for (;;) /* the caller is destroying this thread */
                                nova_thread_exit();
                nova_semaphore_up(&async->over);
        }
        release(async);
        return NULL;
}

static struct nova_async_call *prepare(const struct client_call *call, nova_word_t cpu)
{
        const struct nova_message *const message = call->message;
        const size_t bytes = message->word_count * sizeof(nova_word_t);
        struct nova_async_call *async = calloc(1, sizeof(*async) + bytes);

        if (!async)
                return NULL;
        async->message = *message;
        if (bytes)
                memcpy(async->words, message->words, bytes);
        async->message.words = async->words;
        async->message.answer = async->answer;
        async->message.answer_max = NOVA_MESSAGE_WORDS;
        if (call->share)
                async->share = *call->share;
        async->portal = call->portals + cpu;
        async->holders = 1;
        return async;
}

static void copy_answer(const struct nova_async_call *async, struct nova_message *message)
{
        const unsigned count = async->message.answer_count;

        message->answer_count = count < message->answer_max ? count : message->answer_max;
        if (message->answer_count)
                memcpy(message->answer, async->answer, message->answer_count * sizeof(nova_word_t));
        message->received = async->message.received;
}

static int send(struct nova_async_call *async, nova_word_t cpu, struct nova_thread **thread)
{
        const struct nova_thread_attr attr = {
                .name = "caller", .cpu = cpu, .stack_bytes = NOVA_THREAD_STACK_MIN, .daemon = true};

        async->holders = 2;
        if (nova_thread_create(thread, &attr, run, async)) {
                async->holders = 1;
                return ENOMEM;
        }
        return 0;
}

/* Ends a call for which the caller no longer waits. @return false if the call is done */
static bool give_up(struct nova_async_call *async, struct nova_thread *thread)
{
        const uint32_t state =
                __atomic_exchange_n(&async->state, ASYNC_CALL_LEFT, __ATOMIC_ACQ_REL);

        if (state == ASYNC_CALL_BEGUN) {
                novart_thread_block_destroy(thread);
                __atomic_sub_fetch(&async->holders, 1, __ATOMIC_ACQ_REL); /* the caller's own
                                                                           * reference stays */
        } else {
                nova_thread_detach(thread);
        }
        return state != ASYNC_CALL_DONE;
}

/* Waits until the call is done, the deadline has passed or the call is cancelled. */
static int await(struct nova_async_call *async, struct nova_thread *thread, uint64_t deadline,
                 bool *left)
{
        const int over = nova_semaphore_down_until(&async->over, deadline);

        *left = give_up(async, thread);
        if (!*left)
                return async->error;
        return over ? over : ECANCELED;
}

/* Enters the call into the list of its cancel object.
 * @return 0 or ECANCELED */
static int enlist(struct nova_cancel *cancel, struct nova_async_call *async)
{
        int error = ECANCELED;

        if (!cancel)
                return 0;
        nova_mutex_lock(&cancel->mutex);
        if (!cancel->cancelled) {
                async->next = cancel->first;
                cancel->first = async;
                error = 0;
        }
        nova_mutex_unlock(&cancel->mutex);
        return error;
}

static void unlist(struct nova_cancel *cancel, const struct nova_async_call *async)
{
        if (!cancel)
                return;
        nova_mutex_lock(&cancel->mutex);

        struct nova_async_call **link = &cancel->first;

        while (*link != async)
                link = &(*link)->next;
        *link = async->next;
        nova_mutex_unlock(&cancel->mutex);
}

void nova_cancel_calls(struct nova_cancel *cancel)
{
        nova_mutex_lock(&cancel->mutex);
        cancel->cancelled = true;
        for (struct nova_async_call *async = cancel->first; async; async = async->next)
                nova_semaphore_up(&async->over);
        nova_mutex_unlock(&cancel->mutex);
}

static int go(struct nova_async_call *async, nova_word_t cpu, uint64_t deadline, bool *left)
{
        struct nova_thread *thread;
        const int error = send(async, cpu, &thread);

        return error ? error : await(async, thread, deadline, left);
}

int novart_client_call_async(const struct client_call *call, uint64_t deadline, bool *left)
{
        const nova_word_t cpu = (nova_word_t)__builtin_ctzll(call->cpus);
        struct nova_message *const message = call->message;

        *left = false;
        message->answer_count = 0;
        message->received = 0;
        if (message->word_count > NOVA_MESSAGE_WORDS)
                return EINVAL;

        struct nova_async_call *async = prepare(call, cpu);

        if (!async)
                return ENOMEM;

        int error = enlist(message->cancel, async);

        if (!error) {
                error = go(async, cpu, deadline, left);
                unlist(message->cancel, async);
                if (!*left)
                        copy_answer(async, message);
        }
        release(async);
        return error;
}
