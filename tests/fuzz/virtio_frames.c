/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of a hostile virtio network card: completions, headers, and frames in several buffers.
 * Only requests in flight end, each once. A frame fits into the first of its buffers, and its open
 * checksum lies inside the frame. A request that accepts no open checksum gets none. If the card
 * has followed the rules so far, the driver puts each frame together as the card has cut it. */
#include <stdlib.h>
#include <string.h>

#include "require.h"
#include "virtio-net/frames.h"

#define STEP       6u /* bytes of the input per step */
#define BUFFER     NOVA_NET_BUFFER
#define HEAD       12u /* bytes of a header */
#define MERGED_MAX 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frames *frames;
static uint8_t *memory[FRAMES_QUEUES][FRAMES_DEPTH_MAX]; /* the client's buffers by tag */
static uint32_t bytes_of[FRAMES_DEPTH_MAX];              /* sizes of the buffers for frames */
static bool in_flight[FRAMES_QUEUES][FRAMES_DEPTH_MAX], accepts[FRAMES_DEPTH_MAX];
static unsigned count[FRAMES_QUEUES];
static bool honest;
static uint32_t sent[FRAMES_DEPTH_MAX], sent_count, seen; /* sizes of the card's frames */

static uint16_t *used_words(unsigned queue)
{
        const struct queue *const of = &frames->queue[queue];

        return (uint16_t *)(of->memory + (queue_used(of) - of->device));
}

static void start(uint8_t shape)
{
        const uint8_t merges = shape & 0x40;

        for (unsigned i = 0; i < FRAMES_QUEUES; i++) {
                struct queue *const queue = &frames->queue[i];

                queue->size = 2u << shape % 8;
                queue->span = FRAMES_PARTS;
                queue->depth = queue->size / queue->span;
                queue->events = shape & 0x20;
                queue->memory = realloc(queue->memory, queue_bytes(queue));
                queue->device = 0x100000;
                frames->headers[i] = realloc(frames->headers[i], frames_header_bytes(frames, i));
                frames->header_device[i] = 0x200000;
        }
        frames->features =
                FRAMES_SUM | (shape & 0x80 ? FRAMES_GUEST_SUM : 0) | (merges ? FRAMES_MERGED : 0);
        memset(in_flight, 0, sizeof(in_flight));
        memset(count, 0, sizeof(count));
        honest = true;
        sent_count = seen = 0;
        frames_init(frames);
}

/* Adds the client's next request. */
static void add(unsigned queue, const uint8_t *step)
{
        struct frames_request request = {.bytes = BUFFER, .stamp = queue};
        unsigned tag = step[1] % frames->queue[queue].depth;

        if (!frames->free_count[queue])
                return;
        while (in_flight[queue][tag])
                tag = (tag + 1) % frames->queue[queue].depth;
        request.tag = tag;
        if (queue == FRAMES_RECEIVE) {
                request.bytes = step[2] & 1 ? 64 + step[3] : BUFFER;
                request.sum = step[2] & 2 ? NOVA_NET_SUM_ACCEPT : 0;
                bytes_of[tag] = request.bytes;
                accepts[tag] = request.sum;
        } else if (step[2] & 1) {
                request.sum = nova_net_sum_open(14 + step[3], step[4]);
        }
        free(memory[queue][tag]);
        memory[queue][tag] = malloc(request.bytes);
        memset(memory[queue][tag], 0, request.bytes);
        request.memory = memory[queue][tag];
        in_flight[queue][tag] = true;
        count[queue]++;
        frames_add(frames, queue, &request, (uintptr_t)request.memory);
        queue_publish(&frames->queue[queue]);
}

static void complete(unsigned queue, unsigned number, uint32_t bytes)
{
        uint16_t *const used = used_words(queue);
        const uint32_t entry[2] = {number * FRAMES_PARTS, bytes};

        memcpy((char *)used + 4 + (size_t)(used[1] % frames->queue[queue].size) * sizeof(entry),
               entry, sizeof(entry));
        used[1]++;
}

/* Returns a request in flight, or the queue's depth if there is none. */
static unsigned find(unsigned queue, unsigned after)
{
        const unsigned depth = frames->queue[queue].depth;

        for (unsigned i = 0; i < depth; i++)
                if (frames->queue[queue].busy[(after + i) % depth])
                        return (after + i) % depth;
        return depth;
}

/* Writes the header of a frame. */
static void write_header(uint8_t *head, const uint8_t *step)
{
        memset(head, 0, HEAD);
        if (!(step[5] & 0x10))
                return;
        honest = false; /* the open checksum may be at any place */
        head[0] = 1;
        head[6] = step[2];
        head[7] = step[3] & 7;
        head[8] = step[4];
}

/* Writes the next bytes of a frame into a buffer. In later buffers, the bytes begin where the first
 * buffer has its header. @return number of bytes so far */
static uint32_t write_buffer(unsigned number, bool first, uint32_t done, uint32_t bytes,
                             uint32_t most)
{
        const struct frames_request *const to = &frames->request[FRAMES_RECEIVE][number];
        uint8_t *const head = frames->headers[FRAMES_RECEIVE] + number * FRAMES_HEADER_BYTES;
        uint32_t wrote = first ? HEAD : 0;

        for (; wrote < HEAD && done < bytes; wrote++, done++)
                head[wrote] = (uint8_t)(done + sent_count);
        for (uint32_t i = 0; i < to->bytes && i < most && done < bytes; i++, wrote++, done++)
                to->memory[i] = (uint8_t)(done + sent_count);
        complete(FRAMES_RECEIVE, number, wrote);
        frames->queue[FRAMES_RECEIVE].busy[number] = false; /* for find() */
        return done;
}

