/* SPDX-License-Identifier: BSD-2-Clause */
/* Both sides of the queries of novart/parent_status.h, which are requests of a child to its
 * parent. */
#include <errno.h>
#include <string.h>

#include "child/parent_call.h"
#include "child/request.h"
#include "nova/utcb.h"
#include "novart/parent_status.h"

/* Returns the size of an answer in words. */
static unsigned words_of(size_t bytes)
{
        return (unsigned)((bytes + sizeof(nova_word_t) - 1) / sizeof(nova_word_t));
}

static size_t size_of(nova_word_t kind)
{
        static const size_t sizes[] = {
                [NOVA_PARENT_STATUS_CPU] = sizeof(struct nova_parent_cpu),
                [NOVA_PARENT_STATUS_SESSION] = sizeof(struct nova_parent_session),
                [NOVA_PARENT_STATUS_LOG] = sizeof(struct nova_parent_log),
                [NOVA_PARENT_STATUS_OWN] = sizeof(struct nova_parent_own),
        };

        return kind < sizeof(sizes) / sizeof(*sizes) ? sizes[kind] : 0;
}

int novart_serve_status(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        struct nova_child_status question = {.kind = (unsigned)request->word[1]};
        const size_t bytes = size_of(request->word[1]);
        nova_word_t words[sizeof(question.answer) / sizeof(nova_word_t) + 1] = {0};
        int error;

        if (!grants->status)
                return EACCES;
        if (!bytes)
                return EINVAL;
        memcpy(&question.number, &request->word[2], sizeof(question.number));
        error = grants->status(grants->context, &question);
        if (error)
                return error;
        memcpy(words, &question.answer, bytes);
        return nova_utcb_put_words(request->utcb, words, words_of(bytes)) ? 0 : EIO;
}

static int ask(enum nova_parent_status_kind kind, uint64_t number, void *answer)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_STATUS);
        const size_t bytes = size_of(kind);
        int error;

        nova_utcb_put(utcb, kind);
        if (!novart_parent_call_put_bytes(utcb, &number, sizeof(number)))
                return EIO;
        error = novart_parent_call_send(utcb, 0);
        if (error)
                return error;
        if (nova_utcb_word_count(utcb) < 1 + words_of(bytes))
                return EIO;
        memcpy(answer, &utcb->word[1], bytes);
        return 0;
}

int nova_parent_cpu_describe(struct nova_parent_cpu *cpu)
{
        return ask(NOVA_PARENT_STATUS_CPU, 0, cpu);
}

int nova_parent_session_describe(unsigned number, struct nova_parent_session *session)
{
        const int error = ask(NOVA_PARENT_STATUS_SESSION, number, session);

        session->client[NOVA_PARENT_NAME - 1] = 0;
        session->service[NOVA_PARENT_NAME - 1] = 0;
        session->provider[NOVA_PARENT_NAME - 1] = 0;
        return error;
}

int nova_parent_own_describe(struct nova_parent_own *own)
{
        return ask(NOVA_PARENT_STATUS_OWN, 0, own);
}

int nova_parent_log_read(uint64_t position, struct nova_parent_log *log)
{
        const int error = ask(NOVA_PARENT_STATUS_LOG, position, log);

        return error ? error : log->bytes > sizeof(log->text) ? EIO : 0;
}
