/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that another thread makes for the caller: on a CPU that the service serves, or because the
 * caller does not want to wait for ever.
 *
 * Who gives up does not leave the call behind: selectors of the caller's that it names (portals,
 * items) may mean something else by the time at which it would be delivered. Caller and deputy
 * agree by one word. An errand that has not begun never will. One that has begun is broken off with
 * its thread, which is harmless since a deputy in ERRAND_BEGUN holds nothing but its own things and
 * touches no memory that is not there: the service sees a caller that died.
 *
 * An errand that can be cancelled is in the list of its struct nova_cancel as long as the caller
 * waits, so who cancels finds errands only that have not been let go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "nova/hypercall.h"
#include "novart/thread.h"
#include "thread/thread.h"

/* NEW → BEGUN → DONE by the deputy; LEFT from any of them, by the caller. */
enum errand_state { ERRAND_NEW, ERRAND_BEGUN, ERRAND_DONE, ERRAND_LEFT };

/* Bytes of stack that a deputy needs for its call. */
#define CALL_STACK 1024

struct nova_errand {
        struct nova_message message;
        struct client_share share;  /* if it has memory, the message has */
        struct nova_semaphore over; /* the deputy has come back, or the call is cancelled */
        struct nova_errand *next;   /* in cancel->first, under its mutex */
        nova_sel_t portal;
        uint32_t state;   /* enum errand_state; atomic */
        unsigned holders; /* caller and deputy; the last one frees */
        int error;
        nova_word_t answer[NOVA_MESSAGE_WORDS];
        nova_word_t words[];
};

static void let_go(struct nova_errand *errand)
{
        if (!__atomic_sub_fetch(&errand->holders, 1, __ATOMIC_ACQ_REL))
                free(errand);
}

static bool advance(struct nova_errand *errand, enum errand_state from, enum errand_state to)
{
        uint32_t expected = from;

        return __atomic_compare_exchange_n(&errand->state, &expected, to, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
}

/* Page faults of stack and answer come now or not at all: a thread in a fault holds locks. */
static void touch(struct nova_errand *errand)
{
        volatile char depth[CALL_STACK];

        depth[0] = 0;
        (void)depth[0];
        *(volatile nova_word_t *)&errand->answer[0] = 0;
        *(volatile nova_word_t *)&errand->answer[NOVA_MESSAGE_WORDS - 1] = 0;
}

static void *run(void *argument)
{
        struct nova_errand *errand = (struct nova_errand *)argument;

        touch(errand);
        if (advance(errand, ERRAND_NEW, ERRAND_BEGUN)) {
                errand->error =
                        novart_client_transact(errand->portal, &errand->message,
                                               errand->share.memory ? &errand->share : NULL);
                if (!advance(errand, ERRAND_BEGUN, ERRAND_DONE))
                        for (;;) /* the caller is taking this thread back */
                                nova_thread_exit();
                nova_semaphore_up(&errand->over);
        }
        let_go(errand);
        return NULL;
}

static struct nova_errand *prepare(const struct client_call *call, nova_word_t cpu)
{
        const struct nova_message *const message = call->message;
        const size_t bytes = message->word_count * sizeof(nova_word_t);
        struct nova_errand *errand = calloc(1, sizeof(*errand) + bytes);

        if (!errand)
                return NULL;
        errand->message = *message;
        if (bytes)
                memcpy(errand->words, message->words, bytes);
        errand->message.words = errand->words;
        errand->message.answer = errand->answer;
        errand->message.answer_max = NOVA_MESSAGE_WORDS;
        if (call->share)
                errand->share = *call->share;
        errand->portal = call->portals + cpu;
        errand->holders = 1;
        return errand;
}

static void copy_answer(const struct nova_errand *errand, struct nova_message *message)
{
        const unsigned count = errand->message.answer_count;

        message->answer_count = count < message->answer_max ? count : message->answer_max;
        if (message->answer_count)
                memcpy(message->answer, errand->answer,
                       message->answer_count * sizeof(nova_word_t));
        message->received = errand->message.received;
}

static int send(struct nova_errand *errand, nova_word_t cpu, struct nova_thread **deputy)
{
        const struct nova_thread_attr attr = {
                .name = "deputy", .cpu = cpu, .stack_bytes = NOVA_THREAD_STACK_MIN};

        errand->holders = 2;
        if (nova_thread_create(deputy, &attr, run, errand)) {
                errand->holders = 1;
                return ENOMEM;
        }
        return 0;
}

/* Nobody waits for the errand any more. @return false if it is done */
static bool give_up(struct nova_errand *errand, struct nova_thread *deputy)
{
        const uint32_t state = __atomic_exchange_n(&errand->state, ERRAND_LEFT, __ATOMIC_ACQ_REL);

        if (state == ERRAND_BEGUN) {
                novart_thread_block_destroy(deputy);
                __atomic_sub_fetch(&errand->holders, 1, __ATOMIC_ACQ_REL); /* the caller stays */
        } else {
                nova_thread_detach(deputy);
        }
        return state != ERRAND_DONE;
}

/* Wait until the deputy is back, the deadline is there or somebody cancels. */
static int await(struct nova_errand *errand, struct nova_thread *deputy, uint64_t deadline,
                 bool *left)
{
        const int over = nova_semaphore_down_until(&errand->over, deadline);

        *left = give_up(errand, deputy);
        if (!*left)
                return errand->error;
        return over ? over : ECANCELED;
}

/* @return 0 or ECANCELED */
static int enlist(struct nova_cancel *cancel, struct nova_errand *errand)
{
        int error = ECANCELED;

        if (!cancel)
                return 0;
        nova_mutex_lock(&cancel->mutex);
        if (!cancel->cancelled) {
                errand->next = cancel->first;
                cancel->first = errand;
                error = 0;
        }
        nova_mutex_unlock(&cancel->mutex);
        return error;
}

static void strike_off(struct nova_cancel *cancel, const struct nova_errand *errand)
{
        if (!cancel)
                return;
        nova_mutex_lock(&cancel->mutex);

        struct nova_errand **link = &cancel->first;

        while (*link != errand)
                link = &(*link)->next;
        *link = errand->next;
        nova_mutex_unlock(&cancel->mutex);
}

void nova_cancel_calls(struct nova_cancel *cancel)
{
        nova_mutex_lock(&cancel->mutex);
        cancel->cancelled = true;
        for (struct nova_errand *errand = cancel->first; errand; errand = errand->next)
                nova_semaphore_up(&errand->over);
        nova_mutex_unlock(&cancel->mutex);
}

static int go(struct nova_errand *errand, nova_word_t cpu, uint64_t deadline, bool *left)
{
        struct nova_thread *deputy;
        const int error = send(errand, cpu, &deputy);

        return error ? error : await(errand, deputy, deadline, left);
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

        struct nova_errand *errand = prepare(call, cpu);

        if (!errand)
                return ENOMEM;

        int error = enlist(message->cancel, errand);

        if (!error) {
                error = go(errand, cpu, deadline, left);
                strike_off(message->cancel, errand);
                if (!*left)
                        copy_answer(errand, message);
        }
        let_go(errand);
        return error;
}
