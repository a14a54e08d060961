/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's view of a PCI function that is passed through: its configuration space, the addresses
 * of its memory, and its interrupt messages. The guest's writes change only this view and, through
 * struct nova_pass_host, those parts of the function that the guest may change. */
#ifndef NOVAVMM_PASS_H
#define NOVAVMM_PASS_H

#include "novavmm/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_PASS_BARS     6 /**< base address registers of a function */
#define NOVA_PASS_MESSAGES 8 /**< maximum number of interrupt messages of a function */

/** Mask of the register number in `table` and `pending` of struct nova_pass_function. */
#define NOVA_PASS_TABLE_BAR 0x7u

/** A function as its guest finds it. */
struct nova_pass_function {
        uint16_t vendor;           /**< number of the vendor */
        uint16_t product;          /**< the vendor's number of the device */
        uint16_t subsystem_vendor; /**< vendor of the board */
        uint16_t subsystem;        /**< number of the board, from its vendor */
        uint32_t class_code;       /**< class, subclass and interface in 24 bits */
        uint8_t revision;          /**< revision of the device */
        struct {
                uint32_t bytes; /**< size of its memory in bytes, a power of two of 16 or more; 0:
                                     the function has no such register */
                bool prefetch;  /**< true if the memory is prefetchable */
        } bar[NOVA_PASS_BARS];  /**< base address registers */
        unsigned messages;      /**< number of its interrupt messages, 1 to NOVA_PASS_MESSAGES */
        bool msix;              /**< true: MSI-X; false: MSI with one message */
        unsigned vectors;       /**< MSI-X: number of the function's own vectors, whose pages the
                                     guest does not get */
        uint32_t table;         /**< MSI-X: offset of the vectors in bytes, a multiple of 8, and in
                                     NOVA_PASS_TABLE_BAR the number of their BAR */
        uint32_t pending; /**< MSI-X: offset of the pending bits in bytes, a multiple of 8, and
                               in NOVA_PASS_TABLE_BAR the number of their BAR */
};

/** Functions that a view calls, with the machine locked. */
struct nova_pass_host {
        /** Lets the function access memory and send messages, or stops it. */
        void (*master)(void *context, bool on);
        /** Called after the memory of a BAR has moved, or has been enabled or disabled. */
        void (*moved)(void *context);
        /** Reads 1, 2, 4 or 8 bytes of a BAR's memory. */
        uint64_t (*read)(void *context, unsigned bar, uint32_t at, unsigned bytes);
        /** Writes 1, 2, 4 or 8 bytes of a BAR's memory. */
        void (*write)(void *context, unsigned bar, uint32_t at, unsigned bytes, uint64_t value);
        /** Delivers an interrupt message that the guest has programmed. */
        void (*send)(void *context, uint64_t address, uint32_t data);
        void *context; /**< first argument of these functions */
};

/** A function's view. */
struct nova_pass {
        struct nova_vpci_device pci;        /**< the device on the guest's bus */
        struct nova_pass_function function; /**< the function as its guest finds it */
        struct nova_pass_host host;         /**< functions for the effects of the guest's writes */
        bool master;                        /**< true if the guest has made it a bus master */
        uint32_t at[NOVA_PASS_BARS];        /**< guest-physical address of each BAR's memory; 0:
                                             * the memory responds nowhere */
        uint32_t message[NOVA_PASS_MESSAGES][4]; /**< address, upper address, data and mask of each
                                                  * message */
        uint32_t pending; /**< messages that came while they were masked: bit n
                           * for message n */
        uint64_t lost;    /**< number of messages that came while the guest
                           * had not enabled them */
};

/**
 * Makes a view: its memory responds nowhere, and its messages are off.
 * @code
 * extern struct nova_pc pc;
 * extern const struct nova_pass_host host; // reaches the function
 * static struct nova_pass card;
 * const struct nova_pass_function function = {
 *         .vendor = 0x8086, .product = 0x10d3, .class_code = 0x020000, .messages = 1,
 *         .bar = {{.bytes = 128 << 10}}};
 * uint32_t next = 0xe0000000; // free addresses of the guest
 *
 * nova_pass_init(&card, &function, &host);
 * if (nova_pass_place(&card, &next, 0xf0000000))
 *         nova_vpci_add(&pc.pci, 5, &card.pci);
 * @endcode
 * @param[out] pass the view
 * @param function  valid values, which are copied
 * @param host      functions that the view calls, which are copied
 */
void nova_pass_init(struct nova_pass *pass, const struct nova_pass_function *function,
                    const struct nova_pass_host *host);

/**
 * Gives the BARs their first addresses, as firmware does, largest first.
 *
 * @param[in,out] next first free address; receives the first address after the BARs
 * @param end          end of the free addresses
 * @return false if they do not fit
 */
bool nova_pass_place(struct nova_pass *pass, uint32_t *next, uint32_t end);

/**
 * Finds the memory that has all bytes of an access.
 * @code
 * extern const struct nova_pass card;
 * extern uint64_t address; // of a guest's access of 4 bytes
 * unsigned bar;
 * uint32_t at;
 *
 * if (nova_pass_find(&card, address, 4, &bar, &at))
 *         printf("BAR %u, offset %#x\n", bar, (unsigned)at);
 * @endcode
 * @param pass     the view
 * @param address  guest-physical address of the first byte
 * @param bytes    number of bytes
 * @param[out] bar number of the BAR
 * @param[out] at  offset of the first byte in its memory
 * @return false if no BAR has them
 */
bool nova_pass_find(const struct nova_pass *pass, uint64_t address, unsigned bytes, unsigned *bar,
                    uint32_t *at);

/** Returns true if a guest may have page @p page of the memory of BAR @p bar: the BAR has whole
 * pages, and the page has neither vectors nor pending bits of MSI-X. */
bool nova_pass_is_open(const struct nova_pass *pass, unsigned bar, uint32_t page);

/**
 * Delivers message @p number, which the function has sent, by nova_pass_host::send. A masked
 * message waits until the guest unmasks it; a message that the guest has not enabled is counted as
 * lost. The caller holds the machine's lock.
 * @code
 * extern struct nova_vm vm;
 * extern struct nova_pass card;
 * extern nova_sel_t interrupt; // semaphore of the function's message 0
 *
 * while (nova_sm_down(interrupt) == NOVA_SUCCESS) {
 *         nova_vm_lock(&vm);
 *         nova_pass_message(&card, 0);
 *         nova_vm_unlock(&vm);
 * }
 * @endcode
 */
void nova_pass_message(struct nova_pass *pass, unsigned number);

#ifdef __cplusplus
}
#endif

#endif
