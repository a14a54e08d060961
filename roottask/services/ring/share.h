/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory that a session with rings shares with its client: pages with the rings, and a pool for
 * data. There are also two semaphores: the client rings the doorbell, the service rings the bell.
 */
#ifndef NOVART_RING_SHARE_H
#define NOVART_RING_SHARE_H

#include "novart/service.h"

/* Memory for the data of a session. */
struct share_pool {
        char *memory;    /* address in this program */
        uint64_t device; /* address for the device */
        size_t bytes;
        void *owner; /* private to the driver */
};

/* How a service gets its pools. */
struct share_source {
        int (*alloc)(struct share_pool *pool); /* allocates pool->bytes; NULL: ordinary pages */
        void (*release)(struct share_pool *pool);
};

/* The shared memory of a session. It outlives the session while the device works on its requests,
 * so that no other client gets its pool. */
struct share {
        struct nova_later later; /* the first member; its function calls share_fini() */
        struct share_pool pool;
        void *pages;     /* pages of the rings, at first full of zeroes; NULL: none */
        unsigned order;  /* number of these pages: 2^order */
        nova_sel_t bell; /* NOVA_SEL_NONE: none */
};

/* Initialises an object for a session of a service. */
void share_init(struct share *share, unsigned order, void (*destroy)(struct nova_later *later));

/* Allocates the pages of the rings and the pool. If too little memory is free, closes the sessions
 * of clients that have died: one of them may be the previous instance of a program that init has
 * restarted. @return 0; EEXIST if the session already has its memory; ENOMEM; EAGAIN if memory of a
 * dead client becomes free soon */
int share_alloc(struct share *share, struct nova_service *service, size_t pool_bytes,
                const struct share_source *source);

/* Adds the rings and the pool to an answer. */
void share_give(const struct share *share, struct nova_request *request);

/* Adds the doorbell and the bell to an answer. @return 0 or ENOMEM */
int share_give_semaphores(struct share *share, struct nova_request *request, nova_sel_t doorbell);

/* Wakes the client, if it has received the bell. */
void share_ring_bell(const struct share *share);

/* Takes everything from the client, whose session has ended. share_destroy() follows. */
void share_close(const struct share *share);

/* Ends an object. Call it after share_close(), when the device no longer uses the pool. The
 * function that was passed to share_init() is called as soon as no client can reach the memory any
 * more. */
void share_destroy(struct share *share, struct nova_service *service);

/* Frees what the object has. */
void share_fini(struct share *share, const struct share_source *source);

#endif
