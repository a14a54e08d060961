/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a hostile service for frames. The service writes arbitrary data into the rings, and
 * gives arbitrary answers. The client must hand out only buffers of its pool, none of them twice,
 * and skip only a limited number of completions in one call. */
#include <string.h>

#include "client_rings.h"
#include "service/client/net.c"

#define HELD 8 /* frames that the program keeps */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nova_net *net;
static struct nova_net_frame held[HELD];
static bool has[HELD];
static bool broken; /* the client has noticed a broken rule since the session was opened */

static void answer(unsigned long operation, void *words, size_t bytes)
{
        struct nova_net_info *const about = words;

        memset(words, rings_take(), bytes);
        if (operation == NOVA_NET_INFO) {
                about->flags = rings_take();
                about->frame_max = NOVA_NET_FRAME_MAX;
        }
}

static void act(void)
{
        struct nova_net_rings *const rings = net->rings;
        const uint8_t kind = rings_take();

        if (kind & 0x40)
                rings->receive.sum[rings->receive.head.completed % NOVA_NET_ENTRIES] =
                        kind & 0x20 ? NOVA_NET_SUM_RIGHT : rings_take_word() << 8 | (kind & 7);
        rings_write(kind & 0x80 ? &rings->transmit.head : &rings->receive.head, NOVA_NET_ENTRIES);
}

/* Checks that the requests in flight are inside the client's pool, and fit into the ring. */
static void check_ring(const struct ring_end *end, bool sends)
{
        const struct nova_net_ring *const ring = (const struct nova_net_ring *)end->ring;
        const size_t half = net->of.pool_bytes / 2;

        require(broken || end->submitted - end->reaped <= net->buffers);
        for (uint32_t i = end->reaped; !broken && i != end->submitted; i++) {
                const struct nova_net_entry *const entry = &ring->entry[i % NOVA_NET_ENTRIES];

                require(entry->offset / half == sends && entry->tag < net->buffers);
                require(entry->bytes <= net->of.pool_bytes - entry->offset);
        }
}

static void check(void)
{
        unsigned in_flight = 0;

        for (unsigned i = 0; i < net->buffers; i++)
                in_flight += net->in_flight[i];
        require(net->free_count + in_flight == net->buffers && net->buffers <= NOVA_NET_ENTRIES);
        check_ring(&net->transmit, true);
        check_ring(&net->receive, false);
}

static void receive(void)
{
        const uint32_t before = net->receive.submitted;
        struct nova_net_frame frame;
        unsigned place = 0;
        const int error = nova_net_receive(net, &frame);

        require(net->receive.submitted - before <= NOVA_NET_ENTRIES);
        broken |= error == EPROTO;
        if (error)
                return;
        require(frame.buffer < net->buffers && !net->offered[frame.buffer]);
        require(frame.data == (uint8_t *)net->of.pool + frame.buffer * NOVA_NET_BUFFER);
        require(frame.bytes >= NOVA_NET_FRAME_MIN && frame.bytes <= NOVA_NET_FRAME_MAX);
        require(accepts_sums(net) || !frame.sum);
        require(!(frame.sum & NOVA_NET_SUM_OPEN) ||
                nova_net_sum_start(frame.sum) + nova_net_sum_at(frame.sum) + 2 <= frame.bytes);
        for (unsigned i = 0; i < HELD; i++)
                require(!has[i] || held[i].buffer != frame.buffer);
        while (place < HELD && has[place])
                place++;
        if (place == HELD) {
                nova_net_release(net, &frame);
                return;
        }
        held[place] = frame;
        has[place] = true;
}

static void send(void)
{
        const size_t bytes = rings_take_word();
        const uint32_t sum = rings_take() & 1 ? rings_take_word() : 0;
        const char *const half = net->of.pool + net->of.pool_bytes / 2;
        void *buffer;
        const int error = nova_net_prepare(net, &buffer);

        broken |= error == EPROTO;
        if (error)
                return;
        require((char *)buffer >= half &&
                (char *)buffer + NOVA_NET_BUFFER <= half + net->of.pool_bytes / 2);
        memset(buffer, 0x33, NOVA_NET_BUFFER);
        nova_net_queue_sum(net, bytes, sum);
}

static void release(unsigned place)
{
        if (has[place])
                nova_net_release(net, &held[place]);
        has[place] = false;
}

static void reopen(void)
{
        memset(has, 0, sizeof(has));
        broken = nova_net_reopen(net) != 0;
}

static void run_step(void)
{
        struct nova_net_counts counts;

        switch (rings_take() % 16) {
        case 0:
        case 1:
                send();
                break;
        case 2:
        case 3:
                nova_net_flush(net);
                break;
        case 4:
        case 5:
                receive();
                break;
        case 6:
                release(rings_take() % HELD);
                break;
        case 7:
                nova_net_listen(net, rings_take() & 1 ? NOVA_FOREVER : 1);
                break;
        case 8:
                broken |= nova_net_reserve(net, rings_take_word()) == EPROTO;
                break;
        case 9:
                reopen();
                break;
        case 10:
                nova_net_accept_sums(net);
                nova_net_ask_counts(net, &counts);
                break;
        default:
                act();
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct rings_service service = {.magic = NOVA_NET_MAGIC,
                                                     .second = sizeof(struct nova_net_ring),
                                                     .answer = answer,
                                                     .act = act};

        rings_begin(&service, data, size);
        memset(has, 0, sizeof(has));
        broken = false;
        if (nova_net_open(&net, "net", NULL, (rings_take() & 31u) << 11)) {
                rings_end();
                return 0;
        }
        while (rings_has_input()) {
                run_step();
                check();
        }
        nova_net_close(net);
        rings_end();
        return 0;
}
