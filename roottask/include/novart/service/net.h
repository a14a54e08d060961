/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol of network services: drivers for network cards, and `switch`. Frames lie in a pool
 * that the device can access; the requests of two rings in shared memory name them. */
#ifndef NOVART_SERVICE_NET_H
#define NOVART_SERVICE_NET_H

#include <stdbool.h>

#include "novart/service/ring.h"
#include "novart/session.h"

/** @defgroup net Services with frames
 *
 * | operation | words | items | answer | errors |
 * |---|---|---|---|---|
 * | INFO | – | – | struct nova_net_info | – |
 * | ATTACH | order of the pool in pages | – | items: rings, pool | below |
 * | SEMAPHORES | – | – | items: doorbell (UP), bell (DN) | ENOMEM |
 * | COUNTS | – | – | struct nova_net_counts | – |
 *
 * Errors of ATTACH: EINVAL the pool is too small or too large; EEXIST the session has rings
 * already; EBUSY another client has the card; ENOMEM no memory; EAGAIN the memory of a client that
 * has died is being freed (nova_net_open() waits up to a second for that).
 *
 * A request of the ring `transmit` names a frame, and completes when the client may change that
 * part of the pool again. A request of the ring `receive` names an empty buffer, and completes when
 * a frame lies in it. The client does an up on the doorbell after requests, and the service does an
 * up on the bell after completions of both rings, but only if the other side sleeps. So one up can
 * serve many frames.
 *
 * A service may delay the completion of a sent frame until it gets further requests. A client that
 * waits for such a completion sets `client_waits` in `transmit`, and then does an up on the
 * doorbell if `service_waits` is 1. A service with enough empty buffers may leave further ones
 * in `receive` for later. Until it needs them, it keeps `service_waits` of `receive` at 0.
 *
 * A frame has an Ethernet header (destination, source, type), data, and no checksum of its own. A
 * frame that finds no empty buffer is dropped and counted.
 *
 * The checksum of TCP or UDP may be open, that is, not computed yet. Its field then holds the sum
 * of the pseudo header, not inverted, and nova_net_entry::sum gives the place of the field. A
 * session with NOVA_NET_SUMS takes such frames. The service computes the checksum before the frame
 * leaves the machine, and for receivers that do not accept open checksums. A buffer whose request
 * has NOVA_NET_SUM_ACCEPT accepts frames whose checksum is open or has been checked;
 * nova_net_ring::sum then describes the frame's checksum. If a client uses neither, all frames that
 * it sends and gets have complete checksums.
 *
 * The rings and the pool belong to the service, so they vanish from the client when the
 * service ends.
 *  @{ */

#define NOVA_NET_INFO       (NOVA_OPERATION_FIRST + 0) /**< properties of the session */
#define NOVA_NET_ATTACH     (NOVA_OPERATION_FIRST + 1) /**< rings and pool */
#define NOVA_NET_SEMAPHORES (NOVA_OPERATION_FIRST + 2) /**< doorbell and bell */
#define NOVA_NET_COUNTS     (NOVA_OPERATION_FIRST + 3) /**< numbers of frames */

#define NOVA_NET_ENTRIES        128         /**< maximum number of requests of a ring */
#define NOVA_NET_ADDRESS        6           /**< size of an address in bytes */
#define NOVA_NET_FRAME_MIN      14          /**< least number of bytes of a frame: its header */
#define NOVA_NET_FRAME_MAX      1514        /**< maximum number of bytes of a frame */
#define NOVA_NET_MTU_MIN        576         /**< bytes of a packet that each machine must accept */
#define NOVA_NET_BUFFER         2048        /**< size of a buffer of nova_net_open(), in bytes */
#define NOVA_NET_RING_ORDER     1           /**< the rings have 2^1 pages */
#define NOVA_NET_POOL_ORDER_MIN 2           /**< a pool has at least 16 KiB */
#define NOVA_NET_POOL_ORDER_MAX 7           /**< a pool has at most 512 KiB */
#define NOVA_NET_MAGIC          0x74654e01u /**< the first word of a ring while the service lives */

