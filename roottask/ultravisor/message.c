/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of messages and answers (see message.h). */
#include "message.h"

#define NO_VECTOR    UINT32_MAX
#define VECTOR_FIRST 32u
#define VECTOR_LAST  255u

enum { ADDRESS, BYTES, IS_WRITE, VALUE }; /* parameters of an access */

/* Returns a mask of the bits that the value of an access can have. */
static uint64_t bits_of(uint64_t bytes)
{
        return bytes < sizeof(uint64_t) ? (UINT64_C(1) << 8 * bytes) - 1 : UINT64_MAX;
}

static bool is_access(uint64_t call)
{
        return call == NOVA_H_PORT || call == NOVA_H_MEMORY;
}

/* Returns the number of parameters of a call. */
static unsigned count_of(enum nova_h_call call)
{
        switch (call) {
        case NOVA_H_SVM_PAGE_IN:
        case NOVA_H_SVM_PAGE_OUT:
                return 3;           /* page, flags, order */
        case NOVA_H_SVM_INIT_ABORT: /* the status of UV_ESM */
        case NOVA_H_INTERRUPT:      /* U_INVALID after a bad vector */
                return 1;
        case NOVA_H_PORT:
        case NOVA_H_MEMORY:
        case NOVA_H_GUEST:
                return MESSAGE_PARAMETERS;
        default:
                return 0;
        }
}

struct message message_make(enum nova_h_call call, const uint64_t parameters[MESSAGE_PARAMETERS])
{
        struct message message = {.word = {(nova_word_t)call}};
        nova_word_t *const word = &message.word[1];
        const unsigned count = count_of(call);

        for (unsigned i = 0; i < count; i++)
                word[i] = (nova_word_t)parameters[i];
        if (call == NOVA_H_PORT)
                word[ADDRESS] &= UINT16_MAX;
        if (call == NOVA_H_SVM_PAGE_IN || call == NOVA_H_SVM_PAGE_OUT)
                word[ADDRESS] &= ~(nova_word_t)(NOVA_PAGE_SIZE - 1);
        if (is_access(call)) {
                word[IS_WRITE] = word[IS_WRITE] != 0;
                word[VALUE] &= word[IS_WRITE] ? (nova_word_t)bits_of(word[BYTES]) : 0;
        }
        return message;
}

struct message message_of_hypercall(const struct nova_utcb_state *state)
{
        const uint64_t parameters[MESSAGE_PARAMETERS] = {state->ax, state->bx, state->cx,
                                                         state->dx};

        return message_make(NOVA_H_GUEST, parameters);
}

bool message_accept(const struct message *message, const nova_word_t *words, unsigned count,
                    struct message_answer *answer)
{
        *answer = (struct message_answer){.status = NOVA_H_FUNCTION, .value = UINT64_MAX};
        if (count < 2)
                return false;
        answer->status = (int)words[0];
        answer->value = words[1];
        if (is_access(message->word[0]))
                answer->value &= bits_of(message->word[1 + BYTES]);
        answer->more = count > 2 && words[2];
        return true;
}

int message_vector(const struct message_answer *answer, bool vector_128)
{
        if (answer->value == NO_VECTOR)
                return MESSAGE_NO_VECTOR;
        if (answer->value == MESSAGE_VECTOR_128 && !vector_128)
                return MESSAGE_BAD_VECTOR;
        return answer->value >= VECTOR_FIRST && answer->value <= VECTOR_LAST ? (int)answer->value
                                                                             : MESSAGE_BAD_VECTOR;
}
