/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames in a virtio network card.
 *
 * Each request has a header of its own before its frame or buffer. The device completes all buffers
 * of a merged frame at once. The driver moves the content of later buffers to the first one, which
 * has room for a whole frame, so the client sees one frame and empty buffers. */
#include "frames.h"

#include <string.h>

#include "net/sum.h"

/* The header (VIRTIO 1.2, 5.1.6). */
struct header {
        uint8_t flags, segments;
        uint16_t bytes, segment; /* for a frame that the device would cut; not used */
        uint16_t sum_from, sum_at;
        uint16_t buffers; /* number of buffers of a received frame */
};

#define HEADER_BYTES sizeof(struct header)
#define SUM_OPEN     1 /* flags */
#define SUM_RIGHT    2

_Static_assert(sizeof(struct header) == 12, "size of the header in VIRTIO 1.2, 5.1.6");

size_t frames_header_bytes(const struct frames *frames, unsigned index)
{
        return (size_t)FRAMES_HEADER_BYTES * frames->queue[index].depth;
}

/* Writes the values that all uses of a request have in common. */
static void prepare(struct frames *frames, unsigned index)
{
        const bool writes = index == FRAMES_RECEIVE;

        for (unsigned number = 0; number < frames->queue[index].depth; number++) {
                const struct queue_part parts[FRAMES_PARTS] = {
                        {frames->header_device[index] + (uint64_t)FRAMES_HEADER_BYTES * number,
                         HEADER_BYTES, writes},
                        {0, 0, writes}};

                queue_prepare(&frames->queue[index], number, parts, FRAMES_PARTS);
        }
}

void frames_init(struct frames *frames)
{
        for (unsigned i = 0; i < FRAMES_QUEUES; i++) {
                queue_init(&frames->queue[i]);
                prepare(frames, i);
                memset(frames->headers[i], 0, frames_header_bytes(frames, i));
                memset(frames->request[i], 0, sizeof(frames->request[i]));
                frames->free_count[i] = 0;
                while (frames->free_count[i] < frames->queue[i].depth) {
                        frames->free[i][frames->free_count[i]] = frames->free_count[i];
                        frames->free_count[i]++;
                }
        }
        frames->taking = false;
}

static uint8_t *header_of(const struct frames *frames, unsigned index, unsigned number)
{
        return frames->headers[index] + (size_t)FRAMES_HEADER_BYTES * number;
}

void frames_add(struct frames *frames, unsigned index, const struct frames_request *request,
                uint64_t device)
{
        const unsigned number = frames->free[index][--frames->free_count[index]];
        const bool writes = index == FRAMES_RECEIVE;
        struct frames_request *own = &frames->request[index][number];
        struct header header = {0};

        own->memory = request->memory;
        own->bytes = request->bytes;
        own->tag = request->tag;
        own->sum = request->sum;
        __atomic_store_n(&own->stamp, request->stamp, __ATOMIC_RELAXED);
        if (!writes && request->sum) {
                header.flags = SUM_OPEN;
                header.sum_from = (uint16_t)nova_net_sum_start(request->sum);
                header.sum_at = (uint16_t)nova_net_sum_at(request->sum);
        }
        memcpy(header_of(frames, index, number), &header, sizeof(header));
        queue_add_last(&frames->queue[index], number, FRAMES_PARTS - 1, device, request->bytes);
}

static const struct frames_request *release(struct frames *frames, unsigned index, unsigned number)
{
        struct frames_request *request = &frames->request[index][number];

        frames->free[index][frames->free_count[index]++] = number;
        __atomic_store_n(&request->stamp, 0, __ATOMIC_RELAXED);
        return request;
}

/* Computes the word that describes a frame's checksum from the frame's header.
 * @return false if the header has a value that the driver did not agree to */
static bool read_word(const struct frames *frames, const struct header *header, uint32_t bytes,
                      uint32_t *sum)
{
        *sum = 0;
        if (header->segments)
                return false;
        if (!(frames->features & FRAMES_GUEST_SUM))
                return true;
        if (header->flags & SUM_OPEN) {
                *sum = nova_net_sum_open(header->sum_from, header->sum_at);
                return header->sum_from < NOVA_NET_BUFFER && header->sum_at < NOVA_NET_BUFFER &&
                       nova_net_sum_is_valid(*sum, bytes);
        }
        if (header->flags & SUM_RIGHT)
                *sum = NOVA_NET_SUM_RIGHT;
        return true;
}

