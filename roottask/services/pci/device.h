/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of the description that are PCI functions, and the resources that their drivers have.
 * The service's lock protects all of it; before the service starts there is one thread. */
#ifndef NOVART_PCI_DEVICE_H
#define NOVART_PCI_DEVICE_H

#include "novart/parent_pci.h"
#include "novart/service.h"
#include "novart/service/pci_device.h"

#define DEVICES_MAX 32

/* ABSENT: no function matches the device. Otherwise the device goes from FREE to CLAIMED, to
 * STOPPING (the driver has no access any more, and a thread of stop.c resets the function), and
 * back to FREE. */
enum device_state { DEVICE_ABSENT, DEVICE_FREE, DEVICE_CLAIMED, DEVICE_STOPPING };

enum device_interrupts { DEVICE_NO_INTERRUPTS, DEVICE_PIN, DEVICE_MSI, DEVICE_MSIX };

/* An interrupt of a driver. */
struct device_vector {
        unsigned gsi;
        nova_sel_t sel;         /* its semaphore */
        uint32_t address, data; /* the message; 0 for a pin */
};

struct device {
        struct nova_later later; /* the first field; performs the last step of a claim's end */
        struct nova_parent_pci_device says;
        struct nova_pci_function function;
        uint32_t msix_table, msix_pending; /* offset and register number of MSI-X's tables */
        enum device_state state;
        const void *session;           /* state of the driver's session */
        void *memory[NOVA_PCI_BARS];   /* first page of a register's memory in this program; NULL:
                                          none */
        bool has_ports[NOVA_PCI_BARS]; /* this program holds the register's ports */
        bool is_confined;              /* an I/O MMU confines DMA to the driver's memory */
        bool resetting;                /* the driver has asked for a reset */
        bool stopped;                  /* the driver's access has been taken back */
        bool is_loud;                  /* the function may do DMA as soon as it is a bus master */
        bool told_absent, told_few, told_empty;
        uint8_t told_refused; /* bit n: register n has been reported */
        unsigned denials;     /* number of requests by programs that may not have the device */
        enum device_interrupts interrupts;
        unsigned vectors;
        struct device_vector vector[NOVA_PCI_INTERRUPTS_MAX];
};

extern struct device devices[DEVICES_MAX];
extern unsigned device_count;

/* device.c: asks the parent for all devices, and finds their functions in a table, which must stay
 * valid. */
void device_find_all(const struct nova_pci_function *table, unsigned count);
/* Returns true if a function may do DMA and send messages: an I/O MMU confines it, or the
 * description accepts that no I/O MMU does. */
bool device_may_master(const struct device *device);
/* Returns true if a function is a bridge that leads to a bus. Firmware may have left a bridge
 * without buses; its registers are then 0. */
bool device_is_above(const struct nova_pci_function *function, unsigned bus);
/* Lets the bridges above a function forward its DMA and its messages. Firmware may have disabled
 * this in a bridge. */
void device_open_bridges(const struct device *device);
/* Sets and clears bits of the command register. */
void device_command(const struct device *device, uint32_t set, uint32_t clear);
/* Returns the first device for which @p waits is true. The search begins after the last result, so
 * that each device gets a turn. NULL: there is none. */
struct device *device_next(bool (*waits)(const struct device *device));
/* Returns the bus:device.function of the device's function as text, for messages. */
const char *device_address(const struct device *device);

/* claim.c: gives a device to a program. Returns 0 or an errno value, after a message. */
int claim_device(struct nova_request *request, const char *name, struct device **out);
/* Gives the function's DMA to a PD that the driver holds. Returns 0 or an errno value. */
int claim_assign(struct device *device, nova_sel_t pd);
/* Writes the bits of the command register that concern the driver's function alone: bus mastering,
 * the responses to addresses that the function has, and the pin. A driver enables the pin only if
 * it has the pin's interrupt: another driver may have the interrupt of that line. Returns 0, or
 * EPERM for other bits. */
int claim_command(struct device *device, uint32_t value);
/* Takes all access back from a driver. Its function is free after the thread of stop.c has reset
 * it. */
void claim_end(struct nova_service *service, struct device *device);

/* Lets the function respond to its addresses, with the interrupts that the driver has, and without
 * DMA. */
void claim_open(const struct device *device);

/* assign.c: gives addresses to the registers that firmware left empty. Returns 0, or ENXIO after a
 * message. */
int assign_empty(struct device *device);

/* memory.c: maps the memory of base address register n in this program. Returns 0 or an errno
 * value. */
int memory_map(struct device *device, unsigned n);
/* Gets the ports of base address register n. Returns 0 or an errno value. */
int memory_ports(struct device *device, unsigned n);
/* Returns true if a page of a register's memory holds vectors of MSI-X, which only this program may
 * write. */
bool memory_is_withheld(const struct device *device, unsigned bar, size_t page);
/* Returns true if none of these pages is withheld. */
bool memory_is_open(const struct device *device, unsigned bar, size_t page, size_t count);
/* Returns the number of pages of a register's memory, which is mapped. */
size_t memory_pages(const struct device *device, unsigned bar);
/* Takes memory and ports back from the driver. */
void memory_revoke(const struct device *device);

/* interrupt.c: gives a driver up to `wanted` interrupts on a CPU. Returns 0 or an errno value. */
int interrupt_take(struct device *device, unsigned wanted, nova_word_t cpu);
/* Writes the messages into the function again, after a reset. */
void interrupt_program(const struct device *device);
/* Stops the function's messages. */
void interrupt_off(const struct device *device);
/* Takes the semaphores back from the driver; frees the interrupts for others. */
void interrupt_revoke(const struct device *device);
void interrupt_free(struct device *device);

/* reset.c: switches a function off and resets it by a method that it supports, which takes up to a
 * few seconds. If the service runs, the caller holds the lock; the function releases it while it
 * waits. Returns false if the device's function is only switched off. */
bool reset_function(struct nova_service *service, const struct device *device);

/* stop.c: reports to the parent whether a device without a driver is quiet. Until the device is
 * quiet, the parent may keep the memory of the last driver. The caller holds the lock, so that no
 * driver gets the device meanwhile. */
void stop_report(const struct device *device);
/* Starts the thread that stops functions. Returns 0 or an errno value. */
int stop_start(struct nova_service *service);
/* Makes the thread check for work. */
void stop_wake(void);

#endif
