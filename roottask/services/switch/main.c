/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `switch`: passes frames between its clients, and between them and cards. Arguments:
 * `card=SERVICE` for each card, `open=CLIENT` for each client that has several addresses,
 * `rate=CLIENT:BYTES` for each client that has a limit of bytes sent per second, and
 * `name=SERVICE` if the service is not called `switch`.
 *
 * A client's address is made from its name, and from the first card's address, so that it stays the
 * same when the client or the machine starts again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "net/server.h"
#include "net/sum.h"
#include "nova/extension.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "options.h"
#include "table.h"

#define LOCAL 2 /* bit of the first byte of an address: not given by a manufacturer */

/* A client with a port. */
struct client {
        struct net_port *port;
        unsigned index;             /* index in the table */
        struct nova_net_entry held; /* a frame that waits for a card */
        bool holds;
        struct rate *rate; /* NULL: it may send as fast as it can */
};

static struct table table;
static struct card cards[CARDS];
static unsigned card_count;
static struct client clients[TABLE_PORTS]; /* by index in the table */
/* Semaphore on which the thread `pace` sleeps until a client that sent too fast may send again. */
static nova_sel_t wake;
/* TSC value at which `pace` serves the clients that sent too fast; protected by the lock. */
static uint64_t wakes_at = NOVA_FOREVER;
static bool awake; /* `pace` is awake and has the lock */

/* Copies a frame to a client, or drops it if the client has offered no buffer.
 * @return the client's buffer, for complete(); NULL: the frame was dropped */
static uint8_t *copy(struct client *client, const struct frame *frame, struct nova_net_entry *entry)
{
        struct net_port *port = client->port;
        int error = EINVAL;
        uint8_t *to;

        for (unsigned n = 0; n < NET_TURN && error == EINVAL; n++)
                error = net_take_receive(port, entry);
        if (error) {
                port->counts.dropped++;
                return NULL;
        }
        to = (uint8_t *)port->share.pool.memory + entry->offset;
        frame_copy(to, frame);
        return to;
}

static void complete(struct client *client, const struct frame *frame,
                     const struct nova_net_entry *entry, uint8_t *to)
{
        net_complete_receive(client->port, entry->tag, frame->bytes,
                             net_sum_pass(to, frame->bytes, frame->sum, entry->sum != 0));
}

static void deliver(struct client *client, const struct frame *frame)
{
        struct nova_net_entry entry;
        uint8_t *const to = copy(client, frame, &entry);

        if (to)
                complete(client, frame, &entry, to);
}

static void deliver_to_clients(uint32_t to, const struct frame *frame)
{
        for (to &= ~0u << card_count; to; to &= to - 1) {
                struct client *client = &clients[__builtin_ctz(to)];

                if (client->port->attached)
                        deliver(client, frame);
        }
}

/* Sends a frame of a client to cards.
 * @return false if the first card is full, and nothing was sent */
static bool send_to_cards(uint32_t to, const struct frame *frame)
{
        bool first = true;

        for (unsigned i = 0; i < card_count; i++) {
                if (!(to & 1u << i))
                        continue;
                if (!card_send(&cards[i], frame) && first)
                        return false;
                first = false;
        }
        return true;
}

/* Passes on the frame that a client holds.
 * @return false if a card is full, and the frame must wait */
static bool pass_on(struct client *client)
{
        const struct nova_net_entry *entry = &client->held;
        const uint32_t all_cards = (1u << card_count) - 1;
        struct frame frame = {.data = (const uint8_t *)client->port->share.pool.memory +
                                      entry->offset,
                              .bytes = entry->bytes,
                              .sum = entry->sum};
        uint32_t to;
        bool forged;

        memcpy(frame.header, frame.data, FRAME_HEADER);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        to = table_route(&table, client->index, frame.header, &forged);
        if (to & all_cards && !send_to_cards(to, &frame))
                return false;
        deliver_to_clients(to, &frame);
        net_complete_transmit(client->port, entry->tag, forged ? EPERM : 0);
        client->holds = false;
        return true;
}

static bool may_send(const struct client *client)
{
        return !client->rate || rate_allows(client->rate, nova_time_ns());
}

/* Takes a client's next frame. @return as net_take_transmit(); EAGAIN: it may not send now */
static int take(struct client *client)
{
        const int error =
                may_send(client) ? net_take_transmit(client->port, &client->held) : EAGAIN;

        if (client->rate && error != EAGAIN)
                rate_charge(client->rate, nova_time_ns(), error ? 0 : client->held.bytes);
        return error;
}

