/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses that a switch has learned, and the decision about each frame. */
#ifndef NOVART_SWITCH_TABLE_H
#define NOVART_SWITCH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "novart/service/net.h"

#define TABLE_PORTS     32  /* maximum number of ports, including those of cards */
#define TABLE_ADDRESSES 256 /* maximum number of learned addresses, a power of two */

/* A port. */
struct table_port {
        uint8_t address[NOVA_NET_ADDRESS]; /* a client's; not used if open */
        bool used;
        bool open; /* frames from any source may arrive here, and their sources are learned: a
                    * card, or a client with several addresses */
};

/* A learned address. */
struct table_entry {
        uint8_t address[NOVA_NET_ADDRESS];
        uint8_t port; /* index + 1; 0: none */
};

struct table {
        struct table_port port[TABLE_PORTS];
        uint64_t client[TABLE_PORTS]; /* the address of a client as a number; 0: no client */
        unsigned end;                 /* no port from this index on is used */
        struct table_entry learned[TABLE_ADDRESSES];
};

/* Begins to use a port. */
void table_add(struct table *table, unsigned index, const struct table_port *port);

/* Decides which ports get a frame from a port, and learns its source.
 * @param frame  its first bytes: destination and source
 * @param forged receives true if the source belongs to another port
 * @return a bit for each port that gets the frame; 0 if the source is forged */
uint32_t table_route(struct table *table, unsigned from, const uint8_t *frame, bool *forged);

/* Ends the use of a port, and forgets its addresses. */
void table_remove(struct table *table, unsigned index);

#endif
