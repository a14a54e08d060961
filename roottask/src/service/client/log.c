/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `log`. */
#include "novart/service/log.h"

#include <errno.h>
#include <string.h>

#include "service/client.h"

int nova_log_open(struct nova_session **log)
{
        return nova_session_open(log, "log", NULL);
}

int nova_log_write(struct nova_session *log, const char *text, size_t bytes)
{
        nova_word_t words[1 + NOVA_LOG_TEXT_WORDS];
        int error = 0;

        while (bytes && !error) {
                const size_t most = NOVA_MESSAGE_BYTES(NOVA_LOG_TEXT_WORDS);
                const size_t part = bytes < most ? bytes : most;
                struct nova_message message = {.operation = NOVA_LOG_WRITE,
                                               .words = words,
                                               .word_count = 1 + (unsigned)NOVA_WORDS_OF(part)};

                words[message.word_count - 1] = 0;
                words[0] = part;
                memcpy(&words[1], text, part);
                error = nova_session_call(log, &message);
                text += part;
                bytes -= part;
        }
        return error;
}

static int read_now(struct nova_session *log, char *text, size_t max, size_t *bytes)
{
        nova_word_t answer[1 + NOVA_LOG_TEXT_WORDS];
        const nova_word_t most = max < sizeof(answer) - sizeof(nova_word_t)
                                         ? max
                                         : sizeof(answer) - sizeof(nova_word_t);
        struct nova_message message = {.operation = NOVA_LOG_READ,
                                       .words = &most,
                                       .word_count = 1,
                                       .answer = answer,
                                       .answer_max = 1 + NOVA_LOG_TEXT_WORDS};
        const int error = nova_session_call(log, &message);

        if (error)
                return error;
        if (!message.answer_count || answer[0] > most ||
            NOVA_WORDS_OF(answer[0]) > message.answer_count - 1)
                return EPROTO;
        *bytes = answer[0];
        memcpy(text, &answer[1], *bytes);
        return 0;
}

int nova_log_read_line(struct nova_session *log, char *text, size_t max, size_t *bytes,
                       uint64_t deadline)
{
        struct nova_message listen = {.operation = NOVA_LOG_LISTEN};
        int error = nova_session_enable_notify(log);

        if (!error)
                error = nova_session_call(log, &listen);
        while (!error) {
                error = read_now(log, text, max, bytes);
                if (error != EAGAIN)
                        return error;
                error = novart_client_wait_again(log, deadline);
        }
        return error;
}