static bool serve(struct net_port *port)
{
        struct client *client = port->owner;

        for (unsigned n = 0; n < NET_TURN; n++) {
                const int error = client->holds ? 0 : take(client);

                if (error == EAGAIN)
                        return false;
                client->holds = !error;
                if (client->holds && !pass_on(client))
                        return false;
        }
        return true;
}

static bool pending(const struct net_port *port)
{
        const struct client *client = port->owner;
        bool full = false;

        for (unsigned i = 0; i < card_count; i++)
                full |= cards[i].full;
        return client->holds ? !full : ring_pending(&port->transmit) && may_send(client);
}

/* Returns the TSC value at which the first client that waits may send, or NOVA_FOREVER. */
static uint64_t find_next(void)
{
        uint64_t next = NOVA_FOREVER;

        for (unsigned i = 0; i < net_port_count; i++) {
                const struct client *client = net_ports[i]->owner;

                if (!client->rate || client->holds || !ring_pending(&net_ports[i]->transmit))
                        continue;

                const uint64_t ready = nova_tsc_of_ns(client->rate->ready_ns);

                next = ready < next ? ready : next;
        }
        return next;
}

static void kick(void)
{
        const uint64_t next = find_next();

        for (unsigned i = 0; i < card_count; i++)
                card_flush(&cards[i]);
        if (next >= wakes_at)
                return;
        wakes_at = next;
        if (!awake)
                nova_sm_up(wake);
}

/* Serves the clients that sent too fast, as soon as they may send. */
static void *pace(void *argument)
{
        (void)argument;
        while (serve_lock()) {
                uint64_t until;

                wakes_at = NOVA_FOREVER;
                awake = true;
                net_serve();
                awake = false;
                until = wakes_at;
                serve_unlock();
                nova_sm_down_until(wake, NOVA_SM_ZC, until);
        }
        return NULL;
}

static int pace_start(void)
{
        const struct nova_thread_attr attr = {.name = "pace", .cpu = nova_program.cpu};
        struct nova_thread *thread;

        return nova_thread_create(&thread, &attr, pace, NULL);
}

static int make_wake(void)
{
        wake = nova_sel_alloc(0);
        return wake == NOVA_SEL_NONE || nova_create_sm(wake, nova_program.pd, 0) != NOVA_SUCCESS
                       ? ENOMEM
                       : 0;
}

/* Passes a frame of a card to one client. The copy is valid only if nova_net_release() returns 0,
 * which means that the driver still ran when the copy was complete. @return as
 * nova_net_release() */
static int pass_to_one(struct client *client, const struct frame *frame, struct card *card,
                       const struct nova_net_frame *in)
{
        struct nova_net_entry entry;
        uint8_t *const to = client->port->attached ? copy(client, frame, &entry) : NULL;
        const int error = nova_net_release(card->net, in);

        if (to && error)
                net_complete_receive(client->port, entry.tag, 0, 0);
        else if (to)
                complete(client, frame, &entry, to);
        return error;
}

/* Passes a frame of a card to several ports, which get the same data. @return as
 * nova_net_release() */
static int pass_to_all(uint32_t to, const struct frame *frame, struct card *card,
                       const struct nova_net_frame *in)
{
        uint8_t data[NOVA_NET_FRAME_MAX];
        struct frame copied = *frame;
        int error;

        memcpy(data, in->data, in->bytes);
        error = nova_net_release(card->net, in);
        if (error)
                return error;
        copied.data = data;
        for (unsigned i = 0; i < card_count; i++)
                if (to & 1u << i)
                        card_send(&cards[i], &copied);
        deliver_to_clients(to, &copied);
        return 0;
}

/* Passes on a frame of a card. */
static int receive(struct card *card, const struct nova_net_frame *in)
{
        struct frame frame = {.data = in->data, .bytes = in->bytes, .sum = in->sum};
        uint32_t to;
        bool forged;

        memcpy(frame.header, in->data, FRAME_HEADER);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        to = table_route(&table, card->port, frame.header, &forged);
        card->forged += forged;
        if (!to)
                return nova_net_release(card->net, in);
        if (to >> card_count && !(to & (to - 1)))
                return pass_to_one(&clients[__builtin_ctz(to)], &frame, card, in);
        return pass_to_all(to, &frame, card, in);
}