/** Bits of nova_net_info::flags. */
enum nova_net_flag {
        NOVA_NET_LINK = 1, /**< the card has a cable. Of a switch: it has no card, or one of its
                                cards had a cable when it last checked, at most a second ago */
        NOVA_NET_SUMS = 2, /**< requests may have a `sum`; without this bit, it is 0 */
};

/** Properties of a session. */
struct nova_net_info {
        uint8_t address[NOVA_NET_ADDRESS]; /**< the client's address, the source of its frames */
        uint16_t flags;                    /**< an OR of enum nova_net_flag, at the time of INFO */
        uint32_t frame_max;                /**< maximum number of bytes of a frame */
        uint32_t pool_bytes;               /**< maximum size of a pool */
};

/** Numbers of frames of a session. */
struct nova_net_counts {
        uint64_t sent;     /**< frames that the client sent */
        uint64_t received; /**< frames that the client got */
        uint64_t refused;  /**< requests that ended with an error, such as a forged source */
        uint64_t dropped; /**< frames for the client that were too long, or found no empty buffer */
};

/** Bits of a word that describes the checksum of TCP or UDP in a frame. 0: the frame contains the
 * checksum, and the receiver must check it. */
enum nova_net_sum {
        NOVA_NET_SUM_OPEN = 1,   /**< the checksum is open. Bits 8 to 18: offset of the first byte
                                  * that it covers; it covers all bytes from there. Bits 20 to 30:
                                  * offset of its field from that byte. A receiver need not check
                                  * such a frame */
        NOVA_NET_SUM_RIGHT = 2,  /**< of a received frame: the checksum is right */
        NOVA_NET_SUM_ACCEPT = 4, /**< of an empty buffer: accepts frames with the other bits */
};

/** Returns the word for a frame whose checksum is open. @param start offset of the first byte that
 * it covers @param at offset of its field from @p start; both below 2,048 */
static inline uint32_t nova_net_sum_open(uint32_t start, uint32_t at)
{
        return NOVA_NET_SUM_OPEN | start << 8 | at << 20;
}

/** Returns the offset of the first byte that an open checksum covers. */
static inline uint32_t nova_net_sum_start(uint32_t sum)
{
        return sum >> 8 & 0x7ff;
}

/** Returns the offset of an open checksum's field from nova_net_sum_start(). */
static inline uint32_t nova_net_sum_at(uint32_t sum)
{
        return sum >> 20 & 0x7ff;
}

/** Returns true if @p sum describes an open checksum that lies in a frame of @p bytes bytes, after
 * the Ethernet header. */
static inline bool nova_net_sum_is_valid(uint32_t sum, uint32_t bytes)
{
        const uint32_t start = nova_net_sum_start(sum), at = nova_net_sum_at(sum);

        return sum == nova_net_sum_open(start, at) && start >= NOVA_NET_FRAME_MIN &&
               start + at + 2 <= bytes;
}

/** A request. */
struct nova_net_entry {
        uint32_t offset; /**< offset in the pool in bytes */
        uint32_t bytes;  /**< size of the frame, or of the empty buffer: NOVA_NET_FRAME_MAX to
                          * NOVA_NET_BUFFER. Some cards need NOVA_NET_BUFFER */
        uint32_t tag;    /**< number that the completion repeats */
        uint32_t sum;    /**< 0; with NOVA_NET_SUMS also nova_net_sum_open() for a frame, or
                          * NOVA_NET_SUM_ACCEPT for an empty buffer */
};

/** A ring. The result of a completion is 0 or a number of <errno.h> in `transmit`. In `receive`, it
 * is the frame's size, or 0 if the service returns the buffer without a frame. */
