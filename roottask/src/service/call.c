/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: calls. */
#include <errno.h>
#include <limits.h>

#include "client.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/program.h"
#include "novart/thread.h"

int novart_client_errno(nova_word_t status)
{
        switch ((enum nova_status)status) {
        case NOVA_SUCCESS:
                return 0;
        case NOVA_COM_ABT: /* the handler died during the call */
        case NOVA_COM_TIM: /* the handler died before the call */
        case NOVA_BAD_CAP: /* the portal does not exist any more */
                return ECONNRESET;
        default:
                return nova_errno_of((enum nova_status)status);
        }
}

static int send(struct nova_utcb *utcb, const struct nova_message *message,
                const struct client_share *share)
{
        if (message->word_count > NOVA_MESSAGE_WORDS || message->item_count > NOVA_MESSAGE_ITEMS ||
            message->word_count + 2 * message->item_count > NOVA_MESSAGE_WORDS)
                return EINVAL;
        nova_utcb_set_windows(utcb, 0, message->window);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, message->operation);
        nova_utcb_put_words(utcb, message->words, message->word_count);
        for (unsigned i = 0; i < message->item_count; i++)
                nova_utcb_delegate(utcb, message->items[i], 0, 0);
        return share ? novart_client_put_share(utcb, share) : 0;
}

/* Reads the answer's words and its first item. Refuses an errno value above INT_MAX: it would
 * become a negative int, and callers that negate it would return it as a number of bytes. */
static int receive(const struct nova_utcb *utcb, struct nova_message *message)
{
        nova_word_t word = 0;
        struct nova_item item = {0, 0};

        while (message->answer_count < message->answer_max &&
               nova_utcb_get(utcb, 1 + message->answer_count, &word))
                message->answer[message->answer_count++] = word;
        if (nova_utcb_get_item(utcb, 0, &item))
                message->received = item.crd;
        return nova_utcb_get(utcb, 0, &word) && word <= INT_MAX ? (int)word : EPROTO;
}

int novart_client_transact(nova_sel_t portal, struct nova_message *message,
                           const struct client_share *share)
{
        struct nova_utcb *utcb = nova_thread_utcb();
        int error = send(utcb, message, share);

        message->answer_count = 0;
        message->received = 0;
        if (!error)
                error = novart_client_errno(nova_call(portal, NOVA_CALL_DL));
        if (!error)
                error = receive(utcb, message);
        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        return error;
}

uint64_t novart_client_cpus(nova_sel_t portals)
{
        uint64_t cpus = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                nova_crd_t crd = nova_crd(NOVA_CRD_OBJ, portals + cpu, 0, NOVA_PERM_ALL);

                if (nova_program_has_cpu(cpu) && nova_lookup(&crd) == NOVA_SUCCESS && crd)
                        cpus |= (uint64_t)1 << cpu;
        }
        return cpus;
}

int novart_client_call(const struct client_call *call)
{
        const nova_word_t cpu = nova_thread_cpu();
        bool left;

        if (call->cpus >> cpu & 1)
                return novart_client_transact(call->portals + cpu, call->message, call->share);
        if (!call->cpus)
                return EHOSTUNREACH;
        return novart_client_call_async(call, NOVA_FOREVER, &left);
}

/* Fails a call in a session that has no portals, because an attempt to reopen it failed. */
static int not_open(struct nova_message *message)
{
        message->answer_count = 0;
        message->received = 0;
        return ECONNRESET;
}

int novart_client_call_until(struct nova_session *session, const struct client_call *call,
                             uint64_t deadline)
{
        const uint64_t here = (uint64_t)1 << nova_thread_cpu();
        struct client_call mine = *call;
        bool left;

        if (!call->cpus)
                return not_open(call->message);
        if (deadline == NOVA_FOREVER && !call->message->cancel)
                return novart_client_call(call);
        if (call->cpus & here)
                mine.cpus = here;

        const int error = novart_client_call_async(&mine, deadline, &left);

        if (left)
                __atomic_store_n(&session->doubt, true, __ATOMIC_RELAXED);
        return error;
}

int novart_client_persist(struct nova_session *session, const struct client_call *call,
                          uint64_t deadline)
{
        struct client_patience patience = novart_client_patience(deadline);
        int error;

        patience.pause = 0; /* the service has kept kernel memory for the next message */
        do
                error = novart_client_call_until(session, call, deadline);
        while (error == EAGAIN && novart_client_pause(&patience));
        return error == EAGAIN ? ENOMEM : error;
}

int nova_session_call(struct nova_session *session, struct nova_message *message)
{
        const struct client_call call = {session->portals, session->cpus, message, NULL};

        if (message->cancel)
                return nova_session_call_until(session, message, NOVA_FOREVER);
        return call.cpus ? novart_client_call(&call) : not_open(message);
}

int novart_client_call_on(struct nova_session *session, nova_word_t cpu,
                          struct nova_message *message)
{
        const uint64_t one = cpu < NOVA_CPU_MAX ? (uint64_t)1 << cpu : 0;
        const struct client_call call = {session->portals, session->cpus & one, message, NULL};

        if (!session->cpus)
                return not_open(message);
        return call.cpus ? novart_client_call(&call) : ENODEV;
}

int nova_session_call_until(struct nova_session *session, struct nova_message *message,
                            uint64_t deadline)
{
        const struct client_call call = {session->portals, session->cpus, message, NULL};

        return message->window ? EINVAL : novart_client_call_until(session, &call, deadline);
}

int nova_session_invoke(struct nova_session *session, nova_word_t operation, nova_word_t word1,
                        nova_word_t word2)
{
        const nova_word_t words[] = {word1, word2};
        struct nova_message message = {.operation = operation, .words = words, .word_count = 2};

        return nova_session_call(session, &message);
}
