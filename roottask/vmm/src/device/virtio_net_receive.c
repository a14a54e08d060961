/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives guests frames, and joins those of a stream (see novavmm/virtio_net.h). A packet's data is
 * copied at once into buffers that the driver does not see yet. A frame that finds no buffer ends
 * the packet, so no frame waits for another one. */
#include "device/virtio_net.h"

/* Takes the driver's next buffer.
 * @return false if there is none, or if the driver has broken the device */
static bool take_buffer(struct nova_virtio *virtio)
{
        const uint64_t needed = sizeof(struct header) +
                                (virtio->accepted & FEATURE_MERGED ? 0 : NOVA_VIRTIO_NET_FRAME_MAX);

        if (!nova_virtio_waiting(virtio, TO_GUEST) && !nova_virtio_listen(virtio, TO_GUEST))
                return false;
        if (!nova_virtio_take(virtio, TO_GUEST))
                return false;
        if (virtio->chain.write_bytes < needed)
                nova_virtio_break(virtio, "a buffer that is too small for frames");
        return nova_virtio_ready(virtio);
}

/* Takes the first buffer of a packet.
 * @return false if there is none, or if the driver has broken the device */
static bool begin(struct nova_virtio_net *net)
{
        struct nova_virtio_net_joined *const packet = &net->joined;

        if (!take_buffer(&net->virtio))
                return false;
        novavmm_virtio_copy_chain(&packet->first, &net->virtio.chain);
        packet->buffers = 1;
        packet->filled = sizeof(struct header);
        return true;
}

/* Appends data to the packet. All buffers that are full are kept.
 * @return false if a buffer is missing, or if the driver has broken the device */
static bool append(struct nova_virtio_net *net, const uint8_t *data, size_t bytes)
{
        struct nova_virtio_net_joined *const packet = &net->joined;
        struct nova_virtio *const virtio = &net->virtio;

        for (;;) {
                const uint64_t room = virtio->chain.write_bytes - packet->filled;
                const size_t part = bytes < room ? bytes : (size_t)room;

                nova_virtio_write(&virtio->chain, packet->filled, data, part);
                packet->filled += part;
                data += part;
                bytes -= part;
                if (!bytes)
                        return true;
                nova_virtio_keep(virtio, TO_GUEST, (uint32_t)packet->filled);
                if (packet->buffers == virtio->queue[TO_GUEST].size && !packet->open)
                        nova_virtio_break(virtio, "a queue whose buffers hold no frame");
                if (!take_buffer(virtio))
                        return false;
                packet->buffers++;
                packet->filled = 0;
        }
}

/* Writes the device's header of the packet, and shows the driver all its buffers. */
static void finish(struct nova_virtio_net *net, struct header *header)
{
        struct nova_virtio_net_joined *const packet = &net->joined;

        header->buffers = packet->buffers;
        nova_virtio_write(&packet->first, 0, header, sizeof(*header));
        nova_virtio_keep(&net->virtio, TO_GUEST, (uint32_t)packet->filled);
        nova_virtio_give_kept(&net->virtio, TO_GUEST);
}

/* Gives the guest a frame whose header has everything but the number of buffers.
 * @return false if a buffer is missing, or if the driver has broken the device */
static bool give(struct nova_virtio_net *net, struct header *header, const uint8_t *frame,
                 size_t bytes)
{
        if (!begin(net) || !append(net, frame, bytes))
                return false;
        finish(net, header);
        return true;
}

/* Completes a frame's checksum, and gives the frame to the guest. */
static bool give_complete(struct nova_virtio_net *net, const uint8_t *frame, size_t bytes,
                          uint32_t sum)
{
        uint8_t copy[NOVA_VIRTIO_NET_FRAME_MAX];
        struct header header = {0};

        memcpy(copy, frame, bytes);
        novavmm_net_complete(copy, bytes, nova_net_sum_start(sum), nova_net_sum_at(sum));
        return give(net, &header, copy, bytes);
}

static bool give_sum(struct nova_virtio_net *net, const uint8_t *frame, size_t bytes, uint32_t sum)
{
        struct nova_virtio *const virtio = &net->virtio;
        struct header header = {0};

        if (!(virtio->accepted & FEATURE_GUEST_SUM)) {
                if (sum & NOVA_NET_SUM_OPEN)
                        return give_complete(net, frame, bytes, sum);
        } else if (sum & NOVA_NET_SUM_OPEN) {
                header.flags = HEADER_CHECK_SUM;
                header.sum_from = (uint16_t)nova_net_sum_start(sum);
                header.sum_at = (uint16_t)nova_net_sum_at(sum);
        } else if (sum & NOVA_NET_SUM_RIGHT) {
                header.flags = HEADER_RIGHT;
        }
        return give(net, &header, frame, bytes);
}

/* Returns true if the driver takes packets that were joined, in several buffers. */
static bool may_join(const struct nova_virtio *virtio)
{
        const uint64_t needed = FEATURE_GUEST_SUM | FEATURE_JOIN | FEATURE_MERGED;

        return (virtio->accepted & needed) == needed;
}

