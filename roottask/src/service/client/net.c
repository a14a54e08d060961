/* SPDX-License-Identifier: BSD-2-Clause */
/* Client of network services: the client's end of the two rings. The first half of the pool has
 * the buffers for receiving, the second half has the buffers for sending. The tag of a request is
 * the number of its buffer. */
#include "novart/service/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/hypercall.h"
#include "service/client/ring.h"

struct nova_net {
        struct ring_session of;
        struct nova_net_info info;
        struct nova_net_rings *rings;
        struct ring_end transmit, receive;
        unsigned buffers; /* number of buffers for each direction */
        unsigned refused; /* frames */
        bool queued;   /* the service must learn of new frames, or that the client waits for a free
                          buffer */
        bool released; /* the service must learn of new empty buffers */
        bool accepts;  /* nova_net_accept_sums() was called */
        unsigned free_count;              /* buffers for sending that are free */
        uint32_t free[NOVA_NET_ENTRIES];  /* their numbers */
        bool in_flight[NOVA_NET_ENTRIES]; /* the service has this buffer for sending */
        bool offered[NOVA_NET_ENTRIES];   /* the service has this buffer for receiving */
};

static int ask(struct nova_net *net, nova_word_t operation, void *to, size_t bytes)
{
        nova_word_t words[NOVA_WORDS_OF(sizeof(struct nova_net_counts))];
        struct nova_message message = {
                .operation = operation, .answer = words, .answer_max = NOVA_WORDS_OF(bytes)};
        const int error = nova_session_call(net->of.session, &message);

        if (error)
                return error;
        if (message.answer_count < message.answer_max)
                return EPROTO;
        memcpy(to, words, bytes);
        return 0;
}

int nova_net_ask_info(struct nova_net *net, struct nova_net_info *info)
{
        return ask(net, NOVA_NET_INFO, info, sizeof(*info));
}

int nova_net_ask_counts(struct nova_net *net, struct nova_net_counts *counts)
{
        return ask(net, NOVA_NET_COUNTS, counts, sizeof(*counts));
}

static uint32_t receive_offset(uint32_t buffer)
{
        return buffer * NOVA_NET_BUFFER;
}

static uint32_t transmit_offset(const struct nova_net *net, uint32_t buffer)
{
        return (net->buffers + buffer) * NOVA_NET_BUFFER;
}

static void put(struct ring_end *end, struct nova_net_entry entry)
{
        struct nova_net_ring *ring = (struct nova_net_ring *)end->ring;

        ring->entry[end->submitted % NOVA_NET_ENTRIES] = entry;
        end->submitted++;
}

static bool accepts_sums(const struct nova_net *net)
{
        return net->accepts && net->info.flags & NOVA_NET_SUMS;
}

/* Gives the service an empty buffer. */
static void offer(struct nova_net *net, uint32_t buffer)
{
        net->offered[buffer] = true;
        net->released = true;
        put(&net->receive,
            (struct nova_net_entry){.offset = receive_offset(buffer),
                                    .bytes = NOVA_NET_BUFFER,
                                    .tag = buffer,
                                    .sum = accepts_sums(net) ? NOVA_NET_SUM_ACCEPT : 0});
}

static int begin(struct ring_session *session)
{
        struct nova_net *net = (struct nova_net *)session;
        const int error = nova_net_ask_info(net, &net->info);

        if (error)
                return error;
        net->transmit = (struct ring_end){&net->rings->transmit.head, 0, 0};
        net->receive = (struct ring_end){&net->rings->receive.head, 0, 0};
        net->free_count = 0;
        for (uint32_t i = 0; i < net->buffers; i++) {
                net->in_flight[i] = false;
                net->free[net->free_count++] = i;
                offer(net, i);
        }
        return nova_net_flush(net);
}

