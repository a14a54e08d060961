/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `e1000e`: a driver for Intel's 82574 network cards. Arguments: the name of the device
 * in the description (default: `card`), and the name of the service.
 *
 * One client has the card. The card reads frames to send from the client's pool, and writes
 * received frames into the pool. A card without a link would keep frames until it has a link, so
 * the driver drops them. */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "net/server.h"
#include "ring/dma.h"
#include "ring/driver.h"

#define TIMEOUT_NS 10000000000

static struct e1000e controller;
static struct net_port *user; /* the client whose frames the card has */
static uint32_t oldest; /* stamp of the oldest frame to send, which the watchdog reads without the
                         * lock; 0: there is none */

static void set_oldest(void)
{
        __atomic_store_n(&oldest, e1000e_queue_stamp(&controller.transmit), __ATOMIC_RELAXED);
}

static uint64_t address_of(const struct nova_net_entry *entry)
{
        return user->share.pool.device + entry->offset;
}

static bool take_buffers(struct net_port *port)
{
        struct nova_net_entry entry;
        bool any = false;

        for (unsigned n = 0; n < NOVA_NET_ENTRIES && !e1000e_queue_is_full(&controller.receive);
             n++) {
                const int error = net_take_receive(port, &entry);

                if (error == EAGAIN)
                        break;
                if (!error)
                        e1000e_queue_add_buffer(&controller.receive, address_of(&entry), entry.tag);
                any = true;
        }
        return any;
}

static bool take_frames(struct net_port *port)
{
        const bool link = e1000e_has_link(&controller);
        struct nova_net_entry entry;
        bool any = false;

        for (unsigned n = 0; n < NET_TURN && !e1000e_queue_is_full(&controller.transmit); n++) {
                const int error = net_take_transmit(port, &entry);

                if (error == EAGAIN)
                        break;
                if (!error && link)
                        e1000e_queue_add_frame(&controller.transmit, address_of(&entry),
                                               entry.bytes, entry.tag, watchdog_stamp());
                else if (!error)
                        net_complete_transmit(port, entry.tag, ENETDOWN);
                any = true;
        }
        set_oldest();
        return any;
}

/* Gives the card buffers and frames. */
static bool serve(struct net_port *port)
{
        bool any;

        user = port;
        any = take_buffers(port);
        if (port->attached && ring_pending(&port->transmit))
                any |= take_frames(port);
        return any;
}

static bool pending(const struct net_port *port)
{
        return (!e1000e_queue_is_full(&controller.receive) && ring_pending(&port->receive)) ||
               (!e1000e_queue_is_full(&controller.transmit) && ring_pending(&port->transmit));
}

static unsigned buffers(void)
{
        return controller.receive.added - controller.receive.taken;
}

static void kick(void)
{
        e1000e_publish(&controller);
}

static void restart(void)
{
        set_oldest();
        if (!e1000e_reset(&controller))
                driver_fail("the card cannot be reset.");
        e1000e_start(&controller);
}

/* Completes all requests that the card has finished. The card may report any size. */
static void drain(void)
{
        struct e1000e_end end;

        while (e1000e_queue_take(&controller.transmit, &end))
                net_complete_transmit(user, end.tag, 0);
        set_oldest();
        while (e1000e_queue_take(&controller.receive, &end)) {
                if (end.bytes < NOVA_NET_FRAME_MIN || end.bytes > NOVA_NET_FRAME_MAX) {
                        user->counts.dropped++;
                        end.bytes = 0;
                }
                net_complete_receive(user, end.tag, end.bytes, 0);
        }
}

/* Drops the frames that a card without a link keeps. */
static void drop_frames(void)
{
        uint32_t tag;

        if (!e1000e_queue_stamp(&controller.transmit) || e1000e_has_link(&controller))
                return;
        while (e1000e_queue_cancel(&controller.transmit, &tag))
                net_complete_transmit(user, tag, ENETDOWN);
        restart();
}

static void handle_interrupt(void)
{
        e1000e_acknowledge(&controller);
        drain();
        drop_frames();
        net_serve();
}

/* Resets the card, which would otherwise keep the client's empty buffers until frames arrive. */
static void detach(struct net_port *port)
{
        (void)port;
        user = NULL;
        e1000e_queue_init(&controller.receive);
        e1000e_queue_init(&controller.transmit);
        restart();
}

static void describe(const struct net_port *port, struct nova_net_info *info)
{
        (void)port;
        memcpy(info->address, controller.address, NOVA_NET_ADDRESS);
        if (e1000e_has_link(&controller))
                info->flags |= NOVA_NET_LINK;
}

/* The watchdog calls this without the lock. The oldest frame may be sent meanwhile, so the stamp is
 * read once. */
static bool find_oldest(uint32_t *age)
{
        const uint32_t stamp = __atomic_load_n(&oldest, __ATOMIC_RELAXED);

        *age = stamp ? watchdog_age(stamp) : 0;
        return stamp;
}

int main(int argc, char **argv)
{
        static struct net_service card = {
                .name = "e1000e",
                .ports = 1,
                .frame_max = NOVA_NET_FRAME_MAX,
                .buffer_min = E1000E_BUFFER_BYTES,
                .watch = {TIMEOUT_NS, find_oldest},
                .source = {dma_alloc, dma_release},
                .describe = describe,
                .serve = serve,
                .pending = pending,
                .buffers = buffers,
                .kick = kick,
                .detach = detach,
        };
        const char *wrong;

        if (argc > 2)
                card.name = argv[2];
        wrong = e1000e_open(&controller, argc > 1 ? argv[1] : "card");
        if (wrong)
                driver_fail(wrong);
        if (!net_address_is_valid(controller.address))
                driver_refuse(NET_NO_ADDRESS);
        dma_use(controller.pci);
        e1000e_start(&controller);
        driver_run(net_service_start(&card), controller.interrupt, handle_interrupt);
}
