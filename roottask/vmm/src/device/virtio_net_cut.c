/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts large packets of guests into frames (see novavmm/virtio_net.h); Virtual I/O Device
 * Specification 1.2, 5.1.6.2. The headers of a packet are copied before they are checked. Nothing
 * depends on the data, so it stays in the guest's memory until the frames are built. */
#include "device/virtio_net.h"

/* Returns true if a header requests a cut, and the driver may request this one. */
static bool is_valid(const struct header *header, size_t bytes)
{
        return header->segments == HEADER_TCP && header->flags & HEADER_CHECK_SUM &&
               header->sum_from == NOVA_TCP_OFFSET && header->sum_at == NOVA_TCP_SUM_OFFSET &&
               header->bytes <= bytes && header->segment >= NOVA_VIRTIO_NET_SEGMENT_MIN;
}

bool novavmm_net_cut_begin(struct nova_virtio_net *net, const struct header *header)
{
        const struct nova_virtio_chain *const chain = &net->virtio.chain;
        const size_t bytes = (size_t)chain->read_bytes - sizeof(*header);
        struct nova_virtio_net_large *const large = &net->large;
        uint8_t headers[NOVA_TCP_HEADERS_MAX];

        if (!is_valid(header, bytes))
                return false;
        nova_virtio_read(chain, sizeof(*header), headers,
                         bytes < sizeof(headers) ? bytes : sizeof(headers));
        if (!nova_tcp_cut_begin(&large->cut, headers, bytes) ||
            large->cut.header_bytes + header->segment > NOVA_VIRTIO_NET_FRAME_MAX)
                return false;
        novavmm_virtio_copy_chain(&large->chain, chain);
        large->segment = header->segment;
        large->number = (uint16_t)(headers[18] << 8 | headers[19]);
        large->waits = true;
        return true;
}

static void send_frame(struct nova_virtio_net *net, uint8_t *frame)
{
        static const struct header header = {.sum_from = NOVA_TCP_OFFSET,
                                             .sum_at = NOVA_TCP_SUM_OFFSET};
        struct nova_virtio_net_large *const large = &net->large;
        struct nova_tcp_cut *const cut = &large->cut;
        const uint32_t bytes = cut->left < large->segment ? cut->left : large->segment;

        nova_virtio_read(&large->chain, large->chain.read_bytes - cut->left,
                         frame + cut->header_bytes, bytes);
        nova_tcp_cut_write(cut, frame, bytes, large->number++, true);
        novavmm_net_send_open(net, frame, cut->header_bytes + (size_t)bytes, &header);
        net->sent++;
}

bool novavmm_net_cut_send(struct nova_virtio_net *net, uint8_t *to, unsigned *left)
{
        struct nova_virtio_net_large *const large = &net->large;

        while (to && *left) {
                send_frame(net, to);
                --*left;
                if (!large->cut.left) {
                        large->waits = false;
                        return true;
                }
                if (*left)
                        to = net->cable->prepare(net->cable->context);
        }
        return false;
}