/* Copies the headers of a frame and reads the copy, because the sender may change the frame.
 * @return false: it cannot be joined with others */
static bool read_frame(struct nova_tcp_segment *segment, uint8_t headers[NOVA_TCP_HEADERS_MAX],
                       const uint8_t *frame, size_t bytes, uint32_t sum)
{
        if (sum != nova_net_sum_open(NOVA_TCP_OFFSET, NOVA_TCP_SUM_OFFSET))
                return false;
        memcpy(headers, frame, bytes < NOVA_TCP_HEADERS_MAX ? bytes : NOVA_TCP_HEADERS_MAX);
        return nova_tcp_segment_read(segment, headers, bytes, true) &&
               segment->headers + segment->bytes == bytes;
}

/* Joins a frame with the packet.
 * @return false: it does not follow, or its data finds no buffer */
static bool join(struct nova_virtio_net *net, const uint8_t *frame, size_t bytes, uint32_t sum)
{
        struct nova_virtio_net_joined *const packet = &net->joined;
        struct nova_virtio *const virtio = &net->virtio;
        struct nova_virtio_queue *const queue = &virtio->queue[TO_GUEST];
        struct nova_tcp_segment whole = packet->segment, next;
        const uint16_t taken = queue->taken, kept = queue->kept, buffers = packet->buffers;
        const size_t filled = packet->filled;
        uint8_t headers[NOVA_TCP_HEADERS_MAX];
        struct nova_virtio_chain last;

        if (!packet->open || packet->ends || !read_frame(&next, headers, frame, bytes, sum) ||
            next.bytes > packet->most || !nova_tcp_segment_join(&whole, &next))
                return false;
        novavmm_virtio_copy_chain(&last, &virtio->chain);
        if (!append(net, frame + next.headers, next.bytes)) {
                queue->taken = taken;
                queue->kept = kept;
                packet->buffers = buffers;
                packet->filled = filled;
                novavmm_virtio_copy_chain(&virtio->chain, &last);
                return false;
        }
        packet->segment = whole;
        packet->ends = next.bytes < packet->most || next.flags & NOVA_TCP_PUSH;
        return true;
}

/* Gives the guest a frame, or begins a packet with it.
 * @return false if a buffer is missing, or if the driver has broken the device */
static bool start(struct nova_virtio_net *net, const uint8_t *frame, size_t bytes, uint32_t sum)
{
        struct nova_virtio_net_joined *const packet = &net->joined;

        if (!may_join(&net->virtio) ||
            !read_frame(&packet->segment, packet->headers, frame, bytes, sum))
                return give_sum(net, frame, bytes, sum);
        if (!begin(net) || !append(net, frame, bytes))
                return false;
        packet->open = true;
        packet->most = packet->segment.bytes;
        packet->ends = packet->segment.flags & NOVA_TCP_PUSH ||
                       packet->first.write_bytes < sizeof(struct header) + packet->segment.headers;
        return true;
}

bool nova_virtio_net_receive_more(struct nova_virtio_net *net, const void *frame, size_t bytes,
                                  uint32_t sum)
{
        struct nova_virtio *const virtio = &net->virtio;

        if (!nova_virtio_ready(virtio) || !virtio->queue[TO_GUEST].enabled)
                return true;
        if (join(net, frame, bytes, sum)) {
                net->received++;
                return true;
        }
        nova_virtio_net_receive_end(net);
        if (start(net, frame, bytes, sum)) {
                net->received++;
                return true;
        }
        nova_virtio_take_again(virtio, TO_GUEST);
        net->lacks_buffers = nova_virtio_ready(virtio);
        return !net->lacks_buffers;
}

void nova_virtio_net_receive_end(struct nova_virtio_net *net)
{
        struct nova_virtio_net_joined *const packet = &net->joined;
        struct header header = {.flags = HEADER_CHECK_SUM,
                                .sum_from = NOVA_TCP_OFFSET,
                                .sum_at = NOVA_TCP_SUM_OFFSET};

        if (!packet->open)
                return;
        packet->open = false;
        if (packet->segment.bytes > packet->most) {
                header.segments = HEADER_TCP;
                header.bytes = (uint16_t)packet->segment.headers;
                header.segment = (uint16_t)packet->most;
                nova_tcp_segment_write(&packet->segment, true);
                nova_virtio_write(&packet->first, sizeof(header), packet->headers,
                                  packet->segment.headers);
        }
        finish(net, &header);
}

bool nova_virtio_net_receive_sum(struct nova_virtio_net *net, const void *frame, size_t bytes,
                                 uint32_t sum)
{
        const bool given = nova_virtio_net_receive_more(net, frame, bytes, sum);

        nova_virtio_net_receive_end(net);
        return given;
}

bool nova_virtio_net_receive(struct nova_virtio_net *net, const void *frame, size_t bytes)
{
        return nova_virtio_net_receive_sum(net, frame, bytes, 0);
}
