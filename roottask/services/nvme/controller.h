/* SPDX-License-Identifier: BSD-2-Clause */
/* An NVMe controller with one pair of queues for one namespace. */
#ifndef NOVART_NVME_CONTROLLER_H
#define NOVART_NVME_CONTROLLER_H

#include "novart/service/pci_device.h"
#include "queue.h"

struct nvme {
        struct nova_pci_device *pci;
        volatile uint8_t *registers;
        nova_sel_t interrupt;
        unsigned doorbell_step; /* bytes between doorbells */
        struct nvme_queue admin, io;
        char *memory;    /* the queues, and a page for the controller's description */
        uint64_t device; /* address of the memory for the controller */
        /* Properties. */
        uint32_t space; /* number of the namespace */
        uint64_t blocks;
        uint32_t block_bytes, transfer_max; /* bytes of a block; maximum bytes of a command */
        bool cache, discard, read_only;
        uint64_t identity; /* hash of the controller's serial number and model, and of the
                              namespace's number and identifiers */
        bool unsupported;  /* nvme_open() failed because of a property of the namespace */
};

/* Claims a controller, resets it, and creates its queues. @return NULL, or a sentence about an
 * error */
const char *nvme_open(struct nvme *nvme, const char *name);

/* Notifies the controller of commands that were added and of completions that were taken. */
void nvme_ring_commands(struct nvme *nvme);
void nvme_ring_completions(struct nvme *nvme);

/* Resets the controller, and waits for the end of the reset.
 * @return false: the controller still runs after the timeout that it states */
bool nvme_stop(struct nvme *nvme);

#endif
