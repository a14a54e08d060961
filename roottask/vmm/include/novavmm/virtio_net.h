/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio network card, whose frames go through functions of its user. */
#ifndef NOVAVMM_VIRTIO_NET_H
#define NOVAVMM_VIRTIO_NET_H

#include "novart/service/net.h"
#include "novart/tcp_segment.h"
#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of an Ethernet address in bytes. */
#define NOVA_VIRTIO_NET_ADDRESS 6

/** Minimum size of a frame in bytes: its header. */
#define NOVA_VIRTIO_NET_FRAME_MIN 14u

/** Maximum size of a frame in bytes, without a checksum. */
#define NOVA_VIRTIO_NET_FRAME_MAX 1514u

/** Maximum size of a packet of TCP that the card cuts into frames, in bytes. */
#define NOVA_VIRTIO_NET_LARGE_MAX (NOVA_VIRTIO_NET_FRAME_MIN + 65535u)

/** Minimum number of bytes of data in a frame of such a packet. It limits the number of frames. */
#define NOVA_VIRTIO_NET_SEGMENT_MIN 8u

/** The destination of a card's frames. The functions are called with the machine locked, and do not
 * block. */
struct nova_virtio_net_cable {
        /** Returns NOVA_VIRTIO_NET_FRAME_MAX bytes for a frame of the guest. NULL: there is no room
         * now; the guest's frames wait until nova_virtio_net_resume(). */
        void *(*prepare)(void *context);
        /** Sends the frame in the buffer of prepare(). @param bytes its size, which is valid */
        void (*send)(void *context, size_t bytes);
        /** Called after one or more calls of send() or send_open(). */
        void (*kick)(void *context);
        /** Called when the driver has buffers again after nova_virtio_net_receive() returned false,
         * or has reset the card. */
        void (*room)(void *context);
        void *context; /**< context of these functions */
        /** Sends the frame in the buffer of prepare(), whose checksum is open.
         * @param bytes its size, which is valid
         * @param sum   nova_net_sum_open(), which is valid
         * @return false if frames must be complete now: the card fills the checksum in, and calls
         * send(). NULL: as if it returned false */
        bool (*send_open)(void *context, size_t bytes, uint32_t sum);
};

/** A large packet of the guest, which the card cuts into frames. */
struct nova_virtio_net_large {
        bool waits;                     /**< frames of the packet are not sent yet */
        uint16_t segment;               /**< number of bytes of data of its frames */
        uint16_t number;                /**< IPv4 identification of the next frame */
        struct nova_tcp_cut cut;        /**< its headers, and its remaining data */
        struct nova_virtio_chain chain; /**< place of its data */
};

/** A packet for the guest, made of consecutive frames of a TCP stream. */
struct nova_virtio_net_joined {
        bool open;     /**< the packet lies in buffers that the driver does not see yet */
        bool ends;     /**< no frame may follow */
        uint32_t most; /**< number of bytes of data of the first frame; no later frame has more */
        uint8_t headers[NOVA_TCP_HEADERS_MAX]; /**< headers of the first frame */
        struct nova_tcp_segment segment;       /**< values in these headers */
        uint16_t buffers;                      /**< number of buffers */
        size_t filled;                         /**< number of bytes in the last buffer */
        struct nova_virtio_chain first;        /**< the first buffer */
};

/** A network card. */
struct nova_virtio_net {
        struct nova_virtio virtio; /**< part of all virtio devices; the first member */
        const struct nova_virtio_net_cable *cable; /**< destination of the frames */
        bool lacks_buffers;                        /**< nova_virtio_net_receive() returned false */
        struct nova_virtio_net_large large;        /**< packet that is being cut */
        struct nova_virtio_net_joined joined;      /**< packet for the guest */
        uint64_t sent;                             /**< number of frames of the guest */
        uint64_t refused;  /**< number of frames that were too long, and of large packets with
                            * values that are not valid. All of them were dropped */
        uint64_t received; /**< number of frames that the guest got */
};

