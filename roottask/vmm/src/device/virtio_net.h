/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of the network card share. */
#ifndef NOVAVMM_SRC_DEVICE_VIRTIO_NET_H
#define NOVAVMM_SRC_DEVICE_VIRTIO_NET_H

#include "device/virtio.h"
#include "novavmm/virtio_net.h"

#define FEATURE_CHECK_SUM (1ull << 0)
#define FEATURE_GUEST_SUM (1ull << 1) /* the guest takes frames with open checksums */
#define FEATURE_MTU       (1ull << 3)
#define FEATURE_ADDRESS   (1ull << 5)
#define FEATURE_JOIN      (1ull << 7)  /* the guest takes large packets of TCP over IPv4 */
#define FEATURE_CUT       (1ull << 11) /* the guest sends such packets */
#define FEATURE_MERGED    (1ull << 15) /* a received frame may lie in several buffers */

/* Queues. */
#define TO_GUEST   0
#define FROM_GUEST 1
#define QUEUES     2

/* The header of each frame. */
struct header {
        uint8_t flags;     /* HEADER_CHECK_SUM; of a received frame also HEADER_RIGHT */
        uint8_t segments;  /* 0: the frame is not to be divided; or HEADER_TCP */
        uint16_t bytes;    /* size of the headers of such a frame; only a hint */
        uint16_t segment;  /* size of the data of its parts */
        uint16_t sum_from; /* first byte that the checksum covers, up to the frame's end */
        uint16_t sum_at;   /* offset of the checksum's field from `sum_from` */
        uint16_t buffers;  /* number of buffers of a received frame */
};

#define HEADER_CHECK_SUM 1u
#define HEADER_RIGHT     2u
#define HEADER_TCP       1u /* TCP over IPv4 */

_Static_assert(sizeof(struct header) == 12, "size of the header in VIRTIO 1.2, 5.1.6");

/* Completes the checksum of a frame. The checksum's field contains the sum of the pseudo header. */
void novavmm_net_complete(uint8_t *frame, size_t bytes, size_t from, size_t at);

/* Sends a frame whose checksum is open. The checksum's field must lie inside the frame. */
void novavmm_net_send_open(const struct nova_virtio_net *net, uint8_t *frame, size_t bytes,
                           const struct header *header);

/* Begins to cut the packet of the present chain. @return false: its header or its packet has a
 * value that is not valid */
bool novavmm_net_cut_begin(struct nova_virtio_net *net, const struct header *header);

/* Sends frames of the packet that is being cut, up to its end. The first one lies at @p to.
 * @param[in,out] left number of frames that may still be sent
 * @return false: the rest waits for room, or for more time */
bool novavmm_net_cut_send(struct nova_virtio_net *net, uint8_t *to, unsigned *left);

#endif
