/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that another thread makes for the caller: on a CPU that the service serves, or because the
 * caller does not want to wait for ever. A thread that is still in the call when the caller gives
 * up stays behind; whoever of the two lets the errand go last frees it.
 *
 * An errand that can be cancelled is in the list of its struct nova_cancel as long as the caller
 * waits, so who cancels finds errands only that have not been let go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "novart/thread.h"

struct nova_errand {
        struct nova_errand *next; /* in cancel->first, under its mutex */
        struct nova_message message;
        struct nova_semaphore done; /* up: answered, or cancelled */
        nova_sel_t portal;
        struct nova_session *session; /* whose portal it is, or NULL; let go by the deputy */
        unsigned holders;
        bool answered; /* error and answer are there; the deputy writes */
        int error;
        nova_word_t answer[NOVA_MESSAGE_WORDS];
        nova_word_t words[];
};

static void let_go(struct nova_errand *errand)
{
        if (!__atomic_sub_fetch(&errand->holders, 1, __ATOMIC_ACQ_REL))
                free(errand);
}

static void *run(void *argument)
{
        struct nova_errand *errand = (struct nova_errand *)argument;

        errand->error = client_transact(errand->portal, &errand->message);
        /* Ends the session only if the caller has given up and closed it. */
        if (errand->session)
                client_let_go(errand->session);
        __atomic_store_n(&errand->answered, true, __ATOMIC_RELEASE);
        nova_semaphore_up(&errand->done);
        let_go(errand);
        return NULL;
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

void nova_cancel(struct nova_cancel *cancel)
{
        nova_mutex_lock(&cancel->mutex);
        cancel->cancelled = true;
        for (struct nova_errand *errand = cancel->first; errand; errand = errand->next)
                nova_semaphore_up(&errand->done);
        nova_mutex_unlock(&cancel->mutex);
}

static struct nova_errand *prepare(const struct nova_message *message)
{
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
        errand->holders = 2;
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

/* Sends a thread with the errand. @return 0 or an errno value: nobody has the errand then */
static int send_deputy(struct nova_errand *errand, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {
                .name = "deputy", .cpu = cpu, .stack_bytes = NOVA_THREAD_STACK_MIN};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, run, errand))
                return ENOMEM;
        nova_thread_detach(thread);
        return 0;
}

/* Lets go for the deputy that could not be made. */
static void nobody_went(struct nova_errand *errand)
{
        if (errand->session)
                client_let_go(errand->session);
        errand->holders = 1;
}

/* What has become of the errand when the caller has stopped waiting. */
static int finish(const struct nova_errand *errand, struct nova_message *message, int waited)
{
        if (!__atomic_load_n(&errand->answered, __ATOMIC_ACQUIRE))
                return waited ? waited : ECANCELED;
        copy_answer(errand, message);
        return errand->error;
}

int client_deputy(nova_sel_t portals, uint64_t cpus, struct nova_message *message,
                  uint64_t deadline, struct nova_session *session)
{
        const nova_word_t cpu = (nova_word_t)__builtin_ctzll(cpus);

        message->answer_count = 0;
        message->received = 0;
        if (message->word_count > NOVA_MESSAGE_WORDS)
                return EINVAL;

        struct nova_errand *errand = prepare(message);
        int error = errand ? enlist(message->cancel, errand) : ENOMEM;

        if (error) {
                free(errand);
                return error;
        }
        errand->portal = portals + cpu;
        errand->session = session;
        if (session)
                __atomic_fetch_add(&session->holders, 1, __ATOMIC_RELAXED);
        error = send_deputy(errand, cpu);
        if (!error)
                error = nova_semaphore_down_until(&errand->done, deadline);
        else
                nobody_went(errand);
        strike_off(message->cancel, errand);
        error = finish(errand, message, error);
        let_go(errand);
        return error;
}
