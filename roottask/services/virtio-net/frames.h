/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and buffers that a virtio network card holds at the moment (VIRTIO 1.2, 5.1.6): the
 * requests in the card's two queues, headers and checksums of the frames, and frames that lie in
 * several buffers. The device may write anything at any time. */
#ifndef NOVART_VIRTIO_NET_FRAMES_H
#define NOVART_VIRTIO_NET_FRAMES_H

#include "novart/service/net.h"
#include "virtio/queue.h"

/* Features. */
#define FRAMES_SUM       (1ull << 0)  /* the device takes frames with open checksums */
#define FRAMES_GUEST_SUM (1ull << 1)  /* the device reports open and checked checksums */
#define FRAMES_MERGED    (1ull << 15) /* a frame may lie in several buffers */

#define FRAMES_RECEIVE      0 /* numbers of queues */
#define FRAMES_TRANSMIT     1
#define FRAMES_QUEUES       2
#define FRAMES_PARTS        2  /* parts of a request: a header and a frame */
#define FRAMES_HEADER_BYTES 16 /* distance between headers; the device reads or writes 12 bytes */
#define FRAMES_DEPTH_MAX    (QUEUE_SIZE_MAX / FRAMES_PARTS)

/* A request in the device. */
struct frames_request {
        uint8_t *memory; /* the client's buffer */
        uint32_t bytes;  /* its size */
        uint32_t tag;
        uint32_t sum;   /* `sum` of the client's request (nova_net_entry) */
        uint32_t stamp; /* time of a frame to send, for the watchdog, which takes no lock; 0: an
                           empty buffer, or not in flight */
};

/* The end of a request. */
struct frames_end {
        uint32_t tag;
        uint32_t bytes; /* size of a received frame; 0: the buffer has none */
        uint32_t sum; /* describes the frame's checksum (enum nova_net_sum). If the request accepts
                         no open checksums, this is 0, and an open one was filled in */
        bool dropped; /* a frame had a wrong size, or a wrong header */
};

struct frames {
        struct queue queue[FRAMES_QUEUES];
        uint64_t features;
        uint8_t *headers[FRAMES_QUEUES]; /* frames_header_bytes() bytes each */
        uint64_t header_device[FRAMES_QUEUES];
        struct frames_request request[FRAMES_QUEUES][FRAMES_DEPTH_MAX];
        unsigned free[FRAMES_QUEUES][FRAMES_DEPTH_MAX], free_count[FRAMES_QUEUES];
        bool taking;       /* a frame was taken in part */
        unsigned first;    /* request with the beginning of this frame */
        unsigned parts;    /* number of its buffers that are still to be taken */
        uint32_t together; /* number of its bytes so far */
        bool too_long;     /* the frame does not fit into the first buffer */
};

/* Returns the size of a queue's headers. The caller has set the queue's sizes. */
size_t frames_header_bytes(const struct frames *frames, unsigned index);

/* Makes both queues empty. The caller has set their sizes and addresses, the headers' addresses,
 * and the features. */
void frames_init(struct frames *frames);

/* Gives a frame or an empty buffer to the device. free_count must not be 0.
 * @param request its stamp is 0 if it is an empty buffer
 * @param device  the buffer's address for the device */
void frames_add(struct frames *frames, unsigned index, const struct frames_request *request,
                uint64_t device);

/* Takes a request that the device has completed. QUEUE_BROKEN: the device names a request that is
 * not in flight, or a frame lies in no buffer, or in more buffers than the device has completed. */
enum queue_answer frames_take(struct frames *frames, unsigned index, struct frames_end *end);

#endif
