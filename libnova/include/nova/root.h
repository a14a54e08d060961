/* SPDX-License-Identifier: BSD-2-Clause */
/* For small roottasks: the way to memory, I/O ports and objects of the microhypervisor. Only a
 * message can bring them (spec 6.1.1), so the roottask calls a portal of its own: the call asks
 * with the H flag, and the thread behind the portal holds the window that receives. */
#ifndef NOVA_ROOT_H
#define NOVA_ROOT_H

#include <stdbool.h>

#include "nova/abi/hip.h"
#include "nova/abi/status.h"
#include "nova/abi/utcb.h"
#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_ROOT_FIRST_SEL  64         /**< first object selector that is given away */
#define NOVA_ROOT_FIRST_ADDR 0x40000000 /**< first address that is given away */

/**
 * What a small roottask holds. The caller provides it, best as a static object; nothing in it is
 * ever given back. Not for several threads at once.
 */
struct nova_root {
        const struct nova_hip *hip;
        struct nova_utcb *utcb;  /**< of the root EC, which makes the requests */
        struct nova_utcb *inbox; /**< of the local thread that receives */
        nova_word_t cpu;         /**< CPU on which the root EC runs */
        nova_sel_t portal;       /**< to that thread */
        nova_sel_t next_sel;     /**< next free object selector */
        nova_word_t next_utcb;   /**< next free address for a UTCB, downwards */
        nova_word_t next_page;   /**< next free page number for memory, upwards */
        uint64_t next_ram;       /**< where unused RAM goes on */
        unsigned char stack[1024] __attribute__((aligned(16))); /**< of that thread */
};

/**
 * Create the thread and the portal for requests.
 *
 * @param hip, cpu as nova_main() got them
 * @return NOVA_SUCCESS, or why the thread or its portal could not be created
 */
NOVA_LIBRARY enum nova_status nova_root_init(struct nova_root *root, const struct nova_hip *hip,
                                             nova_word_t cpu);

/** Take @p count free object selectors in a row. They are not aligned: for a range that a CRD
 *  of a higher order names, use nova_root_sel_order(). @return the first */
NOVA_LIBRARY nova_sel_t nova_root_sel(struct nova_root *root, nova_word_t count);

/** Take 2^order free object selectors in a row, aligned to their number, as a descriptor of that
 *  order needs them. @return the first */
NOVA_LIBRARY nova_sel_t nova_root_sel_order(struct nova_root *root, unsigned order);

/** Take a free page for a UTCB of the root PD. @return its address */
NOVA_LIBRARY nova_word_t nova_root_utcb(struct nova_root *root);

/**
 * Send one delegate item to the own PD.
 *
 * @param crd   what is given
 * @param to    where it goes: page number, port (always as in @p crd) or object selector;
 *              aligned like the base of @p crd
 * @param flags NOVA_ITEM_H if it is the microhypervisor's, else 0
 * @return true if first and last selector of the range are there now with all permissions of crd
 */
NOVA_LIBRARY bool nova_root_delegate(struct nova_root *root, nova_crd_t crd, nova_sel_t to,
                                     nova_word_t flags);

/** Get 2^order I/O ports from @p port on, aligned to 2^order. @return true if they are there */
NOVA_LIBRARY bool nova_root_ports(struct nova_root *root, nova_sel_t port, unsigned order);

/**
 * Make physical memory visible.
 *
 * @param addr, size bytes; whole pages are mapped
 * @param perms      an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @return where @p addr is to be found, or NULL
 */
NOVA_LIBRARY void *nova_root_map(struct nova_root *root, uint64_t addr, nova_word_t size,
                                 unsigned perms);

/** Get 2^order pages of unused RAM, readable and writable, filled with zero and aligned to their
 *  size. @return their address, or NULL if there is no more */
NOVA_LIBRARY void *nova_root_alloc(struct nova_root *root, unsigned order);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/root.h"
#endif

#endif
