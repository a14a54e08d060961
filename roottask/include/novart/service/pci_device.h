/* SPDX-License-Identifier: BSD-2-Clause */
/* Access of drivers to PCI devices: a driver claims a function that the description gives to it,
 * and gets the function's registers, interrupts and DMA. */
#ifndef NOVART_SERVICE_PCI_DEVICE_H
#define NOVART_SERVICE_PCI_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "nova/abi/types.h"
#include "novart/page.h"
#include "novart/service/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pci_device Drivers for PCI devices
 *
 * A session that is opened with the name of a device claims its function; closing the session
 * releases the function.
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | OWN | – | flags; struct nova_pci_function | EBADF |
 * | MAP | register; page; order | pages to skip; number; item: the pages | EBADF, ENOENT, … |
 * | PORTS | register | first; number; item: ports | EBADF, ENOENT, … |
 * | INTERRUPTS | number; CPU | number | EBADF, EINVAL, EEXIST, ENOSPC, EBUSY |
 * | VECTOR | number | item: its semaphore | EBADF, ENOENT |
 * | WRITE | offset; bytes; value | – | EBADF, EPERM, EBUSY |
 * | RESET | – | – | EBADF |
 * | RESET_DONE | – | – | EBADF, EAGAIN: not yet |
 * | QUIET | – | – | EBADF |
 * | ASSIGN | item: a PD with NOVA_PD_EC | – | EBADF, EINVAL, EPERM, ENOTSUP, EBUSY, ENOMEM |
 *
 * EBADF: the session has no device. MAP gives at most 2^order pages. The pages with vectors of
 * MSI-X stay with the service.
 *
 * When the session or the program ends, the service takes back registers, ports, interrupts and
 * DMA. The service resets the function before another session gets it.
 *  @{ */

#define NOVA_PCI_OWN        (NOVA_OPERATION_FIRST + 2)  /**< describes the claimed function */
#define NOVA_PCI_MAP        (NOVA_OPERATION_FIRST + 3)  /**< gives pages of a register's memory */
#define NOVA_PCI_PORTS      (NOVA_OPERATION_FIRST + 4)  /**< gives a register's ports */
#define NOVA_PCI_INTERRUPTS (NOVA_OPERATION_FIRST + 5)  /**< routes interrupts */
#define NOVA_PCI_VECTOR     (NOVA_OPERATION_FIRST + 6)  /**< gives an interrupt's semaphore */
#define NOVA_PCI_WRITE      (NOVA_OPERATION_FIRST + 7)  /**< writes configuration space */
#define NOVA_PCI_RESET      (NOVA_OPERATION_FIRST + 8)  /**< begins to reset the function */
#define NOVA_PCI_RESET_DONE (NOVA_OPERATION_FIRST + 9)  /**< asks whether the reset is complete */
#define NOVA_PCI_QUIET      (NOVA_OPERATION_FIRST + 10) /**< the driver has stopped all DMA */
#define NOVA_PCI_ASSIGN     (NOVA_OPERATION_FIRST + 11) /**< gives the function's DMA to a PD */

/* Flags of OWN. */
#define NOVA_PCI_CONFINED 0x1 /**< an I/O MMU confines DMA to the driver's memory */
#define NOVA_PCI_MASTER   0x2 /**< the function may be a bus master: DMA and messages */

#define NOVA_PCI_INTERRUPTS_MAX 32 /**< interrupts of one function */

/* The command register, the only one that nova_pci_config_write() can write. */
#define NOVA_PCI_COMMAND        0x04  /**< its offset; it has 2 bytes */
#define NOVA_PCI_COMMAND_PORTS  0x1   /**< respond to ports */
#define NOVA_PCI_COMMAND_MEMORY 0x2   /**< respond to memory addresses */
#define NOVA_PCI_COMMAND_MASTER 0x4   /**< access memory, and send messages */
#define NOVA_PCI_COMMAND_NO_PIN 0x400 /**< do not use the interrupt pin */

struct nova_pci_device;

/**
 * Claims a device of the description. From then on, the device's function responds to accesses to
 * its registers. The function does no DMA before nova_pci_master(), and raises no interrupt before
 * nova_pci_interrupts().
 * @code
 * struct nova_pci_device *disk;
 * const int error = nova_pci_claim(&disk, "disk");
 *
 * if (error)
 *         printf("no disk: %s\n", strerror(error));
 * else
 *         nova_pci_release(disk);
 * @endcode
 * @param[out] device the device
 * @param name        its name in the description: `device NAME` with `class`, `id` or `at`
 * @retval 0      done
 * @retval EACCES the description gives the device to another program, or does not grant the service
 * @retval ENODEV no function of the machine matches it; the service prints the reason
 * @retval EBUSY  the program has claimed it already
 * @retval ENOMEM no memory or kernel memory in the program or in the service
 * @return other values as for nova_session_open()
 */
int nova_pci_claim(struct nova_pci_device **device, const char *name);

/** Gives a device back: the service revokes registers, ports and interrupts and resets the
 * function. The interrupts' selectors still belong to the caller and become null. */
void nova_pci_release(struct nova_pci_device *device);

/** Returns the description of the device's function, which stays valid until
 * nova_pci_release(). */
const struct nova_pci_function *nova_pci_describe(const struct nova_pci_device *device);

/** Returns NOVA_PCI_CONFINED and NOVA_PCI_MASTER, as they apply to the device. */
unsigned nova_pci_flags(const struct nova_pci_device *device);

/**
 * Maps the memory of a base address register.
 *
 * Pages that hold vectors of MSI-X are not mapped: only the service writes messages.
 * @code
 * extern struct nova_pci_device *device;
 * volatile void *registers;
 * size_t bytes;
 *
 * if (nova_pci_map(device, 0, &registers, &bytes) == 0)
 *         printf("status %x\n", (unsigned)((volatile uint32_t *)registers)[1]);
 * @endcode
 * @param device         the device
 * @param bar            number of the register; the first is 0
 * @param[out] registers address of its first byte, until nova_pci_release()
 * @param[out] bytes     size of the memory
 * @retval 0       done
 * @retval ENOENT  there is no such register, or it has ports
 * @retval ENXIO   firmware has assigned no address
 * @retval ENOTSUP another function shares a page with it
 * @retval EACCES  the machine has something else at its address
 * @retval ENOMEM  no memory, kernel memory or addresses in the program or in the service
 * @return other values as for nova_session_call()
 */
int nova_pci_map(struct nova_pci_device *device, unsigned bar, volatile void **registers,
                 size_t *bytes);

/**
 * Gets the ports of a base address register.
 *
 * @param device     the device
 * @param bar        number of the register; the first is 0
 * @param[out] first number of its first port
 * @return as nova_pci_map(); ENOENT: there is no such register, or it has memory
 */
int nova_pci_ports(struct nova_pci_device *device, unsigned bar, uint16_t *first);

/**
 * Gets the function's interrupts as semaphores: by MSI-X if the function supports it, else one
 * interrupt by MSI, else the pin. Only a bus master can send messages, so a function that may not
 * be one (nova_pci_flags()) uses its pin. On machines without configuration space in memory every
 * function uses its pin. The pin must not be shared with another driver.
 *
 * Interrupt n belongs to the function's vector n. This function can be called once in a session.
 * The device sends messages after nova_pci_master().
 * @code
 * extern struct nova_pci_device *device;
 * const nova_sel_t sel = nova_sel_alloc(0);
 * unsigned got;
 *
 * if (nova_pci_interrupts(device, 1, &sel, &got) == 0 && nova_pci_master(device, true) == 0)
 *         nova_sm_down(sel); // until the device raises an interrupt
 * @endcode
 * @param device   the device
 * @param wanted   number of interrupts, 1 to NOVA_PCI_INTERRUPTS_MAX
 * @param sels     @p wanted free selectors, for semaphores with permission DN
 * @param[out] got number of interrupts, at most @p wanted; if there are fewer, the service prints
 * the reason
 * @retval 0 there is at least one interrupt; all arrive at the caller's CPU
 * @retval EINVAL @p wanted is invalid, or the service has no thread on the caller's CPU
 * @retval EEXIST the session has interrupts already
 * @retval ENOSPC the function has no interrupt, or none is left
 * @retval ENOMEM no kernel memory
 * @return other values as for nova_session_call()
 */
int nova_pci_interrupts(struct nova_pci_device *device, unsigned wanted, const nova_sel_t *sels,
                        unsigned *got);

/**
 * Reads a register of the device's configuration space.
 *
 * @param device     the device
 * @param offset     offset of the register in bytes, a multiple of @p bytes, below 4096
 * @param bytes      size of the register: 1, 2 or 4
 * @param[out] value the value
 * @return as nova_pci_read()
 */
int nova_pci_config_read(struct nova_pci_device *device, unsigned offset, unsigned bytes,
                         uint32_t *value);

/**
 * Writes the command register, the only one that a driver may write. Only the bits
 * NOVA_PCI_COMMAND_… may change.
 *
 * @param device the device
 * @param offset NOVA_PCI_COMMAND
 * @param bytes  2
 * @param value  the register's new value
 * @retval 0     done
 * @retval EPERM the write changes another register or another bit; or it enables bus mastering that
 *               nova_pci_flags() excludes, a pin that nova_pci_interrupts() has not given, or ports
 *               or memory that the function does not have
 * @retval EBUSY the function is being reset
 */
int nova_pci_config_write(struct nova_pci_device *device, unsigned offset, unsigned bytes,
                          uint32_t value);

/**
 * Finds a capability. The list of a faulty function may be circular, so a loop over capabilities
 * needs a bound of its own.
 * @code
 * extern struct nova_pci_device *device;
 * unsigned at = 0;
 *
 * // all that the vendor defines; a function has at most 48 capabilities
 * for (unsigned i = 0; i < 48 && nova_pci_capability(device, 0x09, &at) == 0; i++)
 *         printf("at %02x\n", at);
 * @endcode
 * @param device     the device
 * @param id         number of the capability
 * @param[in,out] at 0 to search from the start, else the offset of the capability after which to
 * search; receives the offset found
 * @retval 0      found
 * @retval ENOENT there is none
 * @return other values as for nova_pci_config_read()
 */
int nova_pci_capability(struct nova_pci_device *device, unsigned id, unsigned *at);

/**
 * Lets the function access memory and send messages, or stops it.
 *
 * @retval 0     done
 * @retval EPERM the machine has no I/O MMU, and the description does not say `dma-unprotected` and
 *               `grants dma`
 * @retval EBUSY the function is being reset
 */
int nova_pci_master(struct nova_pci_device *device, bool on);

/**
 * Returns the address at which the device finds memory of nova_dma_alloc().
 * @code
 * extern struct nova_pci_device *device;
 * struct nova_dma ring;
 *
 * if (nova_dma_alloc(4096, &ring) == 0)
 *         printf("%llx\n", (unsigned long long)nova_pci_address(device, &ring));
 * @endcode
 */
uint64_t nova_pci_address(const struct nova_pci_device *device, const struct nova_dma *dma);

/**
 * Resets the function, if that is possible: by a function-level reset (FLR), by a reset of its bus
 * if no other function is there, or by its power state. Afterwards the function still has its
 * interrupts, but is not a bus master. Takes 100 ms or more.
 *
 * @retval 0         done
 * @retval ETIMEDOUT the reset has not ended within five seconds
 * @return other values as for nova_session_call()
 */
int nova_pci_reset(struct nova_pci_device *device);

/**
 * Reports that the driver has stopped all DMA that a former driver may have begun. How a driver
 * does that depends on the device's class. Call it after nova_pci_claim() and before
 * nova_pci_master(). Without an I/O MMU, and if the function cannot be reset, the memory of a
 * driver that has ended is not reused before this call. Afterwards the function is not a bus
 * master.
 * @code
 * extern struct nova_pci_device *device;
 * extern volatile uint32_t *registers;
 *
 * registers[0] = 1; // the device's own reset
 * nova_pci_quiet(device);
 * @endcode
 * @return 0, or as nova_session_call()
 */
int nova_pci_quiet(struct nova_pci_device *device);

/**
 * Gives the function's DMA to another PD, such as that of a guest: the function reaches the memory
 * that the PD got with NOVA_ITEM_D, at the PD's addresses, and no longer the caller's memory. When
 * the PD ends, the kernel blocks the function. Call it before nova_pci_interrupts(). Afterwards the
 * function is not a bus master.
 * @code
 * extern struct nova_pci_device *device;
 * extern nova_sel_t guest; // a PD that the program has created
 *
 * if (nova_pci_assign(device, guest) == ENOTSUP)
 *         printf("the machine has no I/O MMU\n");
 * @endcode
 * @param device the device
 * @param pd     a PD, with NOVA_PD_EC: a program that may create threads in a PD can access all of
 *               its memory
 * @retval 0       done
 * @retval ENOTSUP no I/O MMU confines the function
 * @retval EINVAL  @p pd is not a PD, or it has ended
 * @retval EPERM   the capability lacks NOVA_PD_EC
 * @retval EBUSY   the session has interrupts already, or the function is being reset
 * @retval ENOMEM  no kernel memory
 * @return other values as for nova_session_call()
 */
int nova_pci_assign(struct nova_pci_device *device, nova_sel_t pd);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
