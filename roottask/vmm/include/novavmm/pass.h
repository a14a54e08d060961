/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's view of a PCI function that is passed through: configuration space, places of memory
 * and interrupt messages. The guest's writes change only this view and, through struct
 * nova_pass_host, what the guest may change of the function. */
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
        uint16_t subsystem;        /**< that vendor's number of the board */
        uint32_t class_code;       /**< class, subclass and interface in 24 bits */
        uint8_t revision;          /**< revision of the device */
        struct {
                uint32_t bytes; /**< size of its memory, a power of two, 16 or more; 0: none */
                bool prefetch;  /**< the memory is prefetchable */
        } bar[NOVA_PASS_BARS];  /**< base address registers */
        unsigned messages;      /**< number of its interrupt messages, 1 to NOVA_PASS_MESSAGES */
        bool msix;              /**< they are MSI-X; otherwise one message of MSI */
        unsigned vectors;       /**< MSI-X: number of the function's own vectors, whose pages the
                                     guest does not get */
        uint32_t table;         /**< MSI-X: offset of the vectors, and the number of their BAR */
        uint32_t pending;       /**< MSI-X: the same for the pending bits */
};

/** Functions that a view calls, with the machine locked. */
struct nova_pass_host {
        /** Lets the function access memory and send messages, or stops it. */
        void (*master)(void *context, bool on);
        /** Called after the memory of a BAR has moved, or the function no longer responds to it. */
        void (*moved)(void *context);
        /** Reads 1, 2, 4 or 8 bytes of a BAR's memory. */
        uint64_t (*read)(void *context, unsigned bar, uint32_t at, unsigned bytes);
        /** Writes 1, 2, 4 or 8 bytes of a BAR's memory. */
        void (*write)(void *context, unsigned bar, uint32_t at, unsigned bytes, uint64_t value);
        /** Delivers an interrupt message that the guest has programmed. */
        void (*send)(void *context, uint64_t address, uint32_t data);
        void *context; /**< context of these functions */
};

/** A function's view. */
struct nova_pass {
        struct nova_vpci_device pci;             /**< the device on the guest's bus */
        struct nova_pass_function function;      /**< the function */
        struct nova_pass_host host;              /**< what its guest may change */
        bool master;                             /**< the guest has made it a bus master */
        uint32_t at[NOVA_PASS_BARS];             /**< guest-physical addresses; 0: nowhere */
        uint32_t message[NOVA_PASS_MESSAGES][4]; /**< address, upper address, data, mask */
        uint32_t pending;                        /**< bit n: message n waits for its mask */
        uint64_t lost;                           /**< messages while they were not enabled */
};

/** Makes a view: its memory responds nowhere, and its messages are off. @p function must be
 * valid. */
void nova_pass_init(struct nova_pass *pass, const struct nova_pass_function *function,
                    const struct nova_pass_host *host);

/**
 * Gives the BARs their first addresses, as firmware does, largest first.
 *
 * @param[in,out] next first free address, and the one after the BARs
 * @param end          end of the free addresses
 * @return false if they do not fit
 */
bool nova_pass_place(struct nova_pass *pass, uint32_t *next, uint32_t end);

/**
 * Finds the memory that has all bytes of an access.
 *
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
 * pages, and the page has no vectors of MSI-X. */
bool nova_pass_is_open(const struct nova_pass *pass, unsigned bar, uint32_t page);

/** The function has sent message @p number. */
void nova_pass_message(struct nova_pass *pass, unsigned number);

#ifdef __cplusplus
}
#endif

#endif
