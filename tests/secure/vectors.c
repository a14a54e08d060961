/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that sends each vector from 32 to 255 in turn whenever it answers a call of its guest. The
 * guest computes in all registers meanwhile: its sums are right, and it takes exactly the vectors
 * that the VMM has sent, never while IF is clear. It takes vector 128 only if the policy of its
 * image permits this: then the test's argument is 1, otherwise 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/tap.h"
#include "honest.h"

#define VECTORS (PROBE_VECTOR_LAST - PROBE_VECTOR_FIRST + 1u)
#define ROUNDS  (2 * VECTORS)
#define BURST   (4 * VECTORS) /* vectors that come without an instruction between them */
#define NUMBERS PROBE_RANDOM_MOST
#define CLASS   8u /* of a task priority */
#define SPECIAL 128u

#define FLAGS_AT        0x24u /* of the start page of an image */
#define FLAG_VECTOR_128 2u

static bool permitted;       /* the policy permits vector 128 */
static unsigned special;     /* answers with vector 128 */
static unsigned refused;     /* questions after a refused vector */
static bool is_special_next; /* the last answer was vector 128 */
static unsigned misplaced;   /* questions whose refusal, or lack of one, is wrong */

static unsigned sent[PROBE_VECTOR_LAST + 1];
static unsigned total; /* vectors sent */
static unsigned limit; /* of `total` */
static bool at_once;   /* an answer with a vector says that a further one is pending */
static unsigned hypercalls;

/* Counts the refusals of vectors that questions report. */
static void note_refusal(const struct call *call)
{
        const bool is_refusal = (int)call->word[0] == NOVA_U_INVALID;

        refused += is_refusal;
        misplaced += is_refusal != (is_special_next && !permitted);
        is_special_next = false;
}

/* Returns the next vector. */
static unsigned next_vector(void)
{
        const unsigned vector = PROBE_VECTOR_FIRST + total++ % VECTORS;

        is_special_next = vector == SPECIAL;
        special += is_special_next;
        sent[vector] += vector != SPECIAL || permitted;
        return vector;
}

/* Answers each call with a sign that an interrupt is pending. Answers the question for a vector
 * with the next vector. */
static void storm(struct call *call)
{
        call->more = total < limit;
        hypercalls += call->number == NOVA_H_GUEST;
        if (call->number == NOVA_H_INTERRUPT) {
                call->words = 3;
                call->value = NO_VECTOR;
                note_refusal(call);
                if (total < limit)
                        call->value = next_vector();
                call->more = at_once && total < limit;
        } else if (call->number == NOVA_H_PORT && call->word[0] == PROBE_MARK_PORT) {
                call->words = 3; /* the exits of the guest's rounds */
        }
}

/* Lets the guest compute, while the VMM sends vectors. @return its sum */
static uint32_t compute(unsigned rounds, bool enabled, unsigned vectors, bool burst)
{
        limit = total + vectors;
        at_once = burst;
        return guest(PROBE_CHAIN, rounds, enabled);
}

/* Returns the number of vectors that the guest has not taken as often as the VMM has sent them,
 * plus the number of times that it has taken a vector with IF clear. */
static unsigned count_wrong(void)
{
        unsigned wrong = guest(PROBE_COUNT, 0, 0);

        for (unsigned i = PROBE_VECTOR_FIRST; i <= PROBE_VECTOR_LAST; i++)
                wrong += guest(PROBE_COUNT, i, 0) != sent[i];
        return wrong;
}

static nova_word_t asked[4], status, value; /* of the last hypercall, and its answer */

static void answer_hypercall(struct call *call)
{
        if (call->number != NOVA_H_GUEST)
                return;
        memcpy(asked, call->word, sizeof(asked));
        call->words = 2;
        call->status = status;
        call->value = value;
}

/* Tests that the VMM answers hypercalls whose numbers mean nothing to the ultravisor. */
static void hypercalls_of_the_guest(void)
{
        honest_attack = answer_hypercall;
        status = (nova_word_t)-1234;
        value = 0x5eed5eed;
        check(guest_call(0x123, 0x456, 0x789) == -1234 && asked[0] == 0x123 && asked[1] == 0x456 &&
                      asked[2] == 0x789,
              "the VMM answers a hypercall, and RAX has the status");
        status = NOVA_H_SUCCESS;
        check(guest_call(0x124, 0, 0) == 0x5eed5eed && asked[0] == 0x124,
              "RAX has the value of the answer if the status is H_SUCCESS");
        honest_attack = NULL;
}

static void vectors(void)
{
        uint32_t expected, disabled;

        honest_attack = storm;
        check(!(((const uint8_t *)image)[FLAGS_AT] & FLAG_VECTOR_128) == !permitted,
              "the image has the policy of the test");
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest is secure");
        disabled = compute(ROUNDS, false, 0, false);
        expected = compute(ROUNDS, true, 0, false);
        check(disabled != expected && compute(ROUNDS, true, 0, false) == expected && total == 0,
              "it computes a sum in all registers");
        check(compute(ROUNDS, false, UINT32_MAX, false) == disabled && total == 0 &&
                      count_wrong() == 0,
              "it is asked for no vector while IF is clear");
        check(compute(ROUNDS, true, ROUNDS, false) == expected && total == ROUNDS,
              "its sum is right while a vector comes with each answer");
        check(count_wrong() == 0, "it takes each vector as often as the VMM has sent it");
        check(compute(ROUNDS, true, BURST, true) == expected && total == ROUNDS + BURST,
              "its sum is right if each vector follows the one before at once");
        check(count_wrong() == 0, "it takes each of these vectors");
}

/* Tests that vectors which CR8 holds back come once each, when CR8 permits them. */
static void held_back(void)
{
        unsigned low = 0, high = 0;
        const unsigned each = total / VECTORS;

        guest(PROBE_PRIORITY, CLASS, 0);
        compute(ROUNDS, true, VECTORS, true);
        for (unsigned i = PROBE_VECTOR_FIRST; i <= PROBE_VECTOR_LAST; i++)
                if (i != SPECIAL || permitted)
                        *(i >> 4 > CLASS ? &high : &low) += guest(PROBE_COUNT, i, 0) - each;
        check(low == 0 && high == PROBE_VECTOR_LAST + 1 - (CLASS + 1) * 16,
              "it takes no vector of a storm that its task priority forbids");
        guest(PROBE_PRIORITY, 0, 0);
        compute(ROUNDS, true, 0, false);
        check(count_wrong() == 0, "it takes each of them once when the priority falls");
}

int main(int argc, char **argv)
{
        if (argc != 2 || !honest_start(3))
                return 1;
        permitted = atoi(argv[1]);
        vectors();
        held_back();
        check(special && refused == (permitted ? 0 : special) && !misplaced,
              "the next question says whether vector 128 was refused");
        check(guest(PROBE_COUNT, SPECIAL, 0) == (permitted ? special : 0),
              "the guest takes vector 128 only if the policy permits it");
        check(guest(PROBE_RANDOM, NUMBERS, 0) == 0 && hypercalls == 0,
              "H_RANDOM returns different numbers, each bit changes, and the VMM sees no call");
        hypercalls_of_the_guest();
        honest_end();
        return tap_end();
}
