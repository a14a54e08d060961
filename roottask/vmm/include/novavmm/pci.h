/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI host bridge with the devices of bus 0, reached through ports 0xcf8 and 0xcfc. */
#ifndef NOVAVMM_PCI_H
#define NOVAVMM_PCI_H

#include <stdbool.h>

#include "novavmm/bus.h"
#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Number of devices on a bus; device 0 is the bridge itself. */
#define NOVA_VPCI_DEVICES 32

/** Number of registers in a device's configuration space, four bytes each. */
#define NOVA_VPCI_REGISTERS 64

/** Registers that all devices have. */
enum {
        NOVA_VPCI_COMMAND = 1,       /**< command; status in the upper half */
        NOVA_VPCI_BAR = 4,           /**< base address of registers in memory (BAR 0) */
        NOVA_VPCI_PORT_BAR = 5,      /**< first port of registers at ports (BAR 1) */
        NOVA_VPCI_SUBSYSTEM = 11,    /**< subsystem: a second identification */
        NOVA_VPCI_CAPABILITIES = 13, /**< start of the list of capabilities */
        NOVA_VPCI_INTERRUPT = 15     /**< interrupt line and pin */
};

/** A device: its configuration space, and the bits of it that the guest may change. */
struct nova_vpci_device {
        uint32_t config[NOVA_VPCI_REGISTERS];   /**< its registers */
        uint32_t writable[NOVA_VPCI_REGISTERS]; /**< bits of each that the guest may write */
        /** Called after a register was written; may be NULL. */
        void (*changed)(void *context, unsigned reg);
        /** Called to update a register before it is read; may be NULL. */
        void (*refresh)(void *context, unsigned reg);
        void *context; /**< context of these functions */
        /** Size of the registers in memory at BAR 0: a power of two, 16 or more; 0: none. */
        uint32_t memory_bytes;
        nova_bus_read *memory_read;   /**< reads these registers; the address is an offset */
        nova_bus_write *memory_write; /**< writes these registers; the address is an offset */
        /** For a device that has memory at other BARs than BAR 0: returns true if all bytes of an
         * access are in its memory. The functions above then get the guest-physical address. NULL:
         * the memory is at BAR 0 */
        bool (*decodes)(const void *context, uint64_t address, unsigned bytes);
        /** Number of ports at BAR 1: a power of two, 4 to 256; 0: none. */
        uint32_t ports;
        nova_bus_read *port_read;   /**< reads the ports; the address is an offset */
        nova_bus_write *port_write; /**< writes the ports; the address is an offset */
};

/** The bridge and the devices on its bus. */
struct nova_vpci {
        uint32_t address; /**< value of port 0xcf8 */
        struct nova_vpci_device bridge;
        struct nova_vpci_device *device[NOVA_VPCI_DEVICES];
};

/** Initialises a bus with only the bridge. */
void nova_vpci_init(struct nova_vpci *pci);

/**
 * Puts a device on the bus.
 *
 * @code
 * extern struct nova_pc pc;
 * static struct nova_vpci_device sensor; // a system peripheral of a vendor's own
 *
 * nova_vpci_identify(&sensor, 0x1234, 0x5678, 0x088000);
 * if (nova_vpci_add(&pc.pci, 9, &sensor))
 *         puts("number 9 is taken");
 * @endcode
 * @retval 0      done
 * @retval EINVAL the number is out of range
 * @retval EBUSY  the number is taken
 */
int nova_vpci_add(struct nova_vpci *pci, unsigned number, struct nova_vpci_device *device);

/** Fills in a device's identification: @p vendor, @p product, and @p class_code, which is class,
 *  subclass and interface in 24 bits. */
void nova_vpci_identify(struct nova_vpci_device *device, uint16_t vendor, uint16_t product,
                        uint32_t class_code);

/** Gives a device registers in memory by filling in its BAR 0. The caller sets @c memory_read and
 * @c memory_write.
 *  @param address initial address of the registers
 *  @param bytes   a power of two, 16 or more */
void nova_vpci_set_memory(struct nova_vpci_device *device, uint32_t address, uint32_t bytes);

/** Reads @p bytes (1, 2, 4 or 8) at the guest-physical @p address, where devices may have
 * registers. The function suits struct nova_bus_range; @p context is the struct nova_vpci. @return
 * the device's value */
uint64_t nova_vpci_memory_read(void *context, uint64_t address, unsigned bytes);
/** Writes @p bytes of @p value at @p address; @p context as for nova_vpci_memory_read(). */
void nova_vpci_memory_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

/** Returns the device to which an access to @p bytes at the guest-physical @p address goes; NULL:
 * there is none. */
struct nova_vpci_device *nova_vpci_memory_device(const struct nova_vpci *pci, uint64_t address,
                                                 unsigned bytes);

/** Gives a device registers at ports by filling in its BAR 1. The caller sets @c port_read and
 * @c port_write; NULL: reads return all ones, and writes have no effect. An access to a port costs
 * a guest less than one to memory, because no instruction is decoded.
 *  @param port  initial number of the first port
 *  @param ports a power of two, 4 to 256 */
void nova_vpci_set_ports(struct nova_vpci_device *device, uint32_t port, uint32_t ports);

/** Reads @p bytes (1, 2 or 4) at @p port, where devices may have registers. The function suits
 * struct nova_bus_range; @p context is the struct nova_vpci. @return the device's value */
uint64_t nova_vpci_port_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_vpci_port_read(). */
void nova_vpci_port_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, 0xcf8 to 0xcff. The function suits struct
 *  nova_bus_range; @p context is the struct nova_vpci. @return the device's value */
uint64_t nova_vpci_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_vpci_read(). */
void nova_vpci_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
