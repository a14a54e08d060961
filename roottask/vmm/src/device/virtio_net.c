/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards, and the frames that guests send (see novavmm/virtio_net.h); Virtual I/O Device
 * Specification 1.2, 5.1. Each card has one pair of queues. */
#include "device/virtio_net.h"

#include <string.h>

#include "novart/internet_sum.h"

/* Offset in the configuration. */
#define CONFIG_MTU 10

/* Number of chains and frames after which transmit() returns even if more are waiting. */
#define TRANSMIT_MAX (4u * NOVA_VIRTIO_QUEUE_SIZE)

/* Returns true if the checksum of a frame lies in it. */
static bool lies_inside(size_t bytes, const struct header *header)
{
        const size_t from = header->sum_from, at = from + header->sum_at;

        return from < bytes && at + sizeof(uint16_t) <= bytes;
}

void novavmm_net_complete(uint8_t *frame, size_t bytes, size_t from, size_t at)
{
        uint16_t sum = (uint16_t)~nova_internet_sum(frame + from, bytes - from);

        if (!sum) /* a 0 would mean that a datagram has no checksum */
                sum = UINT16_MAX;
        memcpy(frame + from + at, &sum, sizeof(sum));
}

void novavmm_net_send_open(const struct nova_virtio_net *net, uint8_t *frame, size_t bytes,
                           const struct header *header)
{
        const struct nova_virtio_net_cable *const cable = net->cable;
        const uint32_t sum = nova_net_sum_open(header->sum_from, header->sum_at);

        if (cable->send_open && nova_net_sum_is_valid(sum, (uint32_t)bytes) &&
            cable->send_open(cable->context, bytes, sum))
                return;
        novavmm_net_complete(frame, bytes, header->sum_from, header->sum_at);
        cable->send(cable->context, bytes);
}

/* Returns true if the driver may send packets that are to be cut. */
static bool may_cut(const struct nova_virtio *virtio)
{
        const uint64_t needed = FEATURE_CHECK_SUM | FEATURE_CUT;

        return (virtio->accepted & needed) == needed;
}

/* Copies the frame of the chain to @p to, and sends it. A frame that is too long is dropped,
 * because its length is the choice of the guest's network code, not of its driver.
 * @return the error, or NULL */
static const char *send_frame(struct nova_virtio_net *net, const struct header *header, uint8_t *to)
{
        const struct nova_virtio_chain *const chain = &net->virtio.chain;

        if (header->segments ||
            (header->flags & HEADER_CHECK_SUM && !(net->virtio.accepted & FEATURE_CHECK_SUM)))
                return "a frame with a feature that was not negotiated";
        if (chain->read_bytes > sizeof(*header) + NOVA_VIRTIO_NET_FRAME_MAX) {
                net->refused++;
                return NULL;
        }

        const size_t bytes = (size_t)chain->read_bytes - sizeof(*header);

        nova_virtio_read(chain, sizeof(*header), to, bytes);
        if (header->flags & HEADER_CHECK_SUM) {
                if (!lies_inside(bytes, header))
                        return "a frame with a checksum outside of it";
                novavmm_net_send_open(net, to, bytes, header);
        } else {
                net->cable->send(net->cable->context, bytes);
        }
        net->sent++;
        return NULL;
}

/* Sends the frame of the chain, or begins to cut its packet. Drops a packet that cannot be cut.
 * @return the error, or NULL */
static const char *send_chain(struct nova_virtio_net *net, uint8_t *to)
{
        const struct nova_virtio_chain *const chain = &net->virtio.chain;
        struct header header;

        if (chain->read_bytes < sizeof(header) + NOVA_VIRTIO_NET_FRAME_MIN)
                return "a frame without a header";
        nova_virtio_read(chain, 0, &header, sizeof(header));
        if (!header.segments || !may_cut(&net->virtio))
                return send_frame(net, &header, to);
        if (chain->read_bytes > sizeof(header) + NOVA_VIRTIO_NET_LARGE_MAX ||
            !novavmm_net_cut_begin(net, &header))
                net->refused++;
        return NULL;
}

/* Continues to cut the packet that was begun.
 * @param to room for the next frame, or NULL
 * @return false: the rest waits */
