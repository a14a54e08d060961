/* SPDX-License-Identifier: BSD-2-Clause */
/* The part that network services share: sessions with rings and pools. A service provides
 * functions that move frames. They are called with the service's lock. */
#ifndef NOVART_NET_SERVER_H
#define NOVART_NET_SERVER_H

#include "entry.h"
#include "novart/service/net.h"
#include "ring/serve.h"
#include "ring/share.h"

/* Maximum number of sessions with rings. */
#define NET_PORTS 32

/* Maximum number of frames that a port sends in its turn. */
#define NET_TURN 16

/* A session. */
struct net_port {
        struct share share; /* the first member */
        struct ring transmit, receive;
        struct nova_net_counts counts;
        unsigned index; /* index in net_ports, while it has rings */
        bool attached;  /* the client has rings, and has followed the rules */
        bool changed;   /* completions since the client was notified */
        void *owner;    /* private to the service; initially NULL */
};

/* The ports with rings. */
extern struct net_port *net_ports[NET_PORTS];
extern unsigned net_port_count;

/* A service. */
struct net_service {
        const char *name;
        unsigned ports;      /* maximum number of sessions with rings, at most NET_PORTS */
        uint32_t frame_max;  /* maximum number of bytes of a frame */
        bool sums;           /* NOVA_NET_SUMS */
        uint32_t buffer_min; /* least number of bytes of an empty buffer; 0: NOVA_NET_FRAME_MAX */
        struct watch watch;  /* time until the device counts as stuck, and its oldest request */
        struct share_source source; /* memory for the pools */
        /* Opens a session; may set the owner. NULL: sessions have no arguments. @return 0 or an
         * errno value */
        int (*open)(struct net_port *port, const char *client, const char *arguments);
        /* Sets address and flags. */
        void (*describe)(const struct net_port *port, struct nova_net_info *info);
        /* Takes empty buffers of a port and up to NET_TURN frames. @return true if more of them may
         * be left */
        bool (*serve)(struct net_port *port);
        /* Returns true if serve() would take something. */
        bool (*pending)(const struct net_port *port);
        /* Returns the number of empty buffers that the device has. If the number is low, the
         * doorbell wakes the service for released buffers. NULL: the service takes a buffer for
         * each frame. */
        unsigned (*buffers)(void);
        /* Called after one or more calls of serve(), once `service_waits` shows the clients that
         * the doorbell needs an up. May be NULL. */
        void (*kick)(void);
        /* The port loses its rings. Afterwards the service and its device use neither rings nor
         * pool. May be NULL. */
        void (*detach)(struct net_port *port);
        void (*close)(struct net_port *port); /* the session ends; may be NULL */
};

/* Starts the service. The description must stay valid.
 * @return 0 or an errno value */
int net_service_start(const struct net_service *of);

/* Takes a request of one of the port's rings.
 * @return 0; EAGAIN: there is none, or the port has lost its rings; EINVAL: the request was
 * malformed and has been completed */
int net_take_transmit(struct net_port *port, struct nova_net_entry *entry);
int net_take_receive(struct net_port *port, struct nova_net_entry *entry);

/* Completes a request that was taken. The caller calls net_serve() before it releases the lock. */
void net_complete_transmit(struct net_port *port, uint32_t tag, int error);

/* Completes a request for a received frame.
 * @param bytes number of bytes of the frame; 0: the client gets the buffer back without a frame
 * @param sum   word that describes the frame's checksum, of a kind that the request accepts */
void net_complete_receive(struct net_port *port, uint32_t tag, uint32_t bytes, uint32_t sum);

/* Serves all ports that wait, and notifies clients of completions. The caller has the lock. */
void net_serve(void);

#endif
