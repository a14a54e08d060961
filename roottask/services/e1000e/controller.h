/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of an 82574 with one queue for each direction. */
#ifndef NOVART_E1000E_CONTROLLER_H
#define NOVART_E1000E_CONTROLLER_H

#include "novart/service/net.h"
#include "novart/service/pci_device.h"
#include "queue.h"

struct e1000e {
        struct nova_pci_device *pci;
        volatile uint8_t *registers;
        nova_sel_t interrupt;
        bool msix;                                /* the interrupt is a message of MSI-X */
        uint8_t address[NOVA_NET_ADDRESS];        /* the card's own; zeros if it has none */
        uint64_t receive_device, transmit_device; /* addresses of the queues for the card */
        uint32_t receive_tail, transmit_tail;     /* last values that the card got */
        struct e1000e_queue receive, transmit;
};

/* Claims a card, and resets it. @return NULL, or a sentence about an error */
const char *e1000e_open(struct e1000e *card, const char *name);

/* Resets the card: it ends all accesses to memory, and loses its queues.
 * @return false: the reset does not end */
bool e1000e_reset(struct e1000e *card);

/* Gives the queues to a card that was reset, and starts the card. */
void e1000e_start(struct e1000e *card);

/* Notifies the card of the requests that were added. */
void e1000e_publish(struct e1000e *card);

/* Clears the causes of an interrupt. Called before the queues are read. */
void e1000e_acknowledge(struct e1000e *card);

/* Returns true if the cable has a link. */
bool e1000e_has_link(const struct e1000e *card);

#endif
