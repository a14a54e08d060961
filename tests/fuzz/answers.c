/* SPDX-License-Identifier: BSD-2-Clause */
/* The hostile server and the kernel (see answers.h). */
#include "answers.h"

#include <errno.h>
#include <string.h>

#include "nova/hypercall.h"
#include "service/client.h"

struct nova_utcb answers_utcb;
unsigned answers_calls;
nova_word_t answers_items, answers_first[2];

static const uint8_t *input;
static size_t left;

void answers_begin(const uint8_t *data, size_t size)
{
        input = data;
        left = size;
        answers_calls = 0;
        answers_items = 0;
        memset(&answers_utcb, 0, sizeof(answers_utcb));
}

bool answers_has_input(void)
{
        return left;
}

uint8_t answers_take(void)
{
        if (!left)
                return 0;
        left--;
        return *input++;
}

/* A client repeats its call while the server has answers. */
struct client_patience novart_client_patience(uint64_t deadline)
{
        return (struct client_patience){.deadline = deadline};
}

bool novart_client_pause(struct client_patience *patience)
{
        (void)patience;
        return answers_has_input();
}

nova_word_t answers_take_word(void)
{
        const uint8_t byte = answers_take();
        nova_word_t word = 0;

        if (byte < 0xc0)
                return byte;
        if (byte < 0xe0)
                return ((nova_word_t)1 << (byte & 31)) + answers_take() - 128;
        if (byte < 0xf0)
                return (nova_word_t)answers_take() << (4 * (byte & 15));
        for (unsigned i = 0; i < 8; i++)
                word = word << 8 | answers_take();
        return word;
}

/* Answers a call, mostly without an error. The words come from the input. */
static void answer(void)
{
        static const int errors[] = {EAGAIN, ENOENT, ENOMEM, ECONNRESET, EPROTO, EINVAL};
        const uint8_t kind = answers_take(), count = answers_take();

        answers_utcb.word[0] = kind < 0xe0   ? 0
                               : kind < 0xf0 ? (nova_word_t)errors[kind % 6]
                                             : answers_take_word();
        for (unsigned i = 1; i <= count % 12u; i++)
                answers_utcb.word[i] = answers_take_word();
        if (kind & 1) /* all other words get the same value, not 0 */
                memset(&answers_utcb.word[1 + count % 12u], kind,
                       sizeof(answers_utcb.word) - (1 + count % 12u) * sizeof(nova_word_t));
        if (kind & 2)
                answers_utcb.items = (nova_word_t)answers_take() << 24 |
                                     (nova_word_t)answers_take() << 16 | answers_take() << 8 |
                                     answers_take();
        else
                answers_utcb.items =
                        nova_utcb_items(kind & 4 ? NOVA_UTCB_WORDS : count, kind >> 3 & 1);
}

/* Substitutes for the kernel. */
nova_word_t nova_trap_1(nova_word_t id)
{
        static const nova_word_t failures[] = {NOVA_COM_TIM, NOVA_COM_ABT, NOVA_BAD_CAP,
                                               NOVA_OUT_OF_MEMORY};
        const nova_word_t call = id & 0xff;

        require((call & 0xf) == NOVA_CALL);
        answers_check_call(id >> NOVA_ID_SEL_SHIFT, &answers_utcb);
        if (!left)
                return NOVA_COM_ABT;
        if (answers_take() >= 0xf8)
                return failures[answers_take() % 4];
        answer();
        answers_calls++;
        answers_items = answers_utcb.items;
        for (unsigned i = 0; i < 2; i++) {
                answers_first[i] = 0;
                nova_utcb_get(&answers_utcb, 1 + i, &answers_first[i]);
        }
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        if (id == nova_hypercall_id(NOVA_LOOKUP, 0, 0)) {
                answers_check_lookup(*a2);
                *a2 = answers_take() >= 0xe0 ? 0 : *a2;
                return NOVA_SUCCESS;
        }
        require((id & 0xf) == NOVA_REVOKE);
        answers_check_revoke(*a2, id == nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0));
        return NOVA_SUCCESS;
}

struct nova_utcb *nova_thread_utcb(void)
{
        return &answers_utcb;
}

nova_word_t nova_thread_cpu(void)
{
        return 0;
}
