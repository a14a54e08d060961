/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides which ports get a frame.
 *
 * A client has one address, which no other port may use as a source: neither another client, nor a
 * machine behind a card. Only the sources of open ports are learned. A learned address replaces
 * another one with the same place in the table, so a flood of sources costs others no more than
 * frames that go to all open ports. */
#include "table.h"

#include <string.h>

#define GROUP 1 /* bit of the first byte: the address of several machines */

static bool same(const uint8_t *one, const uint8_t *other)
{
        return memcmp(one, other, NOVA_NET_ADDRESS) == 0;
}

static struct table_entry *place_of(struct table *table, const uint8_t *address)
{
        uint32_t hash = 0;

        for (unsigned i = 0; i < NOVA_NET_ADDRESS; i++)
                hash = hash * 31 + address[i];
        return &table->learned[(hash ^ hash >> 8) % TABLE_ADDRESSES];
}

/* Returns the client with an address, or TABLE_PORTS. */
static unsigned find_client(const struct table *table, const uint8_t *address)
{
        unsigned i = 0;

        while (i < TABLE_PORTS && !(table->port[i].used && !table->port[i].open &&
                                    same(table->port[i].address, address)))
                i++;
        return i;
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

        for (unsigned i = 0; i < TABLE_PORTS; i++)
                if (table->port[i].used && (table->port[i].open || !open_only))
                        set |= 1u << i;
        return set;
}

uint32_t table_route(struct table *table, unsigned from, const uint8_t *frame, bool *forged)
{
        const uint8_t *const source = frame + NOVA_NET_ADDRESS;
        const struct table_entry *entry;
        uint32_t to;
        unsigned client;

        *forged = is_forged(table, from, source);
        if (*forged)
                return 0;
        if (table->port[from].open) {
                struct table_entry *const learned = place_of(table, source);

                memcpy(learned->address, source, NOVA_NET_ADDRESS);
                learned->port = (uint8_t)(from + 1);
        }
        client = find_client(table, frame);
        entry = place_of(table, frame);
        if (frame[0] & GROUP)
                to = ports(table, false);
        else if (client != TABLE_PORTS)
                to = 1u << client;
        else if (entry->port && same(entry->address, frame))
                to = 1u << (entry->port - 1u);
        else
                to = ports(table, true);
        return to & ~(1u << from);
}

void table_forget(struct table *table, unsigned port)
{
        for (unsigned i = 0; i < TABLE_ADDRESSES; i++)
                if (table->learned[i].port == port + 1)
                        table->learned[i].port = 0;
}
