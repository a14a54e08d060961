/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a block service that does not depend on its device: sessions, rings, pools, and the
 * order and limits of requests. A driver provides a function that starts a request, and reports the
 * end of each request. */
#ifndef NOVART_BLOCK_SERVER_H
#define NOVART_BLOCK_SERVER_H

#include "entry.h"
#include "novart/service/block.h"
#include "ring/serve.h"
#include "ring/share.h"

/* Maximum number of sessions. */
#define BLOCK_SESSIONS 64

struct block_session;

/* A request in the device. It has been checked. */
struct block_request {
        struct block_request
                *next; /* used by the library, and by the driver between start and end */
        struct block_session *session; /* NULL: not in flight */
        uint32_t stamp;  /* time for the watchdog, which takes no lock; 0: not in the device */
        unsigned number; /* number, below the device's depth; unique among the requests in flight */
        uint32_t tag;
        enum nova_block_operation operation;
        uint64_t block; /* first block on the device */
        uint32_t blocks;
        unsigned segment_count;
        struct nova_block_segment segment[NOVA_BLOCK_SEGMENTS]; /* inside the pool */
        const struct share_pool *pool;
};

/* A device. Its functions are called with the service's lock. */
struct block_device {
        const char *name; /* name of the service */
        struct nova_block_info
                info;   /* the driver sets request_max and segments, the library the rest */
        unsigned depth; /* maximum number of requests at once */
        unsigned client_sessions; /* maximum number of sessions of one client; 0: 16 */
        uint64_t timeout_ns; /* time limit for each request in the device, and for each thread that
                                holds the lock, after which the program ends; 0: no limit */
        void (*start)(struct block_request *request); /* may call block_end() */
        void (*kick)(void);                           /* called after one or more starts; may be
                                                         NULL */
        struct share_source source;                   /* memory for the pools */
};

/* Starts the service. The device must stay valid.
 * @return 0 or an errno value */
int block_service_start(const struct block_device *of);

/* Restarts a request's time limit: a part of it has ended, or the driver sends it after a wait. The
 * caller has the lock. */
void block_advance(struct block_request *request);

/* Stops a request's time limit until block_advance(): the request waits in the driver, behind
 * another one that the device has. The caller has the lock. */
void block_pause(struct block_request *request);

/* Ends a request. The caller has the lock, and calls block_serve() before it releases the lock. */
void block_end(struct block_request *request, int error);

/* Starts requests that wait, and notifies clients of completions. The caller has the lock. */
void block_serve(void);

#endif
