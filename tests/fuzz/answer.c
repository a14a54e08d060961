/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of a hostile VMM to the ultravisor's calls, with arbitrary words. The first byte of an
 * input selects the call, the second one the access's size, the third one the number of words. */
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct message message_of(uint8_t call, uint8_t order)
{
        static const enum nova_h_call calls[] = {
#define CALL(name, number, text) NOVA_H_##name,
                NOVA_H_CALL_ROWS(CALL)
#undef CALL
        };
        const uint64_t parameters[MESSAGE_PARAMETERS] = {0, UINT64_C(1) << order % 4, order & 4, 0};

        return message_make(calls[call % (sizeof(calls) / sizeof(calls[0]))], parameters);
}

static void check(const struct message *message, const struct message_answer *answer,
                  const nova_word_t *words, unsigned count)
{
        const int vector = message_vector(answer, true), other = message_vector(answer, false);
        const bool access = message->word[0] == NOVA_H_PORT || message->word[0] == NOVA_H_MEMORY;

        require(answer->status == (int)words[0]);
        require(answer->more == (count > 2 && words[2]));
        if (access && message->word[2] < 8)
                require(!(answer->value >> 8 * message->word[2]));
        else
                require(answer->value == words[1]);
        require(vector == MESSAGE_NO_VECTOR || vector == MESSAGE_BAD_VECTOR ||
                (vector >= 32 && vector <= 255 && (uint64_t)vector == answer->value));
        require((vector == MESSAGE_NO_VECTOR) == (answer->value == UINT32_MAX));
        require(other == (vector == 128 ? MESSAGE_BAD_VECTOR : vector));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        nova_word_t words[MESSAGE_ANSWER_WORDS] = {0};
        struct message_answer answer;
        struct message message;
        unsigned count;

        if (size < 3)
                return 0;
        message = message_of(data[0], data[1]);
        count = data[2] % (MESSAGE_ANSWER_WORDS + 1u);
        size -= 3;
        memcpy(words, data + 3, size < sizeof(words) ? size : sizeof(words));
        /* Words after the answer are out of bounds for the sanitizer. */
        nova_word_t *const sent = malloc(count ? count * sizeof(*sent) : 1);

        require(sent != NULL);
        memcpy(sent, words, count * sizeof(*sent));
        if (message_accept(&message, sent, count, &answer))
                check(&message, &answer, sent, count);
        else
                require(count < 2 && answer.status == NOVA_H_FUNCTION && !answer.more);
        free(sent);
        return 0;
}
