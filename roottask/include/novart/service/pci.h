/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `pci`: the functions of the machine's PCI buses. */
#ifndef NOVART_SERVICE_PCI_H
#define NOVART_SERVICE_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "novart/session.h"

/** @defgroup pci Service pci
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | STAT | number, from 0 | struct nova_pci_function | ENOENT: no such number |
 * | READ | address; offset; 1, 2 or 4 bytes | the value | ENOENT, EINVAL, ENOTSUP |
 *
 * Errors of READ: ENOENT no such function; EINVAL the offset is not a multiple of the size or not
 * inside the 4 KiB of configuration space; ENOTSUP the offset is 256 or more and the machine does
 * not map this bus into memory.
 *
 * The service reads the buses when it starts. An address is bus << 8 | device << 3 | function.
 *  @{ */

#define NOVA_PCI_STAT (NOVA_OPERATION_FIRST + 0) /**< describes a function */
#define NOVA_PCI_READ (NOVA_OPERATION_FIRST + 1) /**< reads its configuration space */

#define NOVA_PCI_BARS 6 /**< base address registers of a function */

/* Flags of a base address register. */
#define NOVA_PCI_BAR_PORTS    0x1 /**< ports, else memory */
#define NOVA_PCI_BAR_64       0x2 /**< holds 64-bit addresses; the next register is part of it */
#define NOVA_PCI_BAR_PREFETCH 0x4 /**< prefetchable memory */

/* Layouts of the configuration header. */
#define NOVA_PCI_HEADER_DEVICE  0 /**< a device */
#define NOVA_PCI_HEADER_BRIDGE  1 /**< a bridge to another bus */
#define NOVA_PCI_HEADER_CARDBUS 2 /**< a bridge to a CardBus slot */

#define NOVA_PCI_NO_EXPRESS 0xff /**< the function is not PCI Express */

#ifdef __cplusplus
extern "C" {
#endif

/** A range of memory or ports to which a function responds. */
struct nova_pci_bar {
        uint64_t base;  /**< first address or port; 0: firmware has assigned none */
        uint64_t size;  /**< size in bytes, a power of two; 0: the register does not exist */
        uint32_t flags; /**< NOVA_PCI_BAR_… */
        uint32_t reserved;
};

/** A function of a PCI device. */
struct nova_pci_function {
        uint16_t address;          /**< bus << 8 | device << 3 | function */
        uint16_t vendor;           /**< number of the vendor */
        uint16_t device;           /**< the vendor's number of the device */
        uint16_t subsystem_vendor; /**< vendor of the board; 0: unknown */
        uint16_t subsystem;        /**< number of the board, from its vendor */
        uint16_t msix_vectors;     /**< interrupts by MSI-X; 0: none */
        uint32_t class_code;       /**< class << 16 | subclass << 8 | programming interface */
        uint8_t revision;          /**< revision of the device */
        uint8_t header;            /**< NOVA_PCI_HEADER_… */
        uint8_t secondary_bus;     /**< bridge: the bus below it */
        uint8_t last_bus;          /**< bridge: the last bus that is reached through it */
        uint8_t interrupt_pin;     /**< 1 to 4: INTA to INTD; 0: none */
        uint8_t interrupt_line;    /**< interrupt line as the firmware recorded it; 0xff: unknown */
        uint8_t express_type;      /**< PCI Express device or port type; NOVA_PCI_NO_EXPRESS */
        uint8_t msi_vectors;       /**< interrupts by MSI; 0: none */
        uint32_t capabilities;     /**< bit n: has the capability with number n, below 32 */
        uint32_t reserved;         /**< 0 */
        struct nova_pci_bar bar[NOVA_PCI_BARS]; /**< base address registers */
};

/**
 * Opens a session.
 *
 * @param[out] pci the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_pci_open(struct nova_session **pci);

/**
 * Describes a function.
 * @code
 * struct nova_session *pci;
 * struct nova_pci_function function;
 *
 * if (nova_pci_open(&pci) == 0)
 *         for (unsigned n = 0; nova_pci_stat(pci, n, &function) == 0; n++)
 *                 printf("%04x:%04x\n", function.vendor, function.device);
 * @endcode
 * @param pci           the session
 * @param number        number of the function in the order of addresses; the first is 0
 * @param[out] function the function
 * @retval 0      done
 * @retval ENOENT there is no such number; other values as for nova_session_call()
 */
int nova_pci_stat(struct nova_session *pci, unsigned number, struct nova_pci_function *function);

/**
 * Reads configuration space.
 * @code
 * extern struct nova_session *pci;
 * uint32_t command;
 *
 * if (nova_pci_read(pci, 0x1f << 3 | 2, 0x04, 2, &command) == 0)
 *         printf("bus master: %s\n", command & 0x4 ? "yes" : "no");
 * @endcode
 * @param pci        the session
 * @param address    bus << 8 | device << 3 | function
 * @param offset     offset in bytes, a multiple of @p bytes, below 4096
 * @param bytes      size of the value: 1, 2 or 4
 * @param[out] value the value
 * @retval 0       done
 * @retval ENOENT  there is no such function
 * @retval EINVAL  @p offset or @p bytes is invalid
 * @retval ENOTSUP @p offset is 256 or more and the machine does not map this bus into memory
 */
int nova_pci_read(struct nova_session *pci, unsigned address, unsigned offset, unsigned bytes,
                  uint32_t *value);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
