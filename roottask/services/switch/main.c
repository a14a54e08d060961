/* SPDX-License-Identifier: BSD-2-Clause */
/* The program switch: passes frames between its clients, and between them and cards. Arguments:
 * `card=SERVICE` for each card, and `open=CLIENT` for each client that has several addresses.
 *
 * A client's address is made from its name, and from the first card's address, so that it stays the
 * same when the client or the machine starts again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "net/server.h"
#include "novart/program.h"
#include "table.h"

#define HEADER      14 /* bytes of a frame that are copied before they are looked at */
#define LOCAL       2  /* bit of the first byte of an address: not given by a manufacturer */
#define OPEN_MAX    8  /* number of clients with several addresses */
#define CLIENT_NAME 8  /* significant characters of a client's name */

/* A client with a port. */
struct client {
        struct net_port *port;
        unsigned index;             /* in the table */
        struct nova_net_entry held; /* a frame that waits for a card */
        bool holds;
};

static struct table table;
static struct card cards[CARDS];
static unsigned card_count;
static struct client clients[TABLE_PORTS]; /* by index in the table */
static const char *open_names[OPEN_MAX];
static unsigned open_count;

/* Copies a frame to a client, or drops it if the client has offered no buffer. */
static void deliver(struct client *client, const uint8_t *header, const uint8_t *rest,
                    uint32_t bytes)
{
        struct net_port *port = client->port;
        struct nova_net_entry entry;
        int error = EINVAL;

        for (unsigned n = 0; n < NET_TURN && error == EINVAL; n++)
                error = net_take_receive(port, &entry);
        if (error) {
                port->counts.dropped++;
                return;
        }
        memcpy(port->share.pool.memory + entry.offset, header, HEADER);
        memcpy(port->share.pool.memory + entry.offset + HEADER, rest, bytes - HEADER);
        net_complete_receive(port, entry.tag, bytes);
}

static void deliver_to_clients(uint32_t to, const uint8_t *header, const uint8_t *rest,
                               uint32_t bytes)
{
        for (unsigned i = card_count; i < TABLE_PORTS; i++)
                if (to & 1u << i && clients[i].port->attached)
                        deliver(&clients[i], header, rest, bytes);
}

/* Sends a frame of a client to cards. The client may change it meanwhile, but not its header.
 * @return false if the first card is full, and nothing was sent */
static bool send_to_cards(uint32_t to, const uint8_t *header, const uint8_t *rest, uint32_t bytes)
{
        uint8_t frame[NOVA_NET_FRAME_MAX];
        bool first = true;

        memcpy(frame, header, HEADER);
        memcpy(frame + HEADER, rest, bytes - HEADER);
        for (unsigned i = 0; i < card_count; i++) {
                if (!(to & 1u << i))
                        continue;
                if (!card_send(&cards[i], frame, bytes) && first)
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
        const uint8_t *const data =
                (const uint8_t *)client->port->share.pool.memory + entry->offset;
        const uint8_t *const rest = data + HEADER;
        const uint32_t all_cards = (1u << card_count) - 1;
        uint8_t header[HEADER];
        uint32_t to;
        bool forged;

        memcpy(header, data, HEADER);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        to = table_route(&table, client->index, header, &forged);
        if (to & all_cards && !send_to_cards(to, header, rest, entry->bytes))
                return false;
        deliver_to_clients(to, header, rest, entry->bytes);
        net_complete_transmit(client->port, entry->tag, forged ? EPERM : 0);
        client->holds = false;
        return true;
}

static bool serve(struct net_port *port)
{
        struct client *client = port->owner;
        bool any = false;

        for (unsigned n = 0; n < NET_TURN; n++) {
                int error = 0;

                if (!client->holds)
                        error = net_take_transmit(port, &client->held);
                if (error == EAGAIN)
                        break;
                client->holds = !error;
                if (client->holds && !pass_on(client))
                        break;
                any = true;
        }
        return any;
}

static bool pending(const struct net_port *port)
{
        const struct client *client = port->owner;
        bool full = false;

        for (unsigned i = 0; i < card_count; i++)
                full |= cards[i].full;
        return client->holds ? !full : ring_pending(&port->transmit);
}

static void kick(void)
{
        for (unsigned i = 0; i < card_count; i++)
                card_flush(&cards[i]);
}

/* Passes on a frame of a card. */
static void receive(struct card *card, const uint8_t *frame, uint32_t bytes)
{
        bool forged;
        const uint32_t to = table_route(&table, card->port, frame, &forged);

        for (unsigned i = 0; i < card_count; i++)
                if (to & 1u << i)
                        card_send(&cards[i], frame, bytes);
        deliver_to_clients(to, frame, frame + HEADER, bytes);
}

static bool is_open(const char *name)
{
        for (unsigned i = 0; i < open_count; i++)
                if (strncmp(open_names[i], name, CLIENT_NAME) == 0)
                        return true;
        return false;
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

/* A client has one port. A session of its last life may still have it. */
static int open_port(struct net_port *port, const char *name, const char *arguments)
{
        struct table_port new = {.used = true, .open = is_open(name)};
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
        table.port[index] = new;
        clients[index] = (struct client){.port = port, .index = index};
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

        table_forget(&table, client->index);
        table.port[client->index].used = false;
}

static void describe(const struct net_port *port, struct nova_net_info *info)
{
        const struct client *client = port->owner;

        memcpy(info->address, table.port[client->index].address, NOVA_NET_ADDRESS);
        info->flags |= NOVA_NET_LINK;
}

/* @return false if the word is no argument */
static bool read_argument(const char *word)
{
        if (strncmp(word, "card=", 5) == 0 && card_count < CARDS) {
                cards[card_count].service = word + 5;
                cards[card_count].port = card_count;
                cards[card_count].receive = receive;
                table.port[card_count] = (struct table_port){.used = true, .open = true};
                card_count++;
                return true;
        }
        if (strncmp(word, "open=", 5) == 0 && open_count < OPEN_MAX) {
                open_names[open_count++] = word + 5;
                return true;
        }
        return false;
}

static void check(int error, const char *what)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

int main(int argc, char **argv)
{
        static const struct net_service service = {
                .name = "switch",
                .ports = NET_PORTS,
                .frame_max = NOVA_NET_FRAME_MAX,
                .open = open_port,
                .describe = describe,
                .serve = serve,
                .pending = pending,
                .kick = kick,
                .detach = detach,
                .close = close_port,
        };

        for (int i = 1; i < argc; i++) {
                if (read_argument(argv[i]))
                        continue;
                printf("'%s' is not an argument; write card=SERVICE for up to %u cards, and "
                       "open=CLIENT for up to %u clients.\n",
                       argv[i], CARDS, OPEN_MAX);
                return NOVA_EXIT_FINAL;
        }
        for (unsigned i = 0; i < card_count; i++)
                check(card_open(&cards[i]), cards[i].service);
        check(net_service_start(&service), "switch");
        for (unsigned i = 0; i < card_count; i++)
                check(card_start(&cards[i]), cards[i].service);
        nova_service_sleep();
}
