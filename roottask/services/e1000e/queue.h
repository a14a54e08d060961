/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of legacy descriptors (82574 data sheet, 7.1.4 and 7.2.10). The card ends requests in
 * order. It may write anything to the descriptors, so the driver takes addresses, commands and tags
 * only from its own copies, and checks the sizes in the descriptors. */
#ifndef NOVART_E1000E_QUEUE_H
#define NOVART_E1000E_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define E1000E_QUEUE_SIZE   256 /* descriptors, a power of two */
#define E1000E_QUEUE_BYTES  (E1000E_QUEUE_SIZE * 16)
#define E1000E_BUFFER_BYTES 2048 /* bytes that the card may write to an empty buffer */

/* A request that the card has. */
struct e1000e_slot {
        uint64_t address; /* address of the frame or buffer for the card */
        uint32_t command; /* third word of the descriptor */
        uint32_t tag;
        uint32_t stamp; /* time for the watchdog; 0: none */
};

/* Counters wrap; request n has descriptor n % size. The card has the requests with the numbers from
 * taken to added - 1. */
struct e1000e_queue {
        volatile uint32_t *descriptors; /* 4 words each, in memory of the card */
        unsigned added, taken;
        struct e1000e_slot slot[E1000E_QUEUE_SIZE];
};

/* A request that has ended. */
struct e1000e_end {
        uint32_t tag;
        uint32_t bytes; /* size of the frame in a buffer; 0: the buffer has no whole frame without
                           errors */
};

/* Forgets all requests. */
void e1000e_queue_init(struct e1000e_queue *queue);

/* Gives all requests that have not ended to the card again, after a reset. */
void e1000e_queue_renew(struct e1000e_queue *queue);

/* Returns true if the queue has no room for a request. The card treats a ring with no free
 * descriptor as empty. */
bool e1000e_queue_is_full(const struct e1000e_queue *queue);

/* Adds a frame to send, or an empty buffer. The queue is not full. */
void e1000e_queue_add_frame(struct e1000e_queue *queue, uint64_t address, uint32_t bytes,
                            uint32_t tag, uint32_t stamp);
void e1000e_queue_add_buffer(struct e1000e_queue *queue, uint64_t address, uint32_t tag);

/* Takes the oldest request. @return false: the card has not ended it */
bool e1000e_queue_take(struct e1000e_queue *queue, struct e1000e_end *end);

/* Takes the oldest request from a card that has been reset. @return false: there is none */
bool e1000e_queue_cancel(struct e1000e_queue *queue, uint32_t *tag);

/* Returns the stamp of the oldest request; 0: there is none. */
uint32_t e1000e_queue_stamp(const struct e1000e_queue *queue);

/* Return the index of the first descriptor that the card owns, and the index of the first
 * descriptor after those that it owns. */
uint32_t e1000e_queue_head(const struct e1000e_queue *queue);
uint32_t e1000e_queue_tail(const struct e1000e_queue *queue);

#endif