/* Restores the queue's record of the requests in flight. */
static void restore_busy(void)
{
        for (unsigned i = 0; i < frames->queue[FRAMES_RECEIVE].depth; i++)
                frames->queue[FRAMES_RECEIVE].busy[i] = true;
        for (unsigned i = 0; i < frames->free_count[FRAMES_RECEIVE]; i++)
                frames->queue[FRAMES_RECEIVE].busy[frames->free[FRAMES_RECEIVE][i]] = false;
}

/* Receives, as the card, a frame whose bytes are their offsets plus the number of the frame, and
 * cuts it into buffers. The driver has to take all of these buffers at once. */
static void receive(const uint8_t *step)
{
        const uint32_t bytes = NOVA_NET_FRAME_MIN + (step[2] | step[3] << 8) % 1500u;
        unsigned number = step[1] % frames->queue[FRAMES_RECEIVE].depth, parts = 0;
        uint8_t *first;
        uint32_t done = 0;

        if (count[FRAMES_RECEIVE] < MERGED_MAX || sent_count == FRAMES_DEPTH_MAX)
                return;
        number = find(FRAMES_RECEIVE, number);
        if (frames->request[FRAMES_RECEIVE][number].bytes < bytes) {
                honest = false; /* the frame does not fit */
                if (step[5] & 1)
                        return;
        }
        first = frames->headers[FRAMES_RECEIVE] + number * FRAMES_HEADER_BYTES;
        write_header(first, step);
        for (; done < bytes && parts < MERGED_MAX; parts++) {
                number = find(FRAMES_RECEIVE, number);
                done = write_buffer(number, !parts, done, bytes, 64u + step[4]);
        }
        honest &= done == bytes && (parts == 1 || frames->features & FRAMES_MERGED);
        first[10] = (uint8_t)parts;
        sent[sent_count++] = bytes;
        restore_busy();
}

static void check_frame(const struct frames_end *end)
{
        const uint8_t *const frame = memory[FRAMES_RECEIVE][end->tag];

        require(end->bytes >= NOVA_NET_FRAME_MIN && end->bytes <= NOVA_NET_FRAME_MAX);
        require(end->bytes <= bytes_of[end->tag]);
        require(!end->sum || accepts[end->tag]);
        require(!end->sum || end->sum == NOVA_NET_SUM_RIGHT ||
                nova_net_sum_is_valid(end->sum, end->bytes));
        if (!honest)
                return;
        require(seen < sent_count && end->bytes == sent[seen]);
        for (uint32_t i = 0; i < end->bytes; i++)
                require(frame[i] == (uint8_t)(i + seen));
        seen++;
}

/* Takes all completions of a queue. @return false: the driver resets the card */
static bool take(unsigned queue)
{
        struct frames_end end;
        enum queue_answer answer;

        while ((answer = frames_take(frames, queue, &end)) == QUEUE_TAKEN) {
                require(end.tag < FRAMES_DEPTH_MAX && in_flight[queue][end.tag]);
                in_flight[queue][end.tag] = false;
                count[queue]--;
                if (queue == FRAMES_RECEIVE && end.bytes)
                        check_frame(&end);
                require(!end.dropped || !end.bytes);
        }
        require(frames->free_count[queue] + count[queue] == frames->queue[queue].depth);
        require(answer == QUEUE_EMPTY || !honest || queue == FRAMES_TRANSMIT);
        if (answer == QUEUE_EMPTY && queue == FRAMES_RECEIVE && honest)
                require(seen == sent_count);
        return answer == QUEUE_EMPTY;
}

static void run_step(const uint8_t *step)
{
        const unsigned queue = step[0] >> 7;
        struct queue *const of = &frames->queue[queue];
        const size_t at = step[1] | (size_t)step[2] << 8;

        switch (step[0] % 8) {
        case 0:
        case 1:
        case 2:
                for (unsigned i = 0; i <= step[5] % 8u; i++)
                        add(queue, step);
                break;
        case 3:
        case 4:
                receive(step);
                break;
        case 5: /* the card ends any request with any number of bytes */
                honest = honest && queue == FRAMES_TRANSMIT;
                if (find(queue, step[1]) < of->depth)
                        complete(queue, find(queue, step[1]), step[2] | (uint32_t)step[3] << 8);
                break;
        case 6: /* and writes any header */
                honest = false;
                memcpy(frames->headers[queue] + at % (frames_header_bytes(frames, queue) - 2),
                       step + 3, 3);
                return; /* the driver sees it at the next completion */
        default:
                honest = false;
                memcpy(of->memory + at % (queue_bytes(of) - 1), step + 3, 2);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (!size)
                return 0;
        frames = calloc(1, sizeof(*frames));
        start(data[0]);
        for (size_t at = 1; at + STEP <= size; at += STEP) {
                run_step(data + at);
                if (data[at] % 8 != 6 && (!take(FRAMES_RECEIVE) || !take(FRAMES_TRANSMIT)))
                        start(data[0]);
        }
        for (unsigned i = 0; i < FRAMES_QUEUES; i++) {
                for (unsigned tag = 0; tag < FRAMES_DEPTH_MAX; tag++) {
                        free(memory[i][tag]);
                        memory[i][tag] = NULL;
                }
                free(frames->queue[i].memory);
                free(frames->headers[i]);
        }
        free(frames);
        return 0;
}
