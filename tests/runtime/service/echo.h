/* SPDX-License-Identifier: BSD-2-Clause */
/* A service for tests: each operation is one thing that servers do, or do wrong. */
#ifndef TESTS_RUNTIME_ECHO_H
#define TESTS_RUNTIME_ECHO_H

#include "novart/service.h"
#include "novart/session.h"

#define ECHO_SUM   (NOVA_OPERATION_FIRST + 0) /* answers the sum of its words */
#define ECHO_COUNT (NOVA_OPERATION_FIRST + 1) /* answers how often this session called it */
#define ECHO_ITEM  (NOVA_OPERATION_FIRST + 2) /* ups the semaphore that comes, and forgets it */
#define ECHO_SHARE                                                                               \
        (NOVA_OPERATION_FIRST + 3)            /* adds one to each byte of a range: offset, bytes \
                                               */
#define ECHO_TELL  (NOVA_OPERATION_FIRST + 4) /* notifies the session */
#define ECHO_HANG  (NOVA_OPERATION_FIRST + 5) /* does not come back until echo_release() */
#define ECHO_BIG   (NOVA_OPERATION_FIRST + 6) /* answers as many words as there is room for */
#define ECHO_CPU   (NOVA_OPERATION_FIRST + 7) /* answers the CPU that served it */
#define ECHO_PRINT (NOVA_OPERATION_FIRST + 8) /* prints and calls another service meanwhile */
#define ECHO_DIE   (NOVA_OPERATION_FIRST + 9) /* has a fault */
/* Answers what the server has: kernel memory, selectors, sessions. */
#define ECHO_USED (NOVA_OPERATION_FIRST + 10)
#define ECHO_SLOW (NOVA_OPERATION_FIRST + 11) /* sleeps 5 ms */
/* Gives a word and its PD, then fails with the word that came. */
#define ECHO_GIVE (NOVA_OPERATION_FIRST + 12)
#define ECHO_NONE (NOVA_OPERATION_FIRST + 13) /* a row without a handler */

#define ECHO_PAGES 8 /* that can be shared */

/* What the tests want of it. */
struct echo_options {
        const char *name;
        unsigned sessions, client_sessions;
        bool parallel;
        uint64_t cpus;
};

struct nova_service *echo_start(const struct echo_options *options);

/* Let ECHO_HANG come back, and openings with the argument "hang": all that are there. */
void echo_release(void);

/* Number of those that are inside. */
unsigned echo_hanging(void);

/* How often ECHO_SLOW began while another one was inside. */
unsigned echo_crowded(void);

/* Sessions whose close function was called. */
unsigned echo_closed(void);

/* Call and take the first word of the answer. */
int echo_call(struct nova_session *session, nova_word_t operation, const nova_word_t *words,
              unsigned count, nova_word_t *answer);

#endif