/**
 * Initialises a network card with these features, which its driver may accept: the card computes
 * checksums of frames that the guest sends, cuts large packets of TCP over IPv4 into frames, joins
 * received frames into such packets, passes on received frames whose checksums are open or were
 * checked, and uses several buffers for a frame.
 * @code
 * extern struct nova_guest_memory memory; // vm.memory
 * extern const struct nova_virtio_net_cable cable;
 * static const uint8_t address[NOVA_VIRTIO_NET_ADDRESS] = {2, 0, 0, 0, 0, 1};
 * static struct nova_virtio_net card;
 *
 * nova_virtio_net_init(&card, &memory, address, &cable);
 * @endcode
 * @param memory  memory of the guest
 * @param address the card's Ethernet address
 * @param cable   must stay valid
 */
void nova_virtio_net_init(struct nova_virtio_net *net, const struct nova_guest_memory *memory,
                          const uint8_t address[NOVA_VIRTIO_NET_ADDRESS],
                          const struct nova_virtio_net_cable *cable);

/** Announces to the guest that its frames must be smaller than usual (VIRTIO_NET_F_MTU). Call it
 * after nova_virtio_net_init() and before the board gets the card. The card does not check the
 * guest's frames.
 * @param bytes maximum size of a frame, at most NOVA_VIRTIO_NET_FRAME_MAX. The card announces at
 *              least the size that packets of NOVA_NET_MTU_MIN bytes need */
void nova_virtio_net_limit(struct nova_virtio_net *net, uint32_t bytes);

/**
 * Gives the guest a frame. A card whose driver is not ready drops it. The caller holds the
 * machine's lock.
 *
 * @param frame the frame, which is copied
 * @param bytes NOVA_VIRTIO_NET_FRAME_MIN to NOVA_VIRTIO_NET_FRAME_MAX
 * @return false if the guest has no buffer for it: nova_virtio_net_cable::room will be called
 */
bool nova_virtio_net_receive(struct nova_virtio_net *net, const void *frame, size_t bytes);

/**
 * Gives the guest a frame whose checksum is open, or was checked. If the driver has accepted such
 * frames, the frame stays unchanged; otherwise the card computes the checksum.
 *
 * @param frame the frame, which is copied
 * @param bytes NOVA_VIRTIO_NET_FRAME_MIN to NOVA_VIRTIO_NET_FRAME_MAX
 * @param sum   nova_net_sum_open(), valid for @p bytes; NOVA_NET_SUM_RIGHT; or 0: the guest must
 *              check it
 * @return as nova_virtio_net_receive()
 */
bool nova_virtio_net_receive_sum(struct nova_virtio_net *net, const void *frame, size_t bytes,
                                 uint32_t sum);

/**
 * Gives the guest a frame like nova_virtio_net_receive_sum(), but may join the next frames to it.
 * If several frames become one packet of TCP over IPv4, the guest handles only one header. The card
 * joins frames with open checksums only, and only if the driver has accepted such packets.
 *
 * After the last frame, and before it releases the machine's lock, the caller calls
 * nova_virtio_net_receive_end(). If the guest has no buffer for a frame, the caller must give it
 * that frame again before any later one.
 * @code
 * extern struct nova_virtio_net card;
 * extern struct nova_net *net; // its frames; nova_net_accept_sums()
 * static struct nova_net_frame frame; // the guest had no buffer for it if `bytes` is not 0
 *
 * while (frame.bytes || nova_net_receive(net, &frame) == 0) {
 *         if (!nova_virtio_net_receive_more(&card, frame.data, frame.bytes, frame.sum))
 *                 break;
 *         nova_net_release(net, &frame);
 *         frame.bytes = 0;
 * }
 * nova_virtio_net_receive_end(&card);
 * @endcode
 * @param frame the frame, which is copied
 * @param bytes as for nova_virtio_net_receive_sum()
 * @param sum   as for nova_virtio_net_receive_sum()
 * @return as nova_virtio_net_receive()
 */
bool nova_virtio_net_receive_more(struct nova_virtio_net *net, const void *frame, size_t bytes,
                                  uint32_t sum);

/** Shows the guest the frames of nova_virtio_net_receive_more(). The caller holds the machine's
 * lock. */
void nova_virtio_net_receive_end(struct nova_virtio_net *net);

/** Sends the guest's frames that waited for room. The caller holds the machine's lock.
 * @return true if frames still wait; false: there are no more, or the guest has reset the card */
bool nova_virtio_net_resume(struct nova_virtio_net *net);

#ifdef __cplusplus
}
#endif

#endif
