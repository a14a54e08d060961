/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory, I/O ports and objects from the microhypervisor, for small roottasks. Only a message can
 * transfer them (spec 6.1.1), so the roottask calls a portal of its own. The call requests them
 * with the H flag, and the portal's thread has the receive window. */
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

#define NOVA_ROOT_FIRST_SEL  64         /**< first object selector to allocate */
#define NOVA_ROOT_FIRST_ADDR 0x40000000 /**< first address to allocate */

/**
 * Resources of a small roottask. The caller provides the structure, preferably a static variable.
 * The resources are never freed. Not thread-safe.
 */
struct nova_root {
        const struct nova_hip *hip;
        struct nova_utcb *utcb;  /**< UTCB of the root EC, which makes the requests */
        struct nova_utcb *inbox; /**< UTCB of the local thread that receives */
        nova_word_t cpu;         /**< CPU on which the root EC runs */
        nova_sel_t portal;       /**< selector of the portal to that thread */
        nova_sel_t next_sel;     /**< next free object selector */
        nova_word_t next_utcb;   /**< address of the last UTCB; the next is a page below */
        nova_word_t next_page;   /**< next free page number for memory, upwards */
        uint64_t next_ram;       /**< physical address at and above which RAM is unused */
        unsigned char stack[1024] __attribute__((aligned(16))); /**< stack of the local thread */
};

/**
 * Initialises @p root: creates the local thread and the portal for requests.
 * @code
 * if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
 *         return;
 * nova_printf(&console, "Hello\n");
 * @endcode
 * @param hip, cpu the arguments of nova_main()
 * @return NOVA_SUCCESS, or the status of creating the thread or its portal
 */
NOVA_LIBRARY enum nova_status nova_root_init(struct nova_root *root, const struct nova_hip *hip,
                                             nova_word_t cpu);

/** Allocates @p count consecutive object selectors. They are not aligned: for a CRD of an order
 * above 0, use nova_root_sel_order(). @return the first selector */
NOVA_LIBRARY nova_sel_t nova_root_sel(struct nova_root *root, nova_word_t count);

/**
 * Allocates 2^order consecutive object selectors, aligned to their number as a descriptor of that
 * order requires.
 * @code
 * const nova_sel_t base = nova_root_sel_order(&root, 6);
 *
 * status = nova_create_pd(pd, NOVA_SEL_ROOT_PD, nova_crd_obj(base, 6, NOVA_PERM_ALL));
 * @endcode
 * @return the first selector
 */
NOVA_LIBRARY nova_sel_t nova_root_sel_order(struct nova_root *root, unsigned order);

/** Allocates a page for a UTCB of the root PD. @return its address */
NOVA_LIBRARY nova_word_t nova_root_utcb(struct nova_root *root);

/**
 * Sends one delegate item to the caller's own PD.
 * @code
 * // A second selector for a semaphore, with permission for up only.
 * if (!nova_root_delegate(&root, nova_crd_obj(sm, 0, NOVA_SM_UP), nova_root_sel(&root, 1), 0))
 *         nova_printf(&console, "not delegated\n");
 * @endcode
 * @param crd   the range to delegate
 * @param to    destination: page number, port (always the base of @p crd) or object selector;
 *              aligned like the base of @p crd
 * @param flags NOVA_ITEM_H if the microhypervisor is the source, else 0
 * @return true if the first and the last selector of the range now have all permissions of @p crd
 */
NOVA_LIBRARY bool nova_root_delegate(struct nova_root *root, nova_crd_t crd, nova_sel_t to,
                                     nova_word_t flags);

/**
 * Requests 2^order I/O ports that begin at @p port, a multiple of 2^order.
 * @code
 * // The real-time clock.
 * if (nova_root_ports(&root, 0x70, 1))
 *         nova_out8(0x70, 0);
 * @endcode
 * @return true if the PD now holds them
 */
NOVA_LIBRARY bool nova_root_ports(struct nova_root *root, nova_sel_t port, unsigned order);

/**
 * Maps physical memory.
 * @code
 * // The text screen of a PC.
 * uint16_t *screen = nova_root_map(&root, 0xb8000, 4000, NOVA_MEM_R | NOVA_MEM_W);
 *
 * if (screen)
 *         screen[0] = 0x0700 | 'N';
 * @endcode
 * @param addr, size range of physical addresses in bytes; the function maps whole pages
 * @param perms      an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @return the virtual address of @p addr, or NULL
 */
NOVA_LIBRARY void *nova_root_map(struct nova_root *root, uint64_t addr, nova_word_t size,
                                 unsigned perms);

/**
 * Allocates 2^order pages of unused RAM, readable and writable, filled with zero and aligned to
 * their size.
 * @code
 * char *pages = nova_root_alloc(&root, 2); // 16 KiB
 *
 * if (!pages)
 *         nova_printf(&console, "no RAM is left\n");
 * @endcode
 * @return their address, or NULL if no such RAM is left
 */
NOVA_LIBRARY void *nova_root_alloc(struct nova_root *root, unsigned order);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/root.h"
#endif

#endif
