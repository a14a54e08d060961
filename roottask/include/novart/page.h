/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of memory: those of a child's pool; a root gets RAM from the kernel when it needs more. */
#ifndef NOVART_PAGE_H
#define NOVART_PAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Take 2^order pages, readable and writable, filled with zero.
 *
 * Any thread and handler may call. The address is a multiple of the block's size.
 * @code
 * void *four = nova_page_alloc(2);
 *
 * if (four)
 *         nova_page_free(four, 2);
 * @endcode
 * @return the first page, or NULL if there is no such block, or no kernel memory to map more RAM
 */
void *nova_page_alloc(unsigned order);

/**
 * Give pages back. What was delegated from them must have been revoked.
 *
 * A mistake (they are free already, or others than were taken) changes nothing; a debug build stops
 * the caller with an #UD event.
 * @param page, order as taken
 */
void nova_page_free(void *page, unsigned order);

/** Number of pages that can still be had, not necessarily in one block. */
size_t nova_page_free_count(void);

/** Memory that a device may reach. */
struct nova_dma {
        void *memory;  /**< its address; also its device address if an I/O MMU is on */
        uint64_t phys; /**< its physical address: its device address without an I/O MMU */
        size_t bytes;  /**< a power of two, at least what was asked for */
        void *block;   /**< the pages behind it; of the allocator */
};

/**
 * Take memory for devices: contiguous, and visible to those that nova_assign_pci() gave to this
 * program (D bit).
 *
 * @param bytes at least so many; rounded up to a power of two of whole pages, and aligned to that
 * @retval 0      @p dma is valid
 * @retval EINVAL @p bytes is 0
 * @retval EPERM  the parent does not grant DMA
 * @retval ENOMEM there are not enough contiguous pages, addresses or kernel memory
 */
int nova_dma_alloc(size_t bytes, struct nova_dma *dma);

/** Give memory for devices back: after the return no device reaches it through the I/O MMU. */
void nova_dma_free(struct nova_dma *dma);

#ifdef __cplusplus
}
#endif

#endif
