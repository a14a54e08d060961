/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of pages: a child uses its pool; a root requests RAM from the kernel as needed. */
#ifndef NOVART_PAGE_H
#define NOVART_PAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Allocates 2^order pages, readable and writable, filled with zero.
 *
 * Any thread and any handler may call this function. The address is a multiple of the block's size.
 * @code
 * void *four = nova_page_alloc(2);
 *
 * if (four)
 *         nova_page_free(four, 2);
 * @endcode
 * @return the first page, or NULL if there is no such block or no kernel memory to map more RAM
 */
void *nova_page_alloc(unsigned order);

/**
 * Frees pages. The caller must have revoked all delegations of these pages.
 *
 * A call for pages that are free or were not allocated as one block has no effect in a release
 * build. A debug build stops the caller with a #UD event.
 * @param page, order as allocated */
void nova_page_free(void *page, unsigned order);

/** Returns the number of free pages, not necessarily in one block. */
size_t nova_page_free_count(void);

/** Memory that devices may access. */
struct nova_dma {
        void *memory;  /**< address of the memory in the program; devices use it, too, if an I/O MMU
                        * is enabled */
        uint64_t phys; /**< its physical address, which devices use if there is no I/O MMU */
        size_t bytes;  /**< size in bytes, a power of two, at least the requested size */
        void *block;   /**< pages of the memory; private to the allocator */
};

/**
 * Allocates contiguous memory for devices. The devices that nova_assign_pci() assigned to this
 * program can access it (D bit).
 * @code
 * struct nova_dma ring;
 *
 * if (nova_dma_alloc(4096, &ring) == 0) {
 *         printf("the device uses address %llx\n", (unsigned long long)ring.phys);
 *         nova_dma_free(&ring);
 * }
 * @endcode
 * @param bytes size in bytes; rounded up to a power of two, at least one page, to which the memory
 * is aligned
 * @retval 0      @p dma is valid
 * @retval EINVAL @p bytes is 0
 * @retval EPERM  the parent does not grant DMA
 * @retval ENOMEM there are not enough contiguous pages, addresses or kernel memory
 */
int nova_dma_alloc(size_t bytes, struct nova_dma *dma);

/** Frees memory for devices. When the function returns, no device can access the memory through the
 * I/O MMU. */
void nova_dma_free(struct nova_dma *dma);

#ifdef __cplusplus
}
#endif

#endif
