/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of a network service. The service's lock protects everything.
 *
 * Ports take turns. In its turn a port sends up to NET_TURN frames. Then the next port has its
 * turn. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>

#define ROUNDS 16 /* number of rounds after which handlers get the lock */

struct net_port *net_ports[NET_PORTS];
unsigned net_port_count;

static const struct net_service *service;
static unsigned next_port;

static struct net_port *port_of(const struct nova_request *request)
{
        return *(struct net_port **)request->state;
}

static void destroy(struct nova_later *later)
{
        struct net_port *port = (struct net_port *)later;

        share_fini(&port->share, &service->source);
        free(port);
}

static void detach(struct net_port *port)
{
        if (!port->attached)
                return;
        port->attached = false;
        net_ports[port->index] = net_ports[--net_port_count];
        net_ports[port->index]->index = port->index;
        if (service->detach)
                service->detach(port);
}

static void close_session(struct nova_service *of, void *state)
{
        struct net_port *port = *(struct net_port **)state;

        if (!port)
                return;
        detach(port);
        if (service->close)
                service->close(port);
        share_close(&port->share);
        share_destroy(&port->share, of);
}

static int open_session(struct nova_request *request, const char *arguments)
{
        struct net_port *port = calloc(1, sizeof(*port));
        int error;

        if (!port)
                return ENOMEM;
        share_init(&port->share, NOVA_NET_RING_ORDER, destroy);
        if (service->open)
                error = service->open(port, request->client, arguments);
        else
                error = *arguments ? EINVAL : 0;
        if (error)
                free(port);
        else
                *(struct net_port **)request->state = port;
        return error;
}

/* NOVA_NET_INFO */
static int get_info(struct nova_request *request)
{
        struct nova_net_info info = {.frame_max = service->frame_max,
                                     .pool_bytes = (uint32_t)NOVA_PAGE_SIZE
                                                   << NOVA_NET_POOL_ORDER_MAX,
                                     .flags = service->sums ? NOVA_NET_SUMS : 0};

        service->describe(port_of(request), &info);
        nova_request_answer_bytes(request, &info, sizeof(info));
        return 0;
}

/* Returns true if the device should take more empty buffers, because it has less than half of the
 * client's buffers. If it took buffers only when it had none, it would need a wake-up for each
 * frame that the client has read. */
static bool lacks_buffers(const struct net_port *port)
{
        return service->buffers &&
               service->buffers() < port->share.pool.bytes / NOVA_NET_BUFFER / 4;
}

/* NOVA_NET_ATTACH. A client that has died may still have the port that this client needs. */
static int attach(struct nova_request *request)
{
        struct net_port *port = port_of(request);
        const nova_word_t order = request->word[0];
        struct nova_net_rings *rings;
        int error;

        if (order < NOVA_NET_POOL_ORDER_MIN || order > NOVA_NET_POOL_ORDER_MAX)
                return EINVAL;
        if (net_port_count == service->ports && !port->share.pages)
                nova_service_sweep(request->service);
        if (net_port_count == service->ports && !port->share.pages)
                return EBUSY;
        error = share_alloc(&port->share, request->service, (size_t)NOVA_PAGE_SIZE << order,
                            &service->source);
        if (error)
                return error;
        rings = port->share.pages;
        net_ring_init(&port->transmit, &rings->transmit);
        net_ring_init(&port->receive, &rings->receive);
        ring_set_waiting(&port->receive, lacks_buffers(port));
        port->attached = true;
        port->index = net_port_count;
        net_ports[net_port_count++] = port;
        share_give(&port->share, request);
        return 0;
}

/* NOVA_NET_SEMAPHORES */
static int give_semaphores(struct nova_request *request)
{
        return share_give_semaphores(&port_of(request)->share, request, serve_doorbell());
}

/* NOVA_NET_COUNTS */
static int get_counts(struct nova_request *request)
{
        const struct net_port *port = port_of(request);

        net_serve(); /* counts sent frames even if the device raises no interrupt for them */
        nova_request_answer_bytes(request, &port->counts, sizeof(port->counts));
        return 0;
}

