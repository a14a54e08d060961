/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of the program that holds the configuration space of PCI (`devices pci-config`). The
 * service pci asks its parent for the owner of each function, and for the resources that it passes
 * on to the drivers. The parent refuses these requests to all other programs. */
#ifndef NOVART_PARENT_PCI_H
#define NOVART_PARENT_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/hypercall.h"
#include "novart/parent.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kinds of requests, word 1 of NOVA_PARENT_PCI. The comments list the words from word 2 on. */
enum nova_parent_pci_kind {
        NOVA_PARENT_PCI_DEVICE = 1, /**< number; answer: struct nova_parent_pci_device */
        NOVA_PARENT_PCI_MEMORY, /**< page, address low, high, bytes low, high; answer: pages given;
                                   items: the requested page and the pages after it */
        NOVA_PARENT_PCI_PORTS, /**< 0, first, 0, number, 0; items: ports; they keep their numbers */
        NOVA_PARENT_PCI_GSI,   /**< 0, number; item: its semaphore */
        NOVA_PARENT_PCI_QUIET, /**< number of a device; 1: quiet, 0: cannot be reset */
        NOVA_PARENT_PCI_WATCH, /**< item: a semaphore that gets an up when a driver ends */
        NOVA_PARENT_PCI_OBSTACLE, /**< kind MEMORY or PORTS, first low, high, number low, high;
                                     answer: 1 if there is an obstacle or 0, its first byte or port
                                     low, high */
};

/** Flags of a device. */
#define NOVA_PARENT_PCI_ID          0x1 /**< vendor and device are set */
#define NOVA_PARENT_PCI_AT          0x2 /**< `at` is set */
#define NOVA_PARENT_PCI_UNPROTECTED 0x4 /**< may reach all memory if there is no I/O MMU */

/** A device of the description that is a PCI function. */
struct nova_parent_pci_device {
        char name[NOVA_PARENT_NAME];  /**< the device's name; ends with a 0 */
        char program[NOVA_NAME_SIZE]; /**< first characters of the name of the program that has the
                                       * device; a service recognises the program by them. All 0: no
                                       * program has it */
        uint32_t class_code, class_mask; /**< class, and its bits that must match; mask 0: any */
        uint16_t vendor, device;         /**< numbers that must match, with NOVA_PARENT_PCI_ID */
        uint16_t at;    /**< bus << 8 | device << 3 | function, with NOVA_PARENT_PCI_AT */
        uint16_t flags; /**< NOVA_PARENT_PCI_… */
};

/**
 * Describes a device of the description that is a PCI function.
 *
 * @code
 * struct nova_parent_pci_device device;
 *
 * for (unsigned i = 0; nova_parent_pci_describe(i, &device) == 0; i++)
 *         printf("%s: %s\n", device.name, device.program[0] ? "taken" : "free");
 * @endcode
 * @param number      index in the order of the description; the first is 0
 * @param[out] device the device
 * @retval 0      done
 * @retval ENOENT there is no such number
 * @retval EACCES the program does not hold the configuration space
 */
int nova_parent_pci_describe(unsigned number, struct nova_parent_pci_device *device);

/**
 * Maps memory of a PCI function, readable and writable.
 *
 * @param address      physical address, of a whole page
 * @param bytes        size in bytes, of whole pages
 * @param[out] memory  its address in this program; nova_region_free() unmaps it
 * @retval 0      done
 * @retval EACCES the range overlaps RAM, a range of the machine's memory map, or a range of another
 *                device of the description; or the program does not hold the configuration space
 * @retval ENOMEM no addresses or no kernel memory
 */
int nova_parent_pci_memory(uint64_t address, size_t bytes, void **memory);

/**
 * Asks whether anything that the parent knows uses a range of addresses or ports. Maps nothing.
 *
 * @param kind       NOVA_PARENT_PCI_MEMORY or NOVA_PARENT_PCI_PORTS
 * @param first      physical address or number of the first port
 * @param count      number of bytes or ports
 * @param[out] begin with EACCES: first address or port of the obstacle; may be below @p first
 * @retval 0      nothing of which the parent knows lies there
 * @retval EACCES as nova_parent_pci_memory() or nova_parent_pci_ports()
 * @retval EINVAL @p count is 0, or the range ends beyond the last address or port
 */
int nova_parent_pci_obstacle(enum nova_parent_pci_kind kind, uint64_t first, uint64_t count,
                             uint64_t *begin);

/**
 * Gets ports of a PCI function.
 *
 * @param first number of the first port
 * @param count number of ports
 * @retval 0      the program may use them
 * @retval EACCES they belong to the machine or to another device of the description, or the program
 *                does not hold the configuration space
 * @retval ENOMEM no kernel memory
 */
int nova_parent_pci_ports(uint16_t first, unsigned count);

/**
 * Gets the semaphore of an interrupt by its number.
 *
 * @param gsi number of the global system interrupt
 * @param sel free selector for the semaphore
 * @retval 0      the semaphore has arrived
 * @retval EACCES another device of the description has this interrupt, or the program does not hold
 *                the configuration space
 * @retval EINVAL there is no such number
 * @retval ENOMEM no kernel memory
 */
int nova_parent_pci_gsi(unsigned gsi, nova_sel_t sel);

/**
 * Reports whether a device without a driver is quiet, that is, accesses no memory any more. If
 * there is no I/O MMU, the parent does not reuse the memory of a driver that has ended until all
 * devices of the driver are quiet.
 *
 * @param number as for nova_parent_pci_describe()
 * @param quiet  false: the function is switched off but cannot be reset, so it may still access
 *               memory
 * @retval 0      done
 * @retval ENOENT there is no such number
 * @retval EACCES the program does not hold the configuration space
 */
int nova_parent_pci_quiet(unsigned number, bool quiet);

/**
 * Asks the parent to do an up on a semaphore when a driver that may have done DMA ends.
 *
 * @param sel a semaphore; the parent gets the permission UP
 * @return 0, EACCES or ENOMEM
 */
int nova_parent_pci_watch(nova_sel_t sel);

#ifdef __cplusplus
}
#endif

#endif
