/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's network card. Behind it is a session of a service for frames (novart/service/net.h): a
 * port of `switch`, or a driver, which gives the guest a whole card. The session outlives the
 * machine: a guest that restarts has the same address. */
#ifndef NOVAVMM_GUEST_NET_H
#define NOVAVMM_GUEST_NET_H

#include "novart/service/net.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_net.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A network card. */
struct nova_guest_net {
        struct nova_virtio_net device;      /**< the guest's device */
        struct nova_virtio_net_cable cable; /**< connects it with the service */
        struct nova_net *net;               /**< session of the service */
        struct nova_thread *thread;         /**< waits for frames */
        struct nova_mutex lock;             /**< protects `vm`; taken before the machine's lock */
        struct nova_vm *vm;                 /**< machine that has the card, or NULL */
        struct nova_net_info info;          /**< properties of the session, when it was last opened;
                                                 changes with both locks held */

        /* Private to the library; changes with the machine locked, or without a machine. */
        bool down;    /**< the service has ended and is not available again yet */
        bool blocked; /**< frames of the guest wait for a free buffer of the session */
        bool drops;   /**< the frame that the guest is sending goes to `dropped` */
        bool holds;   /**< `held` waits for a buffer of the guest */
        bool woken;   /**< the service has woken the thread; only the thread uses this field */
        bool got;     /**< frames have come since then; only the thread uses this field */
        struct nova_net_frame held;          /**< the frame that waits */
        struct nova_semaphore room;          /**< the guest may have buffers again */
        uint8_t dropped[NOVA_NET_FRAME_MAX]; /**< frames go here while the service is down */
        uint64_t lost;                       /**< number of the guest's frames that were lost */
};

/**
 * Opens a guest's session of a service for frames.
 * @code
 * extern struct nova_pc pc;
 * static struct nova_guest_net card;
 *
 * if (nova_guest_net_open(&card, "switch", NULL) == 0)
 *         nova_guest_net_attach(&card, &pc, 4);
 * @endcode
 * @param card      filled with zero
 * @param service   `switch`, or the driver for a card
 * @param arguments as for nova_net_open()
 * @retval EAGAIN no more threads
 * @retval …      as nova_net_open()
 */
int nova_guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments);

/**
 * Puts a card into a slot of a board. Call it after nova_pc_create() and before nova_vm_run(). The
 * guest's card has the address of the session.
 *
 * If the service ends, the guest's frames are lost until it is available again. They are lost for
 * ever if init does not start the service again, or if the service refuses the monitor.
 * @return as nova_pc_add_virtio()
 */
int nova_guest_net_attach(struct nova_guest_net *card, struct nova_pc *pc, unsigned slot);

/** Takes a card from its board. Call it after the machine's end and before nova_vm_destroy(). */
void nova_guest_net_detach(struct nova_guest_net *card);

#ifdef __cplusplus
}
#endif

#endif
