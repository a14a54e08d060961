/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards (see novavmm/virtio_net.h); Virtual I/O Device Specification 1.2, 5.1. One pair of
 * queues, a buffer for each frame, and no segmentation. */
#include "novavmm/virtio_net.h"

#include <string.h>

#define FEATURE_CHECK_SUM (1ull << 0)
#define FEATURE_ADDRESS   (1ull << 5)

/* Queues. */
#define TO_GUEST   0
#define FROM_GUEST 1
#define QUEUES     2

/* Number of chains after which transmit() returns even if more are waiting. */
#define TRANSMIT_MAX (4u * NOVA_VIRTIO_QUEUE_SIZE)

/* The header of each frame. */
struct header {
        uint8_t flags;     /* HEADER_CHECK_SUM */
        uint8_t segments;  /* 0: the frame is not to be divided */
        uint16_t bytes;    /* size of the headers of such a frame */
        uint16_t segment;  /* size of its parts */
        uint16_t sum_from; /* first byte that the check sum covers, up to the frame's end */
        uint16_t sum_at;   /* place of the check sum, from `sum_from` on */
        uint16_t buffers;  /* number of buffers of a received frame: 1 */
};

#define HEADER_CHECK_SUM 1u

_Static_assert(sizeof(struct header) == 12, "5.1.6");

/* Returns the ones' complement sum of 16-bit words, with a zero after an odd number of bytes. The
 * order of the bytes in a word does not matter to such a sum. */
static uint16_t sum_of(const uint8_t *data, size_t bytes)
{
        uint64_t sum = 0;
        uint32_t word;

        for (; bytes >= sizeof(word); data += sizeof(word), bytes -= sizeof(word)) {
                memcpy(&word, data, sizeof(word));
                sum += word;
        }
        word = 0;
        memcpy(&word, data, bytes);
        sum += word;
        while (sum > UINT16_MAX)
                sum = (sum & UINT16_MAX) + (sum >> 16);
        return (uint16_t)sum;
}

/* Completes the check sum of a frame, whose field has the sum of the pseudo header.
 * @return false if it does not lie in the frame */
static bool complete(uint8_t *frame, size_t bytes, const struct header *header)
{
        const size_t from = header->sum_from, at = from + header->sum_at;
        uint16_t sum;

        if (from >= bytes || at + sizeof(sum) > bytes)
                return false;
        sum = (uint16_t)~sum_of(frame + from, bytes - from);
        if (!sum) /* which would mean that a datagram has none */
                sum = UINT16_MAX;
        memcpy(frame + at, &sum, sizeof(sum));
        return true;
}

/* Copies the frame of the chain to @p to, and sends it.
 * @return the error, or NULL */
static const char *send_chain(struct nova_virtio_net *net, uint8_t *to)
{
        const struct nova_virtio_chain *const chain = &net->virtio.chain;
        struct header header;

        if (chain->read_bytes < sizeof(header) + NOVA_VIRTIO_NET_FRAME_MIN)
                return "a frame without a header";
        if (chain->read_bytes > sizeof(header) + NOVA_VIRTIO_NET_FRAME_MAX)
                return "a frame that is too long";

        const size_t bytes = (size_t)chain->read_bytes - sizeof(header);

        nova_virtio_read(chain, 0, &header, sizeof(header));
        nova_virtio_read(chain, sizeof(header), to, bytes);
        if (header.segments ||
            (header.flags & HEADER_CHECK_SUM && !(net->virtio.accepted & FEATURE_CHECK_SUM)))
                return "a frame with a feature that was not negotiated";
        if (header.flags & HEADER_CHECK_SUM && !complete(to, bytes, &header))
                return "a frame with a check sum outside of it";
        net->cable->send(net->cable->context, bytes);
        net->sent++;
        return NULL;
}

/* Sends the frames for which there is room. While there is none, no notification is requested. */
static void transmit(struct nova_virtio_net *net)
{
        struct nova_virtio *const virtio = &net->virtio;
        const uint64_t before = net->sent;
        unsigned left = TRANSMIT_MAX;

        do {
                while (left && nova_virtio_waiting(virtio, FROM_GUEST)) {
                        uint8_t *const to = net->cable->prepare(net->cable->context);
                        const char *why;

                        if (!to || !nova_virtio_take(virtio, FROM_GUEST))
                                goto out;
                        why = send_chain(net, to);
                        if (why) {
                                nova_virtio_break(virtio, why);
                                goto out;
                        }
                        nova_virtio_give_late(virtio, FROM_GUEST, 0);
                        left--;
                }
        } while (nova_virtio_listen(virtio, FROM_GUEST) && left);
        virtio->again |= !left;
out:
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
        tell_room((struct nova_virtio_net *)virtio);
}

bool nova_virtio_net_receive(struct nova_virtio_net *net, const void *frame, size_t bytes)
{
        struct nova_virtio *const virtio = &net->virtio;
        const struct nova_virtio_chain *const chain = &virtio->chain;
        const struct header header = {.buffers = 1};

        if (!nova_virtio_ready(virtio) || !virtio->queue[TO_GUEST].enabled)
                return true;
        if (!nova_virtio_waiting(virtio, TO_GUEST) && !nova_virtio_listen(virtio, TO_GUEST)) {
                net->lacks_buffers = nova_virtio_ready(virtio);
                return !net->lacks_buffers;
        }
        if (!nova_virtio_take(virtio, TO_GUEST))
                return true;
        if (chain->write_bytes < sizeof(header) + NOVA_VIRTIO_NET_FRAME_MAX) {
                nova_virtio_break(virtio, "a buffer that is too small for frames");
                return true;
        }
        nova_virtio_write(chain, 0, &header, sizeof(header));
        nova_virtio_write(chain, sizeof(header), frame, bytes);
        nova_virtio_give(virtio, TO_GUEST, (uint32_t)(sizeof(header) + bytes));
        net->received++;
        return true;
}

void nova_virtio_net_resume(struct nova_virtio_net *net)
{
        transmit(net);
        nova_virtio_report(&net->virtio); /* no exit follows: the guest may have halted */
}

void nova_virtio_net_init(struct nova_virtio_net *net, const struct nova_guest_memory *memory,
                          const uint8_t address[NOVA_VIRTIO_NET_ADDRESS],
                          const struct nova_virtio_net_cable *cable)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_NET,
                "network",
                NOVA_VIRTIO_EVENT_INDEX | FEATURE_CHECK_SUM | FEATURE_ADDRESS,
                QUEUES,
                notify,
                reset};

        memset(net, 0, sizeof(*net));
        net->cable = cable;
        nova_virtio_init(&net->virtio, &kind, memory);
        memcpy(net->virtio.config, address, NOVA_VIRTIO_NET_ADDRESS);
}