int nova_net_open(struct nova_net **opened, const char *service, const char *arguments,
                  size_t pool_bytes)
{
        struct nova_net *net;
        int error;

        if (pool_bytes > (size_t)NOVA_PAGE_SIZE << NOVA_NET_POOL_ORDER_MAX)
                return EINVAL;
        net = calloc(1, sizeof(*net));
        if (!net)
                return ENOMEM;
        net->of = (struct ring_session){.pool_bytes = (size_t)NOVA_PAGE_SIZE
                                                      << NOVA_NET_POOL_ORDER_MIN,
                                        .ring_bytes = sizeof(*net->rings),
                                        .magic = NOVA_NET_MAGIC,
                                        .attach = NOVA_NET_ATTACH,
                                        .semaphores = NOVA_NET_SEMAPHORES,
                                        .begin = begin};
        error = novart_ring_init(&net->of, "frames", pool_bytes);
        net->buffers = (unsigned)(net->of.pool_bytes / (2 * (size_t)NOVA_NET_BUFFER));
        net->rings = (struct nova_net_rings *)net->of.rings;
        if (!error)
                error = novart_ring_reach(&net->of, service, arguments);
        if (error)
                nova_net_close(net);
        else
                *opened = net;
        return error;
}

void nova_net_close(struct nova_net *net)
{
        novart_ring_fini(&net->of);
        free(net);
}

int nova_net_reopen(struct nova_net *net)
{
        return novart_ring_reach(&net->of, NULL, NULL);
}

const struct nova_net_info *nova_net_get_info(const struct nova_net *net)
{
        return &net->info;
}

unsigned nova_net_refused(const struct nova_net *net)
{
        return net->refused;
}

/* Takes the next completion of a ring. @return 0, EAGAIN, EPROTO, ECONNRESET */
static int take(struct nova_net *net, struct ring_end *end, bool *busy,
                struct nova_ring_completion *completion)
{
        const bool some = novart_ring_peek(end, completion, NOVA_NET_ENTRIES);

        if (!novart_ring_alive(&net->of))
                return ECONNRESET;
        if (!some)
                return EAGAIN;
        novart_ring_reap(end);
        if (completion->tag >= net->buffers || !busy[completion->tag])
                return EPROTO;
        busy[completion->tag] = false;
        return 0;
}

/* Collects the buffers of frames that were sent. */
static int collect(struct nova_net *net)
{
        struct nova_ring_completion completion;
        int error;

        while ((error = take(net, &net->transmit, net->in_flight, &completion)) == 0) {
                net->free[net->free_count++] = completion.tag;
                net->refused += completion.result != 0;
        }
        return error == EAGAIN ? 0 : error;
}

/* If there are too few buffers, requests the bell, because another thread may wait for it in
 * nova_net_listen(). The next nova_net_flush() then rings the doorbell, so that the service sees
 * the request. */
int nova_net_reserve(struct nova_net *net, unsigned frames)
{
        int error = collect(net);

        if (!error && net->free_count < frames && novart_ring_request_bell(&net->transmit))
                error = collect(net);
        if (error)
                return error;
        if (frames > net->buffers)
                return EINVAL;
        if (net->free_count < frames) {
                net->queued = true;
                return EAGAIN;
        }
        return 0;
}

int nova_net_prepare(struct nova_net *net, void **buffer)
{
        const int error = nova_net_reserve(net, 1);

        if (!error)
                *buffer = net->of.pool + transmit_offset(net, net->free[net->free_count - 1]);
        return error;
}

/* Does not queue a frame if its page is no longer the service's: the service would not see the
 * client's data, and would send other data if it still saw the ring. */
