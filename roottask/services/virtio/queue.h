/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's end of a split virtqueue (VIRTIO 1.2, 2.7). The device may write anything to the
 * queue's memory at any time, so the driver relies only on its own copies. */
#ifndef NOVART_VIRTIO_QUEUE_H
#define NOVART_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_SIZE_MAX 256
#define QUEUE_PARTS    16 /* maximum number of parts of a request */

/* Maximum number of times that an interrupt handler looks at its queue after queue_arm(). QEMU 7.2
 * with one thread for all CPUs (-icount) omits the fences of the CPUs. So queue_arm() may overlook
 * a request that the device completes at that moment, and the device's thread then sends no
 * interrupt. */
#define QUEUE_LOOKS 16

/* A part of a request, as the device sees it. */
struct queue_part {
        uint64_t address;
        uint32_t bytes;
        bool device_writes;
};

struct queue {
        unsigned size;   /* descriptors, a power of two */
        unsigned span;   /* descriptors of a request; maximum number of its parts if !indirect */
        unsigned depth;  /* maximum number of requests at once, at most size / span */
        bool indirect;   /* span is 1: the descriptor names a table of the request's parts */
        bool events;     /* both sides name the index of the next notification */
        char *memory;    /* queue_bytes() bytes, initially 0 */
        uint64_t device; /* its address for the device */
        uint16_t added, published, taken; /* indexes of requests */
        volatile uint16_t *available;     /* in the memory: flags, index, ring, next interrupt */
        volatile uint16_t *used;   /* flags, index; after the entries the next notification */
        bool busy[QUEUE_SIZE_MAX]; /* the request with this number is in flight */
};

/* Returns the size of the memory of a queue whose sizes and features are set. */
size_t queue_bytes(const struct queue *queue);

/* Empties a queue whose memory addresses are set: before the first use, or after a reset of the
 * device. */
void queue_init(struct queue *queue);

/* Return the addresses of the queue's three parts for the device. */
uint64_t queue_descriptors(const struct queue *queue);
uint64_t queue_available(const struct queue *queue);
uint64_t queue_used(const struct queue *queue);

/* Adds a request. Its number must be below the depth and not in flight. */
void queue_add(struct queue *queue, unsigned number, const struct queue_part *parts,
               unsigned count);

/* Writes the parts of a request, for queue_add_last(). Not for a queue with tables. */
void queue_prepare(struct queue *queue, unsigned number, const struct queue_part *parts,
                   unsigned count);

/* Adds a request whose parts were written before, except that its last part gets this address and
 * size.
 * @param last index of the last part */
void queue_add_last(struct queue *queue, unsigned number, unsigned last, uint64_t address,
                    uint32_t bytes);

/* Makes added requests visible to the device. @return true if the device requests a notification */
bool queue_publish(struct queue *queue);

enum queue_answer { QUEUE_EMPTY, QUEUE_TAKEN, QUEUE_BROKEN };

/* Takes a request that the device has completed, with the number of bytes that the device reports
 * as written. QUEUE_BROKEN: the device names a request that is not in flight. */
enum queue_answer queue_take(struct queue *queue, unsigned *number, uint32_t *bytes);

/* Asks for an interrupt after the next request.
 * @return false if the device has completed one already */
bool queue_arm(struct queue *queue);

/* Suppresses interrupts until queue_arm(). The device may still send one. */
void queue_disarm(struct queue *queue);

/* Returns true if queue_take() would return QUEUE_EMPTY. */
bool queue_is_taken(const struct queue *queue);

/* Returns true if the device has completed all requests that were made visible. */
bool queue_is_done(const struct queue *queue);

#endif