/* Ends the request that holds the first buffer of a frame. The whole frame has frames->together
 * bytes. */
static void end_frame(struct frames *frames, struct frames_end *end)
{
        const struct frames_request *request = release(frames, FRAMES_RECEIVE, frames->first);
        const uint32_t bytes = frames->together;
        struct header header;
        uint32_t sum;

        memcpy(&header, header_of(frames, FRAMES_RECEIVE, frames->first), sizeof(header));
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        *end = (struct frames_end){.tag = request->tag, .dropped = true};
        if (frames->too_long || bytes < NOVA_NET_FRAME_MIN || bytes > NOVA_NET_FRAME_MAX ||
            !read_word(frames, &header, bytes, &sum))
                return;
        end->dropped = false;
        end->bytes = bytes;
        end->sum = net_sum_pass(request->memory, bytes, sum, request->sum != 0);
}

/* Moves bytes to the end of the frame. */
static void append(struct frames *frames, const uint8_t *from, uint32_t bytes)
{
        const struct frames_request *first = &frames->request[FRAMES_RECEIVE][frames->first];

        if (bytes > first->bytes - frames->together) {
                frames->too_long = true;
                return;
        }
        memmove(first->memory + frames->together, from, bytes); /* buffers may overlap */
        frames->together += bytes;
}

/* Takes the first buffer of a frame. @return false if the frame has no buffer at all */
static bool begin_frame(struct frames *frames, unsigned number, uint32_t bytes)
{
        const struct frames_request *request = &frames->request[FRAMES_RECEIVE][number];
        uint16_t buffers = 1;

        frames->first = number;
        frames->too_long = bytes < HEADER_BYTES || bytes - HEADER_BYTES > request->bytes;
        frames->together = frames->too_long ? 0 : bytes - (uint32_t)HEADER_BYTES;
        if (frames->features & FRAMES_MERGED)
                memcpy(&buffers,
                       header_of(frames, FRAMES_RECEIVE, number) + offsetof(struct header, buffers),
                       sizeof(buffers));
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (!buffers)
                return false;
        frames->parts = buffers - 1u;
        frames->taking = true;
        return true;
}

/* Takes a later buffer of a frame. Its data begins where the first buffer has the header. */
static void join(struct frames *frames, unsigned number, uint32_t bytes, struct frames_end *end)
{
        const struct frames_request *request = release(frames, FRAMES_RECEIVE, number);
        const uint32_t head = bytes < HEADER_BYTES ? bytes : (uint32_t)HEADER_BYTES;

        if (bytes - head > request->bytes) {
                frames->too_long = true;
        } else if (!frames->too_long) {
                append(frames, header_of(frames, FRAMES_RECEIVE, number), head);
                append(frames, request->memory, bytes - head);
        }
        *end = (struct frames_end){.tag = request->tag};
}

/* Takes the next received request: one with a later buffer of a frame or, after all later buffers,
 * the one with the whole frame. */
static enum queue_answer take_received(struct frames *frames, struct frames_end *end)
{
        enum queue_answer answer;
        unsigned number;
        uint32_t bytes;

        while (!frames->taking || frames->parts) {
                answer = queue_take(&frames->queue[FRAMES_RECEIVE], &number, &bytes);
                if (answer != QUEUE_TAKEN)
                        return frames->taking ? QUEUE_BROKEN : answer;
                if (frames->taking) {
                        frames->parts--;
                        join(frames, number, bytes, end);
                        return QUEUE_TAKEN;
                }
                if (!begin_frame(frames, number, bytes))
                        return QUEUE_BROKEN;
        }
        frames->taking = false;
        end_frame(frames, end);
        return QUEUE_TAKEN;
}

enum queue_answer frames_take(struct frames *frames, unsigned index, struct frames_end *end)
{
        enum queue_answer answer;
        unsigned number;
        uint32_t bytes;

        if (index == FRAMES_RECEIVE)
                return take_received(frames, end);
        answer = queue_take(&frames->queue[index], &number, &bytes);
        if (answer == QUEUE_TAKEN)
                *end = (struct frames_end){.tag = release(frames, index, number)->tag};
        return answer;
}