static bool send_large(struct nova_virtio_net *net, uint8_t *to, unsigned *left)
{
        struct nova_virtio *const virtio = &net->virtio;

        if (!novavmm_net_cut_send(net, to, left))
                return false;
        virtio->chain.head = net->large.chain.head;
        nova_virtio_give_late(virtio, FROM_GUEST, 0);
        return true;
}

/* Sends the guest's next frame, or the rest of a packet.
 * @return false: the frame waits, or the driver has broken the device */
static bool send_next(struct nova_virtio_net *net, unsigned *left)
{
        struct nova_virtio *const virtio = &net->virtio;
        uint8_t *const to = net->cable->prepare(net->cable->context);
        const char *why;

        if (net->large.waits)
                return send_large(net, to, left);
        if (!to || !nova_virtio_take(virtio, FROM_GUEST))
                return false;
        why = send_chain(net, to);
        if (why) {
                nova_virtio_break(virtio, why);
                return false;
        }
        if (net->large.waits)
                return send_large(net, to, left);
        nova_virtio_give_late(virtio, FROM_GUEST, 0);
        --*left;
        return true;
}

/* Sends the frames for which there is room. While there is no room, requests no notification. */
static void transmit(struct nova_virtio_net *net)
{
        struct nova_virtio *const virtio = &net->virtio;
        const uint64_t before = net->sent;
        unsigned left = TRANSMIT_MAX;
        bool goes_on = nova_virtio_ready(virtio);

        while (goes_on && left) {
                while (goes_on && left &&
                       (net->large.waits || nova_virtio_waiting(virtio, FROM_GUEST)))
                        goes_on = send_next(net, &left);
                if (goes_on && !nova_virtio_listen(virtio, FROM_GUEST))
                        goes_on = false;
        }
        if (!left)
                nova_virtio_pause(virtio);
        if (net->sent != before)
                net->cable->kick(net->cable->context);
}

static void tell_room(struct nova_virtio_net *net)
{
        if (!net->lacks_buffers)
                return;
        net->lacks_buffers = false;
        net->cable->room(net->cable->context);
}

static void notify(struct nova_virtio *virtio, unsigned queue)
{
        struct nova_virtio_net *const net = (struct nova_virtio_net *)virtio;

        if (queue == FROM_GUEST)
                transmit(net);
        else
                tell_room(net);
}

static void reset(struct nova_virtio *virtio)
{
        struct nova_virtio_net *const net = (struct nova_virtio_net *)virtio;

        net->large.waits = net->joined.open = false;
        tell_room(net);
}

bool nova_virtio_net_resume(struct nova_virtio_net *net)
{
        struct nova_virtio *const virtio = &net->virtio;

        transmit(net);
        nova_virtio_report(virtio); /* no exit follows: the guest may have halted */
        return nova_virtio_ready(virtio) &&
               (net->large.waits || nova_virtio_waiting(virtio, FROM_GUEST));
}

void nova_virtio_net_init(struct nova_virtio_net *net, const struct nova_guest_memory *memory,
                          const uint8_t address[NOVA_VIRTIO_NET_ADDRESS],
                          const struct nova_virtio_net_cable *cable)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_NET,
                "network",
                NOVA_VIRTIO_EVENT_INDEX | FEATURE_CHECK_SUM | FEATURE_GUEST_SUM | FEATURE_ADDRESS |
                        FEATURE_JOIN | FEATURE_CUT | FEATURE_MERGED,
                QUEUES,
                notify,
                reset};

        memset(net, 0, sizeof(*net));
        net->cable = cable;
        nova_virtio_init(&net->virtio, &kind, memory);
        memcpy(net->virtio.config, address, NOVA_VIRTIO_NET_ADDRESS);
}

void nova_virtio_net_limit(struct nova_virtio_net *net, uint32_t bytes)
{
        const uint32_t least = NOVA_VIRTIO_NET_FRAME_MIN + NOVA_NET_MTU_MIN;
        const uint32_t most = bytes < least ? least : bytes;
        const uint16_t mtu = (uint16_t)(most - NOVA_VIRTIO_NET_FRAME_MIN);

        net->virtio.offered |= FEATURE_MTU;
        memcpy(net->virtio.config + CONFIG_MTU, &mtu, sizeof(mtu));
}
