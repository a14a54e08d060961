/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that a VMM gets about its secure guest, and the words of the VMM's answer that the
 * ultravisor uses. Makes no hypercalls: reflect.c sends and receives the words. */
#ifndef ULTRAVISOR_MESSAGE_H
#define ULTRAVISOR_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/abi/utcb.h"
#include "novart/service/ultravisor_calls.h"

enum {
        MESSAGE_PARAMETERS = 4,
        MESSAGE_WORDS = 1 + MESSAGE_PARAMETERS,
        MESSAGE_ANSWER_WORDS = 3,
        MESSAGE_NO_VECTOR = -1,
        MESSAGE_BAD_VECTOR = -2,
        MESSAGE_VECTOR_128 = 128
};

/* A call: its number and its parameters. */
struct message {
        nova_word_t word[MESSAGE_WORDS];
};

struct message_answer {
        int status;
        uint64_t value; /* no more bytes than the access has */
        bool more;      /* the VMM has an interrupt */
};

/* Makes the message of a call. A word that the call does not declare is 0. A declared word has
 * only bits that the call needs: the value of a write has no more bytes than the access, and a read
 * has no value. */
struct message message_make(enum nova_h_call call, const uint64_t parameters[MESSAGE_PARAMETERS]);

/* Makes the message of a hypercall: its number and three parameters. */
struct message message_of_hypercall(const struct nova_utcb_state *state);

/* Takes the answer to a message from words that the VMM has sent.
 * @return false if the words are not a valid answer */
bool message_accept(const struct message *message, const nova_word_t *words, unsigned count,
                    struct message_answer *answer);

/* Returns the vector that an answer to H_INTERRUPT names, 32 to 255; MESSAGE_NO_VECTOR;
 * MESSAGE_BAD_VECTOR. In user mode Linux takes MESSAGE_VECTOR_128 for a system call of the program
 * that it interrupts, so the policy of the image must permit it: @p vector_128. */
int message_vector(const struct message_answer *answer, bool vector_128);

#endif
