/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers that init may give to a program, according to the system description alone. */
#ifndef FUZZ_PARENT_MODEL_H
#define FUZZ_PARENT_MODEL_H

#include "parent.h"

#define MODEL_UNKNOWN (-1) /* the model does not predict the result */

/* Capabilities that arrive with a message. */
struct model_item {
        bool is; /* there are capabilities */
        unsigned at, order;
        enum object object;
};

/* A message, and the state of the server before it. */
struct model_message {
        unsigned number; /* number of the program */
        struct nova_child *child;
        nova_sel_t window;
        struct model_item item;
        unsigned words;
        nova_word_t word[NOVA_UTCB_WORDS]; /* 0 after the message's end */
        int expected;                      /* errno value or MODEL_UNKNOWN */
};

/* Begins an input, in which no service is offered yet. */
void model_begin(void);

/* Sets the expected result. */
void model_expect(struct model_message *message);

/* Checks an answer, and notes its effects. */
void model_check(const struct model_message *message, const struct nova_utcb *utcb);

/* Checks that all items of an answer are pages of a program. */
void model_check_pages(unsigned number, const struct nova_child *child,
                       const struct nova_utcb *utcb);

/* Checks that no program has a part of a device whose program has ended. */
void model_check_devices(void);

/* Checks that a line of init does not blame a program that init has closed for a missing
 * service. */
void model_check_line(const char *text, size_t bytes);

/* Forgets the services of programs that have ended. */
void model_forget_ended(void);

#endif
