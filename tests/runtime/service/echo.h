/* SPDX-License-Identifier: BSD-2-Clause */
/* A service for tests: each operation is an action of a server, correct or faulty. */
#ifndef TESTS_RUNTIME_ECHO_H
#define TESTS_RUNTIME_ECHO_H

#include "novart/service.h"
#include "novart/session.h"

#define ECHO_SUM   (NOVA_OPERATION_FIRST + 0) /* answers the sum of its words */
#define ECHO_COUNT (NOVA_OPERATION_FIRST + 1) /* answers the number of calls of this session */
#define ECHO_ITEM  (NOVA_OPERATION_FIRST + 2) /* does an up on the received semaphore */
#define ECHO_SHARE (NOVA_OPERATION_FIRST + 3) /* adds one to each byte of the given range */
#define ECHO_TELL  (NOVA_OPERATION_FIRST + 4) /* notifies the session */
#define ECHO_HANG  (NOVA_OPERATION_FIRST + 5) /* does not return until echo_release() */
#define ECHO_BIG   (NOVA_OPERATION_FIRST + 6) /* answers as many words as fit */
#define ECHO_CPU   (NOVA_OPERATION_FIRST + 7) /* answers the CPU that served it */
#define ECHO_PRINT (NOVA_OPERATION_FIRST + 8) /* prints, and calls another service */
#define ECHO_DIE   (NOVA_OPERATION_FIRST + 9) /* has a fault */
/* Answers the server's resources: kernel memory, selectors, sessions. */
#define ECHO_USED (NOVA_OPERATION_FIRST + 10)
#define ECHO_SLOW (NOVA_OPERATION_FIRST + 11) /* sleeps 5 ms */
/* Gives a word and its PD, then fails with the received word. */
#define ECHO_GIVE (NOVA_OPERATION_FIRST + 12)
#define ECHO_HOLD (NOVA_OPERATION_FIRST + 13) /* keeps the shared memory */
#define ECHO_DEEP (NOVA_OPERATION_FIRST + 14) /* uses most of the handler's stack */
#define ECHO_LATE (NOVA_OPERATION_FIRST + 15) /* ECHO_SLOW, then ECHO_DEEP */
#define ECHO_NONE (NOVA_OPERATION_FIRST + 16) /* a row without a handler */

#define ECHO_PAGES 8 /* default of the maximum number of shared pages */

/* Options of the tests. */
struct echo_options {
        const char *name;
        unsigned sessions, client_sessions;
        bool parallel;
        uint64_t cpus;
};

struct nova_service *echo_start(const struct echo_options *options);

/* Does echo_start() with another maximum number of shared pages. */
struct nova_service *echo_start_sharing(const struct echo_options *options, unsigned pages);

/* Makes all waiting calls of ECHO_HANG, and all waiting openings with the argument "hang",
 * return. */
void echo_release(void);

/* Returns the number of calls that the service is executing. */
unsigned echo_hanging(void);

/* Returns the number of calls of ECHO_SLOW that began during another one. */
unsigned echo_crowded(void);

/* Returns the number of sessions whose close function was called. */
unsigned echo_closed(void);

/* Makes a call and stores the first word of the answer. */
int echo_call(struct nova_session *session, nova_word_t operation, const nova_word_t *words,
              unsigned count, nova_word_t *answer);

#endif
