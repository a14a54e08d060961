/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides which ports get a frame.
 *
 * A client has one address, which no other port may use as a source: neither another client, nor a
 * machine behind a card. Only the sources of open ports are learned. A learned address replaces
 * another one with the same place in the table, so the only effect of a flood of sources is
 * that more frames go to all open ports. */
#include "table.h"

#include <string.h>

#define GROUP 1 /* bit of the first byte: the address of several machines */

/* An address as a number. */
static uint64_t number_of(const uint8_t *address)
{
        uint64_t number = 0;

        memcpy(&number, address, NOVA_NET_ADDRESS);
        return number;
}

static bool same(const uint8_t *one, const uint8_t *other)
{
        return number_of(one) == number_of(other);
}

static struct table_entry *place_of(struct table *table, const uint8_t *address)
{
        const uint64_t hash = number_of(address) * 0x9e3779b97f4a7c15; /* 2^64 / golden ratio */

        /* most addresses differ in the last byte, which changes only the upper bits of the hash */
        return &table->learned[(hash >> 56) % TABLE_ADDRESSES];
}

void table_add(struct table *table, unsigned index, const struct table_port *port)
{
        table->port[index] = *port;
        table->client[index] = port->open ? 0 : number_of(port->address);
        if (index >= table->end)
                table->end = index + 1;
}

/* Returns the client with an address, or TABLE_PORTS. */
static unsigned find_client(const struct table *table, const uint8_t *address)
{
        const uint64_t number = number_of(address);

        for (unsigned i = 0; i < table->end && number; i++)
                if (table->client[i] == number)
                        return i;
        return TABLE_PORTS;
}

static bool is_forged(const struct table *table, unsigned from, const uint8_t *source)
{
        if (!table->port[from].open)
                return !same(source, table->port[from].address);
        return source[0] & GROUP || find_client(table, source) != TABLE_PORTS;
}

static uint32_t ports(const struct table *table, bool open_only)
{
        uint32_t set = 0;

        for (unsigned i = 0; i < table->end; i++)
                if (table->port[i].used && (table->port[i].open || !open_only))
                        set |= 1u << i;
        return set;
}

uint32_t table_route(struct table *table, unsigned from, const uint8_t *frame, bool *forged)
{
        const uint8_t *const source = frame + NOVA_NET_ADDRESS;
        unsigned client;
        uint32_t to;

        *forged = is_forged(table, from, source);
        if (*forged)
                return 0;
        if (table->port[from].open) {
                struct table_entry *const learned = place_of(table, source);

                memcpy(learned->address, source, NOVA_NET_ADDRESS);
                learned->port = (uint8_t)(from + 1);
        }
        if (frame[0] & GROUP)
                return ports(table, false) & ~(1u << from);
        client = find_client(table, frame);
        if (client != TABLE_PORTS) {
                to = 1u << client;
        } else {
                const struct table_entry *const entry = place_of(table, frame);
                const bool known = entry->port && same(entry->address, frame);

                to = known ? 1u << (entry->port - 1u) : ports(table, true);
        }
        return to & ~(1u << from);
}

void table_remove(struct table *table, unsigned index)
{
        for (unsigned i = 0; i < TABLE_ADDRESSES; i++)
                if (table->learned[i].port == index + 1)
                        table->learned[i].port = 0;
        table->port[index].used = false;
        table->client[index] = 0;
        while (table->end && !table->port[table->end - 1].used)
                table->end--;
}
