/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic interrupt controller of enlightened guests: messages, event flags, and the ports to
 * which hypercalls send them. */
#ifndef NOVAVMM_HV_SYNIC_H
#define NOVAVMM_HV_SYNIC_H

#include "novavmm/hv_calls.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_HV_SOURCES    16   /**< interrupt sources of a virtual processor (SINT0, …) */
#define NOVA_HV_DATA_BYTES 240  /**< maximum size of a message's data */
#define NOVA_HV_FLAGS      2048 /**< event flags of a source */
#define NOVA_HV_QUEUE      2    /**< messages that wait for the slot of a source */
#define NOVA_HV_PORTS      32   /**< maximum number of a partition's ports */

/** Bit of a message's type: the hypervisor sends it. Calls of guests cannot send such messages. */
#define NOVA_HV_MESSAGE_OF_HYPERVISOR 0x80000000u
/** Type of the messages of synthetic timers. */
#define NOVA_HV_MESSAGE_TIMER 0x80000010u

/** A message, as it is in a slot of the message page. TLFS 11.7 */
struct nova_hv_message {
        uint32_t type; /**< type; 0: the slot is free */
        uint8_t bytes; /**< size of the data */
        uint8_t flags; /**< bit 0: another message waits for this slot. The library sets it */
        uint16_t zero; /**< reserved */
        uint64_t from; /**< connection that carried it, or a number that the monitor chose */
        uint64_t data[NOVA_HV_DATA_BYTES / 8]; /**< data */
};

/** Messages that wait for a slot, oldest first. */
struct nova_hv_queue {
        struct nova_hv_message message[NOVA_HV_QUEUE]; /**< the messages */
        unsigned count;                                /**< number of them in use */
};

/** The synthetic interrupt controller of a virtual processor. */
struct nova_hv_synic {
        uint64_t control;                            /**< MSR 0x40000080; bit 0: enabled */
        uint64_t events;                             /**< MSR 0x40000082: event flags page */
        uint64_t messages;                           /**< MSR 0x40000083: message page */
        uint64_t source[NOVA_HV_SOURCES];            /**< MSRs 0x40000090 to 0x4000009f */
        struct nova_hv_queue queue[NOVA_HV_SOURCES]; /**< waiting messages by source */
};

/** The destination of a guest's connection: a source of one of the guest's virtual processors, or a
 * function of the monitor. */
struct nova_hv_port {
        uint32_t connection; /**< number by which calls name it, 1 to 0xffffff */
        bool events;         /**< true for event flags, false for messages */
        unsigned vcpu;       /**< virtual processor that receives */
        unsigned sint;       /**< its source */
        unsigned flag;       /**< events: its first flag */
        unsigned flags;      /**< events: number of flags; calls count from 0 */
        /** Receives in place of the virtual processor, with the machine locked; or NULL. If it
         * calls a function that uses the UTCB, such as printf(), it must make the call through
         * nova_vcpu_keep_message() for the virtual CPU in nova_vm.serving. @p message is NULL for
         * an event. @return the call's status */
        enum nova_hv_status (*receive)(void *context, unsigned vcpu,
                                       const struct nova_hv_message *message, unsigned flag);
        void *context; /**< argument of receive */
};

/**
 * Adds a port, to which calls 0x005c and 0x005d send. The description stays in the caller's memory.
 * Call before nova_vm_run().
 * @code
 * extern struct nova_hv hv;
 * // Connection 1: messages to source 2 of virtual processor 0.
 * static const struct nova_hv_port port = {.connection = 1, .vcpu = 0, .sint = 2};
 *
 * int error = nova_hv_connect(&hv, &port);
 * @endcode
 * @retval 0      done
 * @retval EEXIST the partition has a port of this connection
 * @retval EINVAL connection 0 or above 0xffffff; without a function also a virtual processor or a
 *                source that does not exist; event flags above NOVA_HV_FLAGS, or none
 * @retval ENOSPC the partition has NOVA_HV_PORTS ports
 */
int nova_hv_connect(struct nova_hv *hv, const struct nova_hv_port *port);

/**
 * Sets an event flag of a virtual processor. If it was not set, raises the interrupt of the source.
 * The caller holds the machine's lock. TLFS 11.8
 *
 * @param hv   the partition
 * @param vcpu number of the virtual processor
 * @param sint number of the source
 * @param flag number of the flag
 * @retval NOVA_HV_SUCCESS             done
 * @retval NOVA_HV_INVALID_VP_INDEX    there is no such virtual processor
 * @retval NOVA_HV_INVALID_PARAMETER   a source or flag that does not exist
 * @retval NOVA_HV_INVALID_SYNIC_STATE the guest has disabled the controller or the page, or has
 *                                     masked the source
 */
enum nova_hv_status nova_hv_signal_event(struct nova_hv *hv, unsigned vcpu, unsigned sint,
                                         unsigned flag);

/**
 * Sends a message to a virtual processor. While the source's slot is occupied, the message waits.
 * The guest frees the slot and, if the message in it has the flag for further messages, writes MSR
 * 0x40000084. The caller holds the machine's lock. TLFS 11.7
 *
 * @param hv      the partition
 * @param vcpu    number of the virtual processor
 * @param sint    number of the source
 * @param message copied
 * @retval NOVA_HV_SUCCESS              it is in the slot, or waits
 * @retval NOVA_HV_INVALID_VP_INDEX     there is no such virtual processor
 * @retval NOVA_HV_INVALID_PARAMETER    a source that does not exist, type 0, or too many bytes
 * @retval NOVA_HV_INVALID_SYNIC_STATE  the guest has disabled the controller or the page, or has
 *                                      masked the source
 * @retval NOVA_HV_INSUFFICIENT_BUFFERS NOVA_HV_QUEUE messages wait
 */
enum nova_hv_status nova_hv_post_message(struct nova_hv *hv, unsigned vcpu, unsigned sint,
                                         const struct nova_hv_message *message);

#ifdef __cplusplus
}
#endif

#endif
