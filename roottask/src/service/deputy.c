/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that another thread makes for the caller: on a CPU that the service serves, or because the
 * caller does not want to wait for ever. A thread that is still in the call when the caller gives
 * up stays behind; whoever of the two lets the errand go last frees it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "novart/thread.h"

struct errand {
        struct nova_message message;
        struct nova_semaphore done;
        nova_sel_t portal;
        unsigned holders;
        int error;
        nova_word_t answer[NOVA_MESSAGE_WORDS];
        nova_word_t words[];
};

static void let_go(struct errand *errand)
{
        if (!__atomic_sub_fetch(&errand->holders, 1, __ATOMIC_ACQ_REL))
                free(errand);
}

static void *run(void *argument)
{
        struct errand *errand = (struct errand *)argument;

        errand->error = client_transact(errand->portal, &errand->message);
        nova_semaphore_up(&errand->done);
        let_go(errand);
        return NULL;
}

static struct errand *prepare(const struct nova_message *message)
{
        const size_t bytes = message->word_count * sizeof(nova_word_t);
        struct errand *errand = calloc(1, sizeof(*errand) + bytes);

        if (!errand)
                return NULL;
        errand->message = *message;
        if (bytes)
                memcpy(errand->words, message->words, bytes);
        errand->message.words = errand->words;
        errand->message.answer = errand->answer;
        errand->message.answer_max = NOVA_MESSAGE_WORDS;
        errand->holders = 2;
        return errand;
}

static void copy_answer(const struct errand *errand, struct nova_message *message)
{
        const unsigned count = errand->message.answer_count;

        message->answer_count = count < message->answer_max ? count : message->answer_max;
        if (message->answer_count)
                memcpy(message->answer, errand->answer,
                       message->answer_count * sizeof(nova_word_t));
        message->received = errand->message.received;
}

int client_deputy(nova_sel_t portals, uint64_t cpus, struct nova_message *message,
                  uint64_t deadline)
{
        const nova_word_t cpu = (nova_word_t)__builtin_ctzll(cpus);
        const struct nova_thread_attr attr = {
                .name = "deputy", .cpu = cpu, .stack_bytes = NOVA_THREAD_STACK_MIN};
        struct nova_thread *thread;

        message->answer_count = 0;
        message->received = 0;
        if (message->word_count > NOVA_MESSAGE_WORDS)
                return EINVAL;

        struct errand *errand = prepare(message);

        if (!errand)
                return ENOMEM;
        errand->portal = portals + cpu;
        if (nova_thread_create(&thread, &attr, run, errand)) {
                free(errand);
                return ENOMEM;
        }
        nova_thread_detach(thread);

        int error = nova_semaphore_down_until(&errand->done, deadline);

        if (!error) {
                copy_answer(errand, message);
                error = errand->error;
        }
        let_go(errand);
        return error;
}