int nova_net_queue_sum(struct nova_net *net, size_t bytes, uint32_t sum)
{
        uint32_t buffer, offset;

        if (bytes < NOVA_NET_FRAME_MIN || bytes > NOVA_NET_FRAME_MAX)
                return EMSGSIZE;
        if (sum && !nova_net_sum_is_valid(sum, (uint32_t)bytes))
                return EINVAL;
        if (sum && !(net->info.flags & NOVA_NET_SUMS))
                return ENOTSUP;
        if (!net->free_count)
                return EAGAIN;
        buffer = net->free[net->free_count - 1];
        offset = transmit_offset(net, buffer);
        if (!novart_ring_owned(&net->of, offset, bytes))
                return ECONNRESET;
        net->free_count--;
        net->in_flight[buffer] = true;
        net->queued = true;
        put(&net->transmit,
            (struct nova_net_entry){
                    .offset = offset, .bytes = (uint32_t)bytes, .tag = buffer, .sum = sum});
        return 0;
}

int nova_net_queue(struct nova_net *net, size_t bytes)
{
        return nova_net_queue_sum(net, bytes, 0);
}

void nova_net_accept_sums(struct nova_net *net)
{
        net->accepts = true;
}

int nova_net_send(struct nova_net *net, const void *data, size_t bytes)
{
        void *buffer;
        int error;

        if (bytes < NOVA_NET_FRAME_MIN || bytes > NOVA_NET_FRAME_MAX)
                return EMSGSIZE;
        error = nova_net_prepare(net, &buffer);
        if (error)
                return error;
        memcpy(buffer, data, bytes);
        return nova_net_queue(net, bytes);
}

int nova_net_flush(struct nova_net *net)
{
        bool wake = false;

        if (!novart_ring_alive(&net->of))
                return ECONNRESET;
        if (!net->released && !net->queued)
                return 0;
        novart_ring_look(&net->of);
        if (net->released)
                wake = novart_ring_submit(&net->receive);
        if (net->queued)
                wake |= novart_ring_submit(&net->transmit);
        net->released = false;
        net->queued = false;
        if (wake)
                nova_sm_up(net->of.doorbell);
        return 0;
}

/* Takes the next completion of `receive`, and the word that describes the frame's checksum, which
 * the service writes before the completion. */
static int take_frame(struct nova_net *net, struct nova_ring_completion *completion, uint32_t *sum)
{
        const uint32_t index = net->receive.reaped % NOVA_NET_ENTRIES;
        const int error = take(net, &net->receive, net->offered, completion);

        *sum = 0;
        if (!error && accepts_sums(net))
                *sum = *(volatile uint32_t *)&net->rings->receive.sum[index];
        return error;
}

static bool is_word(uint32_t sum, uint32_t bytes)
{
        return !sum || sum == NOVA_NET_SUM_RIGHT || nova_net_sum_is_valid(sum, bytes);
}

/* Skips completions without a frame. The number in one call is limited, because a hostile service
 * could otherwise keep the caller here for ever. */
int nova_net_receive(struct nova_net *net, struct nova_net_frame *frame)
{
        struct nova_ring_completion completion;
        uint32_t sum;

        for (unsigned n = 0; n < NOVA_NET_ENTRIES; n++) {
                const int error = take_frame(net, &completion, &sum);

                if (error)
                        return error;
                if (completion.result > NOVA_NET_FRAME_MAX || !is_word(sum, completion.result))
                        return EPROTO;
                if (completion.result >= NOVA_NET_FRAME_MIN) {
                        *frame = (struct nova_net_frame){(const uint8_t *)net->of.pool +
                                                                 receive_offset(completion.tag),
                                                         completion.result, completion.tag, sum};
                        return 0;
                }
                offer(net, completion.tag);
        }
        return EAGAIN;
}

int nova_net_release(struct nova_net *net, const struct nova_net_frame *frame)
{
        const bool valid = novart_ring_owned(&net->of, receive_offset(frame->buffer), frame->bytes);

        if (valid && !net->offered[frame->buffer])
                offer(net, frame->buffer);
        return valid ? 0 : ECONNRESET;
}

int nova_net_listen(const struct nova_net *net, uint64_t deadline)
{
        if (novart_ring_request_bell(&net->receive))
                return 0;
        return novart_ring_listen(&net->of, deadline);
}
