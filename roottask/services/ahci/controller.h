/* SPDX-License-Identifier: BSD-2-Clause */
/* An AHCI controller with one disk. */
#ifndef NOVART_AHCI_CONTROLLER_H
#define NOVART_AHCI_CONTROLLER_H

#include "command.h"
#include "novart/service/pci_device.h"

#define AHCI_SLOTS 32 /* maximum number of commands at once */

struct ahci {
        struct nova_pci_device *pci;
        volatile uint8_t *registers;
        nova_sel_t interrupt;
        unsigned port;   /* offset of the port's registers */
        unsigned slots;  /* number of commands at once */
        bool wide;       /* the controller supports 64-bit addresses */
        bool queued;     /* the controller supports the disk's queue */
        char *memory;    /* commands, received FISes, and the disk's description */
        uint64_t device; /* address of `memory` for the controller */
        struct ahci_disk disk;
        bool unsupported; /* ahci_open() failed because of a property of the disk */
};

/* Claims a controller, resets it, and starts the first port with a disk. @return NULL, or a
 * sentence about an error */
const char *ahci_open(struct ahci *ahci, const char *name);

/* Returns true if the controller can access the memory. */
bool ahci_reaches(const struct ahci *ahci, uint64_t address, size_t bytes);

/* Returns the command in a slot. */
struct ahci_table *ahci_table(const struct ahci *ahci, unsigned slot);

/* Fills in the list entry for the command in a slot. The command has @p pieces pieces of memory. */
void ahci_set_slot(const struct ahci *ahci, unsigned slot, unsigned pieces, bool write);

/* Sends the commands in @p slots, which has one bit for each slot. */
void ahci_send(const struct ahci *ahci, uint32_t slots, bool queued);

enum ahci_event { AHCI_GOOD, AHCI_FAILED, AHCI_GONE };

/* Acknowledges an interrupt. Sets @p active to the slots whose commands the disk still has.
 * AHCI_FAILED: a command or the port has failed; AHCI_GONE: there may be another disk now. */
enum ahci_event ahci_acknowledge(const struct ahci *ahci, uint32_t *active);

/* Stops the port, which ends all commands, and starts it again. @return NULL, or a sentence about
 * an error */
const char *ahci_restart(const struct ahci *ahci);

/* Stops the controller. */
void ahci_stop(const struct ahci *ahci);

#endif
