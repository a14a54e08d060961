/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the table of a switch with frames at any port, while clients come and go. The switch must
 * send a frame for a client to that client only. It must accept a frame with a client's source
 * address from that client only. It must not send a frame back to its own port, or to a port that
 * does not exist. A list of all addresses that were seen bounds the content of the table. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define STEP    4 /* bytes of the input per step */
#define SOURCES 16
#define CARDS   2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct table table;
static uint32_t seen[SOURCES * 2]; /* by address: the ports that have sent frames from it */

/* Makes the address of one of 32 machines, of which the first are the clients. The addresses of the
 * second half have the same places in the table as those of the first half. */
static void make_address(unsigned number, uint8_t *address)
{
        static const uint8_t same_place[2][2] = {{1, 0}, {0, 31}};
        const bool second = number / SOURCES % 2;

        memset(address, 0, NOVA_NET_ADDRESS);
        address[0] = 2;
        address[3] = same_place[second][0];
        address[4] = same_place[second][1];
        address[5] = (uint8_t)(number % SOURCES);
}

static unsigned number_of(const uint8_t *address)
{
        return address[5] + (address[3] ? 0U : SOURCES);
}

static unsigned client_of(const uint8_t *address)
{
        for (unsigned i = 0; i < TABLE_PORTS; i++)
                if (table.port[i].used && !table.port[i].open &&
                    !memcmp(table.port[i].address, address, NOVA_NET_ADDRESS))
                        return i;
        return TABLE_PORTS;
}

static uint32_t ports_of(bool open_only)
{
        uint32_t set = 0;

        for (unsigned i = 0; i < TABLE_PORTS; i++)
                if (table.port[i].used && (table.port[i].open || !open_only))
                        set |= 1u << i;
        return set;
}

static void check_route(unsigned from, const uint8_t *frame, uint32_t to, bool forged)
{
        const uint8_t *source = frame + NOVA_NET_ADDRESS;
        const unsigned owner = client_of(source), receiver = client_of(frame);
        const bool open = table.port[from].open;
        const bool group = source[0] & 1;

        if (forged != (open ? owner != TABLE_PORTS || group : owner != from))
                abort();
        if (to & (1u << from) || to & ~ports_of(false) || (forged && to))
                abort();
        if (forged)
                return;
        if (open)
                seen[number_of(source)] |= 1u << from;
        if (frame[0] & 1) {
                if (to != (ports_of(false) & ~(1u << from)))
                        abort();
        } else if (receiver != TABLE_PORTS) {
                if (to != (1u << receiver & ~(1u << from)))
                        abort();
        } else if (to != (ports_of(true) & ~(1u << from)) && /* all, or a port that used it */
                   (to & (to - 1) || to & ~seen[number_of(frame)])) {
                abort();
        }
}

static void send(const uint8_t *step)
{
        const unsigned from = step[1] % TABLE_PORTS;
        uint8_t frame[14] = {0};
        uint32_t to;
        bool forged = false;

        if (!table.port[from].used)
                return;
        make_address(step[2], frame);
        make_address(step[3], frame + NOVA_NET_ADDRESS);
        frame[0] |= step[2] >> 7;
        frame[NOVA_NET_ADDRESS] |= step[3] >> 7;
        if (!table.port[from].open && !(step[0] & 0x80))
                memcpy(frame + NOVA_NET_ADDRESS, table.port[from].address, NOVA_NET_ADDRESS);
        to = table_route(&table, from, frame, &forged);
        check_route(from, frame, to, forged);
}

/* Lets a client's session begin or end. */
static void change(const uint8_t *step)
{
        const unsigned index = CARDS + step[1] % (TABLE_PORTS - CARDS);
        const struct table_port *port = &table.port[index];
        uint8_t address[NOVA_NET_ADDRESS];

        make_address(step[2] % 8, address);
        if (!port->used && client_of(address) == TABLE_PORTS) {
                struct table_port new = {.used = true, .open = step[3] & 1};

                memcpy(new.address, address, sizeof(address));
                table_add(&table, index, &new);
        } else if (port->used) {
                table_remove(&table, index);
                for (unsigned i = 0; i < SOURCES * 2; i++)
                        seen[i] &= ~(1u << index);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct table_port card = {.used = true, .open = true};

        memset(&table, 0, sizeof(table));
        memset(seen, 0, sizeof(seen));
        for (unsigned i = 0; i < CARDS; i++)
                table_add(&table, i, &card);
        for (; size >= STEP; data += STEP, size -= STEP)
                if (data[0] & 3)
                        send(data);
                else
                        change(data);
        return 0;
}
