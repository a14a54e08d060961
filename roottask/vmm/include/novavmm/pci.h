/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI host bridge with the devices of bus 0, reached through ports 0xcf8 and 0xcfc. */
#ifndef NOVAVMM_PCI_H
#define NOVAVMM_PCI_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Devices of a bus; number 0 is the bridge itself. */
#define NOVA_PCI_DEVICES 32

/** Registers of a device's configuration space, four bytes each. */
#define NOVA_PCI_REGISTERS 64

/** A device: its configuration space, and what of it the guest may change. */
struct nova_pci_device {
        uint32_t config[NOVA_PCI_REGISTERS];   /**< its registers */
        uint32_t writable[NOVA_PCI_REGISTERS]; /**< bits of each that the guest may write */
        /** Told of each register that was written; may be NULL. */
        void (*changed)(void *context, unsigned reg);
        void *context; /**< handed to it */
};

/** The bridge. */
struct nova_pci {
        uint32_t address; /**< what port 0xcf8 holds */
        struct nova_pci_device bridge;
        struct nova_pci_device *device[NOVA_PCI_DEVICES];
};

/** A bus with nothing but the bridge. */
void nova_pci_init(struct nova_pci *pci);

/** Put a device on the bus. @retval 0 done @retval EINVAL there is no such number
 *  @retval EBUSY the number is taken */
int nova_pci_add(struct nova_pci *pci, unsigned number, struct nova_pci_device *device);

/** Fill a device's identification: @p vendor, @p product, and @p class_code, which is class,
 *  subclass and interface in 24 bits. */
void nova_pci_identify(struct nova_pci_device *device, uint16_t vendor, uint16_t product,
                       uint32_t class_code);

/** Read @p bytes (1, 2, 4 or 8) at @p port, 0xcf8 to 0xcff; for struct nova_bus_range,
 *  @p context is the struct nova_pci. @return what the device says */
uint64_t nova_pci_read(void *context, uint64_t port, unsigned bytes);
/** Write @p bytes of @p value at @p port; @p context as for nova_pci_read(). */
void nova_pci_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