struct nova_net_ring {
        struct nova_ring head;                                    /**< begins with NOVA_NET_MAGIC */
        struct nova_ring_completion completion[NOVA_NET_ENTRIES]; /**< service writes them */
        struct nova_net_entry entry[NOVA_NET_ENTRIES];            /**< client writes them */
        uint32_t sum[NOVA_NET_ENTRIES];                           /**< service writes them, each
                                                                   * before the completion with its
                                                                   * index: words that describe the
                                                                   * checksums in `receive` */
        uint8_t fill[4096 - 192 - 28 * NOVA_NET_ENTRIES];         /**< to the next page */
};

/** The rings of a session. */
struct nova_net_rings {
        struct nova_net_ring transmit; /**< frames of the client */
        struct nova_net_ring receive;  /**< frames for the client */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_net_rings) == 8192, "2 pages");

#ifdef __cplusplus
extern "C" {
#endif

/** A client's session with rings and pool. One thread at a time may use it; another one may be in
 * nova_net_listen(). */
struct nova_net;

/** A frame in the pool. */
struct nova_net_frame {
        const uint8_t *data; /**< first byte, of the destination's address */
        uint32_t bytes;      /**< number of bytes */
        uint32_t buffer;     /**< number of the buffer, for nova_net_release() */
        uint32_t sum;        /**< word that describes its checksum; 0 without
                                  nova_net_accept_sums() */
};

/**
 * Opens a session with a service of frames. Half of the pool becomes empty buffers, which the
 * service gets at once.
 * @code
 * struct nova_net *net;
 * struct nova_net_frame frame;
 *
 * if (nova_net_open(&net, "virtio-net", NULL, 0) == 0) {
 *         if (nova_net_listen(net, NOVA_FOREVER) == 0 && nova_net_receive(net, &frame) == 0) {
 *                 printf("%u bytes\n", (unsigned)frame.bytes);
 *                 nova_net_release(net, &frame);
 *         }
 *         nova_net_close(net);
 * }
 * @endcode
 * @param[out] opened the session
 * @param service     the driver, or `switch`
 * @param arguments   interpreted by the service; NULL: none
 * @param pool_bytes  size of the pool; rounded up to a power of two of at least 16 KiB, which has
 *                    four buffers for each direction
 * @retval 0      done
 * @retval EINVAL the pool is too large
 * @retval EBUSY  another program has the card
 * @retval ENOMEM no memory in client or service
 * @retval EPROTO the service does not follow the protocol
 * @retval …      as nova_session_open() and nova_session_call()
 */
int nova_net_open(struct nova_net **opened, const char *service, const char *arguments,
                  size_t pool_bytes);

/** Closes a session. Frames that were not sent yet may be lost. */
void nova_net_close(struct nova_net *net);

/**
 * Opens the session again after ECONNRESET. Frames that were not sent yet, and those that
 * nova_net_receive() has not returned, are lost; frames that were not released are invalid.
 * @code
 * extern struct nova_net *net;
 *
 * if (nova_net_flush(net) == ECONNRESET && nova_net_reopen(net) == 0)
 *         puts("The service runs again.");
 * @endcode
 * @return as nova_session_reopen() and nova_net_open()
 */
int nova_net_reopen(struct nova_net *net);

/** Returns the properties of the session, as they were when it was opened. */
const struct nova_net_info *nova_net_get_info(const struct nova_net *net);

/**
 * Asks the service for the properties again, for the state of the cable.
 * @code
 * extern struct nova_net *net;
 * struct nova_net_info info;
 *
 * if (nova_net_ask_info(net, &info) == 0 && !(info.flags & NOVA_NET_LINK))
 *         puts("The card has no cable.");
 * @endcode
 * @param net       the session
 * @param[out] info the properties
 * @return as nova_session_call()
 */
int nova_net_ask_info(struct nova_net *net, struct nova_net_info *info);

/**
 * Asks the service for the numbers of frames.
 * @code
 * extern struct nova_net *net;
 * struct nova_net_counts counts;
 *
 * if (nova_net_ask_counts(net, &counts) == 0)
 *         printf("%llu frames were dropped\n", (unsigned long long)counts.dropped);
 * @endcode
 * @param net         the session
 * @param[out] counts the numbers
 * @return as nova_session_call()
 */
int nova_net_ask_counts(struct nova_net *net, struct nova_net_counts *counts);

/**
 * Copies a frame into the pool, and queues it for nova_net_flush(). Does not block.
 * @code
 * extern struct nova_net *net;
 * static uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}; // a broadcast
 *
 * memcpy(frame + 6, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
 * if (nova_net_send(net, frame, sizeof(frame)) == 0)
 *         nova_net_flush(net);
 * @endcode
 * @param net   the session
 * @param data  first byte, of the destination's address
 * @param bytes NOVA_NET_FRAME_MIN to NOVA_NET_FRAME_MAX
 * @retval 0          queued
 * @retval EAGAIN     all buffers are in use: nova_net_flush(), nova_net_listen()
 * @retval EMSGSIZE   the frame is too short or too long
 * @retval EPROTO     the service does not follow the protocol
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_send(struct nova_net *net, const void *data, size_t bytes);

/**
 * Returns a buffer in the pool for a frame that nova_net_queue() will queue. So a caller that
 * builds the frame there saves the copy of nova_net_send(). Does not block.
 * @code
 * extern struct nova_net *net;
 * void *frame;
 *
 * if (nova_net_prepare(net, &frame) == 0) {
 *         memset(frame, 0xff, NOVA_NET_ADDRESS); // a broadcast
 *         memcpy((char *)frame + 6, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
 *         memset((char *)frame + 12, 0, 48);
 *         nova_net_queue(net, 60);
 *         nova_net_flush(net);
 * }
 * @endcode
 * @param net         the session
 * @param[out] buffer NOVA_NET_FRAME_MAX bytes; valid until the next call of a function with @p net
 * @retval 0          @p buffer is set
 * @retval EAGAIN     all buffers are in use: nova_net_flush(), nova_net_listen()
 * @retval EPROTO     the service does not follow the protocol
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_prepare(struct nova_net *net, void **buffer);

/**
 * Checks that the next calls of nova_net_prepare() and nova_net_queue() find buffers, for a caller
 * that must send several frames together or none of them. Does not block.
 * @code
 * extern struct nova_net *net;
 * extern unsigned pieces; // frames of one message
 *
 * if (nova_net_reserve(net, pieces) == EAGAIN)
 *         nova_net_flush(net); // nova_net_listen() returns when buffers come back
 * @endcode
 * @param net    the session
 * @param frames number of frames
 * @retval 0          the buffers are free
 * @retval EAGAIN     too many buffers are in use: nova_net_flush(), nova_net_listen()
 * @retval EINVAL     the pool has fewer buffers
 * @retval EPROTO     the service does not follow the protocol
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_reserve(struct nova_net *net, unsigned frames);

/**
 * Queues the frame in the buffer of nova_net_prepare() for nova_net_flush().
 *
 * @param net   the session
 * @param bytes NOVA_NET_FRAME_MIN to NOVA_NET_FRAME_MAX
 * @retval 0          queued
 * @retval EAGAIN     no buffer is prepared
 * @retval EMSGSIZE   the frame is too short or too long
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_queue(struct nova_net *net, size_t bytes);

/**
 * Queues a frame whose checksum is open, like nova_net_queue(). The session needs NOVA_NET_SUMS in
 * the flags of nova_net_get_info(), which nova_net_reopen() may change.
 * @code
 * extern struct nova_net *net;
 * extern size_t bytes; // of a frame in the buffer of nova_net_prepare(): Ethernet, IPv4, UDP
 *
 * // The UDP checksum covers the bytes at offset 34 and above. Its field is at offset 40.
 * if (nova_net_get_info(net)->flags & NOVA_NET_SUMS)
 *         nova_net_queue_sum(net, bytes, nova_net_sum_open(34, 6));
 * @endcode
 * @param net   the session
 * @param bytes NOVA_NET_FRAME_MIN to NOVA_NET_FRAME_MAX
 * @param sum   nova_net_sum_open(); 0: the checksum is in the frame
 * @retval EINVAL  the checksum lies outside of the frame
 * @retval ENOTSUP the service does not take such frames
 * @retval …       as nova_net_queue()
 */
int nova_net_queue_sum(struct nova_net *net, size_t bytes, uint32_t sum);

/**
 * Accepts frames whose checksum is open or has been checked, if the service has NOVA_NET_SUMS;
 * nova_net_frame::sum describes the checksum. Applies to buffers that the service gets later,
 * including those of nova_net_reopen().
 * @code
 * extern struct nova_net *net;
 * struct nova_net_frame frame;
 *
 * nova_net_accept_sums(net); // after nova_net_open()
 * if (nova_net_receive(net, &frame) == 0) {
 *         if (frame.sum & (NOVA_NET_SUM_OPEN | NOVA_NET_SUM_RIGHT))
 *                 puts("The receiver need not check this frame.");
 *         nova_net_release(net, &frame);
 * }
 * @endcode
 */
void nova_net_accept_sums(struct nova_net *net);

/** Submits all queued frames and all released buffers to the service, and wakes it if it sleeps.
 * @retval 0 done @retval ECONNRESET the service has ended: nova_net_reopen() */
int nova_net_flush(struct nova_net *net);

/** Returns the number of frames that the service has refused since the session was opened, such as
 * those with the source of another client. */
unsigned nova_net_refused(const struct nova_net *net);

/**
 * Gets a frame. Does not block.
 * @code
 * extern struct nova_net *net;
 * struct nova_net_frame frame;
 *
 * while (nova_net_receive(net, &frame) == 0) {
 *         printf("%u bytes\n", (unsigned)frame.bytes);
 *         nova_net_release(net, &frame);
 * }
 * nova_net_flush(net); // the released buffers
 * @endcode
 * @param net        the session
 * @param[out] frame the frame; the caller passes it to nova_net_release()
 * @retval 0          @p frame is set
 * @retval EAGAIN     there is none, or the service returned many buffers without a frame
 * @retval EPROTO     the service does not follow the protocol
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_receive(struct nova_net *net, struct nova_net_frame *frame);

/**
 * Gives a frame's buffer back, which the service can use after nova_net_flush(). Call it after the
 * data was used or copied.
 * @code
 * extern struct nova_net *net;
 * extern const struct nova_net_frame frame;
 * uint8_t copy[NOVA_NET_FRAME_MAX];
 *
 * memcpy(copy, frame.data, frame.bytes);
 * if (nova_net_release(net, &frame))
 *         puts("The copy may be zeros: the service has ended.");
 * @endcode
 * @retval 0          the data was valid until now
 * @retval ECONNRESET the service has ended: the data may have become zeros before it was used
 */
int nova_net_release(struct nova_net *net, const struct nova_net_frame *frame);

/**
 * Waits until nova_net_receive() may have a frame, or, if nova_net_send() has returned EAGAIN, a
 * buffer may be free.
 * @code
 * extern const struct nova_net *net;
 *
 * if (nova_net_listen(net, nova_deadline_in(1000000000)) == ETIMEDOUT)
 *         puts("No frame has come in a second.");
 * @endcode
 * @param net      the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval 0          call nova_net_receive()
 * @retval ETIMEDOUT  none has come in time
 * @retval ECONNRESET the service has ended: nova_net_reopen()
 */
int nova_net_listen(const struct nova_net *net, uint64_t deadline);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