/* Makes an address from a name (FNV-1a). */
static void make_address(const char *name, uint8_t *address)
{
        uint64_t hash = 0xcbf29ce484222325;
        const uint8_t *seed = card_count ? nova_net_get_info(cards[0].net)->address : address;

        for (unsigned i = 0; i < NOVA_NET_ADDRESS; i++)
                hash = (hash ^ seed[i]) * 0x100000001b3;
        for (unsigned i = 0; i < CLIENT_NAME && name[i]; i++)
                hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3;
        address[0] = LOCAL;
        for (unsigned i = 1; i < NOVA_NET_ADDRESS; i++)
                address[i] = (uint8_t)(hash >> 8 * i);
}

static bool is_taken(const uint8_t *address)
{
        for (unsigned i = card_count; i < TABLE_PORTS; i++)
                if (table.port[i].used &&
                    memcmp(table.port[i].address, address, NOVA_NET_ADDRESS) == 0)
                        return true;
        return false;
}

/* Opens the client's only port. If the client has restarted, a session of its previous run may
 * still have this port; open_port() then ends that session. */
static int open_port(struct net_port *port, const char *name, const char *arguments)
{
        struct table_port new = {.used = true, .open = options_is_open(name)};
        unsigned index = card_count;

        if (*arguments)
                return EINVAL;
        make_address(name, new.address);
        if (is_taken(new.address))
                nova_service_sweep(serve_service());
        if (is_taken(new.address))
                return EBUSY;
        while (index < TABLE_PORTS && table.port[index].used)
                index++;
        if (index == TABLE_PORTS)
                return ENFILE;
        table_add(&table, index, &new);
        clients[index] =
                (struct client){.port = port, .index = index, .rate = options_find_rate(name)};
        port->owner = &clients[index];
        return 0;
}

static void detach(struct net_port *port)
{
        struct client *client = port->owner;

        client->holds = false;
}

static void close_port(struct net_port *port)
{
        const struct client *client = port->owner;

        table_remove(&table, client->index);
}

/* Returns true if a card has a cable, or if there is no card: the other clients are then the whole
 * network. */
static bool has_cable(void)
{
        bool some = !card_count;

        for (unsigned i = 0; i < card_count; i++)
                some |= card_has_cable(&cards[i]);
        return some;
}

/* Reports the smallest limit of the cards. Longer frames reach other clients, but not every
 * card. */
static void describe(const struct net_port *port, struct nova_net_info *info)
{
        const struct client *client = port->owner;

        for (unsigned i = 0; i < card_count; i++)
                if (card_frame_max(&cards[i]) < info->frame_max)
                        info->frame_max = card_frame_max(&cards[i]);

        memcpy(info->address, table.port[client->index].address, NOVA_NET_ADDRESS);
        if (has_cable())
                info->flags |= NOVA_NET_LINK;
}

static struct net_service service = {
        .name = "switch",
        .ports = NET_PORTS,
        .frame_max = NOVA_NET_FRAME_MAX,
        .sums = true,
        .open = open_port,
        .describe = describe,
        .serve = serve,
        .pending = pending,
        .kick = kick,
        .detach = detach,
        .close = close_port,
};

/* @return false if the word is not an argument */
static bool read_argument(const char *word)
{
        static const struct table_port open = {.used = true, .open = true};

        if (strncmp(word, "card=", 5) == 0 && word[5] && card_count < CARDS) {
                cards[card_count].service = word + 5;
                cards[card_count].port = card_count;
                cards[card_count].receive = receive;
                table_add(&table, card_count, &open);
                card_count++;
                return true;
        }
        if (strncmp(word, "name=", 5) == 0 && word[5]) {
                service.name = word + 5;
                return true;
        }
        return options_read(word);
}

/* Ends the program after an error. After EACCES another start would fail, too, because only a
 * change of the description gives the permission. */
static void check(int error, const char *what)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(error == EACCES ? NOVA_EXIT_FINAL : 1);
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                if (read_argument(argv[i]))
                        continue;
                printf("'%s' is not an argument; write card=SERVICE for up to %u cards, "
                       "open=CLIENT for up to %u clients, rate=CLIENT:BYTES, such as "
                       "rate=guest:4M, for up to %u, and name=SERVICE.\n",
                       argv[i], CARDS, OPEN_MAX, RATES_MAX);
                return NOVA_EXIT_FINAL;
        }
        for (unsigned i = 0; i < card_count; i++)
                check(card_open(&cards[i]), cards[i].service);
        check(make_wake(), "switch");
        check(net_service_start(&service), "switch");
        check(pace_start(), "switch");
        for (unsigned i = 0; i < card_count; i++)
                check(card_start(&cards[i]), cards[i].service);
        nova_service_sleep();
}
