/* SPDX-License-Identifier: BSD-2-Clause */
/* A service with blocks, its device, and a model of both. The model predicts each completion and,
 * for each request, whether the device gets it. A difference ends the test. */
#ifndef FUZZ_BLOCK_MODEL_H
#define FUZZ_BLOCK_MODEL_H

#include "block/server.h"
#include "service.h"

#define BLOCK_BEGIN 4 /* bytes of an input that begin_service() reads */

/* A session, as its client knows it. */
struct client {
        const struct block_session *object; /* NULL: not attached */
        struct nova_block_ring *ring;
        uint8_t *pool;
        size_t pool_bytes;
        uint64_t first, count; /* its blocks */
        uint32_t depth;        /* maximum number of requests in the device */
        bool open, dead, read_only;
        bool ended;   /* the client broke the rules of the ring */
        bool changed; /* there were completions since the client was woken */
        nova_word_t use;
        uint32_t taken, completed; /* numbers of taken and of completed requests */
        nova_sel_t bell;           /* 0: none */
        unsigned ups, expected_ups;
};

extern struct client clients[CLIENT_SESSIONS];
extern struct block_device disk;

/* The step by which a client writes to its ring while the service works; NULL: none. */
extern const uint8_t *race;

/* Starts the service with a device, whose properties the input chooses. */
void begin_service(const uint8_t *data);

/* Ends all requests and all sessions. Nothing may be left. */
void end_service(void);

/* Returns true if the service takes requests from the ring of a client. */
bool is_served(const struct client *client);

/* Returns true if two ranges of blocks have a block in common. */
bool overlaps(uint64_t first, uint64_t count, uint64_t other, uint64_t other_count);

/* Lets a client write to its ring, at any place or, more often, to the counters. */
void scribble(const uint8_t *step);

/* Records that a session got its ring and its pool. */
void attached(struct client *client, const struct client_answer *answer, unsigned order);

/* Forgets sessions that are closed. Their requests stay in the device. */
void forget_closed(void);

/* Lets the device end COUNT requests with a status. Then lets the program work until it sleeps. */
void serve_clients(unsigned first, unsigned count, int error);

#endif
