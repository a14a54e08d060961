/* SPDX-License-Identifier: BSD-2-Clause */
/* What a child asks of its parent: the protocol of the parent portal, and a function for each
 * operation.
 *
 * A child has one portal to its parent on each of its CPUs. Word 0 of a message is the operation,
 * word 0 of the answer 0 or an errno value. Names are bytes in words, ended by a 0, at most
 * NOVA_PARENT_NAME bytes with it. A child gets only what its parent grants it by name. */
#ifndef NOVART_PARENT_H
#define NOVART_PARENT_H

#include <stddef.h>
#include <stdint.h>

#include "nova/abi/utcb.h"
#include "novart/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a name, the 0 at its end included. */
#define NOVA_PARENT_NAME 32

/** Selectors of a service's control portals: 2^6, one for each CPU number. */
#define NOVA_PARENT_SERVICE_ORDER 6

/** Operations: word 0 of a message, and what its other words and items are. */
enum nova_parent_operation {
        NOVA_PARENT_BEGIN =
                1,           /**< answer: own PD and first EC, to the window's selectors 0 and 1 */
        NOVA_PARENT_EXIT,    /**< status; there is no answer */
        NOVA_PARENT_OPEN,    /**< name; answer: control portals of a service, + CPU number */
        NOVA_PARENT_SERVE,   /**< name, item: own control portals, + CPU number */
        NOVA_PARENT_SC,      /**< priority, quantum, number, item: EC; answer: item: SC */
        NOVA_PARENT_SC_DROP, /**< number that came with NOVA_PARENT_SC: the thread has ended */
        NOVA_PARENT_FAULT,   /**< struct nova_fault_report */
        NOVA_PARENT_WRITE,   /**< number of bytes, text for the parent's console */
        NOVA_PARENT_MODULE,  /**< first page, name; answer: bytes, pages given, items: pages */
        NOVA_PARENT_DEVICE,  /**< kind, index, page, name; answer: struct nova_parent_device */
        NOVA_PARENT_POWER,   /**< NOVA_EXT_MACHINE_… */
        NOVA_PARENT_EVENTS,  /**< portals at NOVA_SEL_MAIN_EVENTS go; answer: 1 (ask again) or 0,
                                items: pages that had not come yet */
};

/** Kinds of what a device has, word 1 of NOVA_PARENT_DEVICE. */
enum nova_parent_device_kind {
        NOVA_PARENT_PORTS = 1, /**< items: ports; they keep their numbers */
        NOVA_PARENT_MEMORY,    /**< items: pages, those that fit from the page asked for on */
        NOVA_PARENT_INTERRUPT, /**< item: its semaphore */
        NOVA_PARENT_CONSOLE,   /**< item: the semaphore of nova_parent_console() */
};

/**
 * Say that the program handles its first thread's events itself from now on: the parent takes back
 * its portals at NOVA_SEL_MAIN_EVENTS.
 *
 * @retval 0      done
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_events(void);

/** Get a service's control portals: the one for CPU n comes to @p sel + n.
 *
 * @param name the service
 * @param sel  2^NOVA_PARENT_SERVICE_ORDER free selectors, aligned to that
 * @retval 0      some portals are there now
 * @retval EACCES the parent does not grant this service
 * @retval EAGAIN who provides it is not there now, for example because it starts again
 * @retval ENOMEM no kernel memory
 */
int nova_parent_open(const char *name, nova_sel_t sel);

/** Provide a service: the parent gives the portals to those whom it grants the service.
 *
 * @param name the service
 * @param sel  selectors as for nova_parent_open(): the portal for CPU n is at @p sel + n
 * @retval 0      clients can come
 * @retval EACCES the parent does not expect this service of this program
 * @retval EEXIST it has it already
 */
int nova_parent_serve(const char *name, nova_sel_t sel);

/** Ask for a scheduling context for an EC of this program.
 *
 * The thread may run for a moment even if that fails with EAGAIN: whether the capability finds room
 * is known no sooner.
 * @param sc       free selector, where it comes to, and its number for nova_parent_sc_drop()
 * @param ec       EC capability with NOVA_EC_SC: a global thread
 * @param priority cut to the program's limit
 * @param quantum_us time slice in microseconds, not 0
 * @retval 0      the thread runs
 * @retval EINVAL no EC, or an odd number
 * @retval EAGAIN too many threads, or no kernel memory
 */
int nova_parent_sc(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us);

/** Give a scheduling context back: its thread has ended. @param sc as for nova_parent_sc()
 *  @return 0; EINVAL: none of the parent's */
int nova_parent_sc_drop(nova_sel_t sc);

/**
 * Write text on the parent's console, line by line behind the program's name.
 *
 * @param text  need not end with a line feed: then the rest waits for the next text
 * @param bytes its length
 * @retval 0      written
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_write(const char *text, size_t bytes);

/** Tell the parent what ended the program, which ends it: with the status NOVA_FAULT_STATUS and the
 *  event's number. Returns only if there is no parent. @return ENOSYS */
int nova_parent_fault(const struct nova_fault_report *report);

/** End the program. Returns only if there is no parent. */
void nova_parent_exit(int status);

/** Map a module, which can be read only. nova_region_free() of its address unmaps it.
 *
 * @param name       the module
 * @param[out] data  its first byte, at the begin of a page
 * @param[out] bytes its size
 * @retval 0      @p data and @p bytes are set
 * @retval ENOENT the parent does not grant a module of this name
 * @retval ENOMEM no addresses or no kernel memory
 */
int nova_parent_module(const char *name, const void **data, size_t *bytes);

/**
 * Get a range of a device's ports.
 *
 * @code
 * uint16_t first, last;
 *
 * if (nova_parent_ports("rtc", 0, &first, &last))
 *         puts("write 'devices rtc' into the description");
 * @endcode
 * @param index            0 for the first range
 * @param[out] first, last numbers of the ports
 * @retval 0      the program may use them
 * @retval ENOENT no such device, or it has no more ranges
 * @retval ENOMEM no kernel memory
 */
int nova_parent_ports(const char *device, unsigned index, uint16_t *first, uint16_t *last);

/** Map range @p index of a device's memory, readable and writable.
 *
 * @retval 0      @p bytes are at @p memory
 * @retval ENOENT no such device, or it has no more
 * @retval ENOMEM no addresses or no kernel memory
 */
int nova_parent_memory(const char *device, unsigned index, void **memory, size_t *bytes);

/** Get interrupt @p index of a device.
 *
 * @param sel      free selector: the interrupt's semaphore comes here
 * @param[out] gsi its number, for what nova_assign_gsi() leaves
 * @retval 0      the semaphore is there
 * @retval ENOENT no such device, or it has no more
 */
int nova_parent_interrupt(const char *device, unsigned index, nova_sel_t sel, unsigned *gsi);

/** Take turns with the parent at a device that is the parent's console, too.
 *
 * The semaphore's counter is 1 while nobody writes: nova_sm_down_until() with NOVA_SM_ZC, write a
 * line, nova_sm_up(). The parent waits for a second, and if that was in vain,
 * not for the next line.
 *
 * @param sel free selector: the semaphore comes here
 * @retval 0      the semaphore is there
 * @retval ENOENT no such device, or the parent does not write to it
 */
int nova_parent_console(const char *device, nova_sel_t sel);

/** Reset the machine or switch it off. @param operation NOVA_EXT_MACHINE_RESET or _OFF
 *  @return EPERM: not granted; ENOTSUP: the machine cannot */
int nova_parent_power(unsigned operation);

#ifdef __cplusplus
}
#endif

#endif