/* A client that breaks the rules loses its rings. */
static void end_rings(struct net_port *port)
{
        ring_end(&port->transmit);
        ring_end(&port->receive);
        share_ring_bell(&port->share);
        detach(port);
}

static int take(struct net_port *port, struct ring *ring, struct nova_net_entry *entry)
{
        const int error = port->attached ? ring_take(ring, entry, sizeof(*entry)) : EAGAIN;

        if (error == EPROTO)
                end_rings(port);
        return error ? EAGAIN : 0;
}

int net_take_transmit(struct net_port *port, struct nova_net_entry *entry)
{
        int error = take(port, &port->transmit, entry);

        if (error)
                return error;
        error = net_entry_check(entry, port->share.pool.bytes, NOVA_NET_FRAME_MIN,
                                service->frame_max, service->sums ? NOVA_NET_SUM_OPEN : 0);
        if (error)
                net_complete_transmit(port, entry->tag, error);
        return error ? EINVAL : 0;
}

int net_take_receive(struct net_port *port, struct nova_net_entry *entry)
{
        int error = take(port, &port->receive, entry);

        if (error)
                return error;
        error = net_entry_check(entry, port->share.pool.bytes,
                                service->buffer_min ? service->buffer_min : NOVA_NET_FRAME_MAX,
                                NOVA_NET_BUFFER, service->sums ? NOVA_NET_SUM_ACCEPT : 0);
        if (error) {
                port->counts.refused++;
                net_complete_receive(port, entry->tag, 0, 0);
        }
        return error ? EINVAL : 0;
}

void net_complete_transmit(struct net_port *port, uint32_t tag, int error)
{
        if (error)
                port->counts.refused++;
        else
                port->counts.sent++;
        if (!port->attached)
                return;
        port->changed = true;
        ring_complete(&port->transmit, tag, (uint32_t)error);
}

void net_complete_receive(struct net_port *port, uint32_t tag, uint32_t bytes, uint32_t sum)
{
        struct nova_net_rings *rings = port->share.pages;

        port->counts.received += bytes != 0;
        if (!port->attached)
                return;
        port->changed = true;
        rings->receive.sum[port->receive.completed % NOVA_NET_ENTRIES] = sum;
        ring_complete(&port->receive, tag, bytes);
}

/* Gives a turn to each port. @return true if more may be left */
static bool round_of_turns(void)
{
        bool any = false;

        for (unsigned i = 0; i < net_port_count; i++) {
                if (next_port >= net_port_count)
                        next_port = 0;
                any |= service->serve(net_ports[next_port]);
                next_port++;
        }
        return any;
}

/* Records for the clients whether they must do an up on the doorbell after a request. */
static void set_waiting(bool waits)
{
        for (unsigned i = 0; i < net_port_count; i++) {
                ring_set_waiting(&net_ports[i]->transmit, waits);
                if (service->buffers)
                        ring_set_waiting(&net_ports[i]->receive,
                                         waits && lacks_buffers(net_ports[i]));
        }
}

static bool is_pending(void)
{
        bool some = false;

        for (unsigned i = 0; i < net_port_count; i++)
                some |= service->pending(net_ports[i]);
        return some;
}

static void finish(void)
{
        if (service->kick)
                service->kick();
        for (unsigned i = 0; i < net_port_count; i++) {
                struct net_port *port = net_ports[i];
                bool wakes = false;

                if (port->changed) {
                        wakes = ring_wake(&port->transmit);
                        wakes = ring_wake(&port->receive) || wakes;
                }
                port->changed = false;
                if (wakes)
                        share_ring_bell(&port->share);
        }
}

void net_serve(void)
{
        static const struct serve_turns turns = {round_of_turns, set_waiting, is_pending, finish,
                                                 ROUNDS};

        serve_all(&turns);
}

int net_service_start(const struct net_service *of)
{
        static const struct nova_service_operation operations[] = {
                {get_info, 0, 0, false},
                {attach, 1, 1, false},
                {give_semaphores, 0, 0, false},
                {get_counts, 0, 0, false},
        };
        const struct nova_service_config config = {
                .name = of->name,
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct net_port *),
                .open = open_session,
                .close = close_session,
        };

        service = of;
        return serve_start(&config, &of->watch, net_serve);
}
