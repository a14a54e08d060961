/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions: ranges of this program's addresses, with or without memory. */
#ifndef NOVART_REGION_H
#define NOVART_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "nova/abi/crd.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reserves addresses without memory, for receive windows and UTCBs.
 * @code
 * // A window for 16 pages that a message will bring.
 * void *window = nova_region_reserve(16 * NOVA_PAGE_SIZE);
 * const nova_word_t page = (nova_word_t)window >> NOVA_PAGE_BITS;
 *
 * if (window)
 *         nova_utcb_set_windows(nova_thread_utcb(), 0, nova_crd_mem(page, 4, NOVA_MEM_RWX));
 * @endcode
 * @param bytes rounded up to whole pages; if the rounded size is a power of two, the address is a
 * multiple of it
 * @return the first address; NULL if no addresses, or no page for the region's record, are left
 */
void *nova_region_reserve(size_t bytes);

/**
 * Reserves addresses for lazy memory: a zero-filled page appears when a thread first touches it.
 *
 * If no page is left when a thread touches the memory, the thread ends with a report; in a child,
 * the whole program ends.
 * @code
 * char *table = nova_region_lazy("table", 64ul << 20);
 *
 * if (table) {
 *         table[5000] = 1; // allocates one page
 *         nova_region_free(table);
 * }
 * @endcode
 * @param name  for reports; the first 23 characters are copied
 * @param bytes rounded up to whole pages; aligned as by nova_region_reserve()
 * @return the first address; NULL if no addresses, or no page for the region's record, are left
 */
void *nova_region_lazy(const char *name, size_t bytes);

/**
 * Reserves memory for a stack. A guard page lies below the stack: a thread that touches this page
 * ends with the report of a stack overflow; in a child, the whole program ends. The stack's highest
 * page is mapped at once, the others on first touch.
 *
 * @param bytes rounded up to whole pages
 * @return the lowest address; the stack begins at the end of the memory. NULL if @p bytes is 0, or
 *         if no addresses or no page is left
 */
void *nova_stack_alloc(size_t bytes);

/**
 * Gives a region a name for reports; a stack has the name of its thread.
 *
 * @param addr an address in the region
 * @param name the first 23 characters are copied
 * @retval 0      done
 * @retval EINVAL there is no region at @p addr
 */
int nova_region_name(void *addr, const char *name);

/**
 * Allocates the pages of a range in advance, so that accesses cause no page faults.
 * @code
 * // This buffer must not cause a page fault later, when memory may be exhausted.
 * char *buffer = nova_region_lazy("buffer", 65536);
 *
 * if (buffer && nova_region_commit(buffer, 65536))
 *         nova_region_free(buffer);
 * @endcode
 * @param addr, bytes range inside one region of any kind, into which no other program has mapped
 *                    anything
 * @retval 0      done
 * @retval EINVAL the range is not inside one region, or it contains the guard page of a stack
 * @retval ENOMEM not enough pages or kernel memory; pages that were allocated stay
 */
int nova_region_commit(void *addr, size_t bytes);

/**
 * Frees a region: revokes its pages from this program and from all programs that got them from
 * these addresses, and returns them to the pool.
 *
 * Another thread that touches the region meanwhile gets a page of the region or a fault, never a
 * page of another owner.
 * @param addr an address in the region
 * @retval 0      done
 * @retval EINVAL there is no region at @p addr
 */
int nova_region_free(void *addr);

/**
 * Frees the end of a region, like nova_region_free(). With @p bytes 0 it frees the whole region.
 *
 * @param addr  an address in the region, which is not a stack
 * @param bytes size of the part that stays, rounded up to whole pages
 * @retval 0      done
 * @retval EINVAL there is no region at @p addr, the region is smaller than @p bytes, or it
 *                is a stack
 */
int nova_region_shrink(void *addr, size_t bytes);

/**
 * Maps physical memory: registers of devices, tables of the firmware. Only a root may do this.
 *
 * nova_region_free() unmaps it.
 * @code
 * void *screen;
 *
 * if (nova_map_physical(0xb8000, 4000, NOVA_MEM_R | NOVA_MEM_W, &screen) == 0)
 *         *(volatile uint16_t *)screen = 0x0700 | 'N';
 * @endcode
 * @param phys, bytes the range; whole pages are mapped
 * @param perms       an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @param[out] out    the virtual address of @p phys
 * @retval 0      done
 * @retval EPERM  the program is not a root
 * @retval EINVAL @p bytes is 0, or no descriptor can name the range
 * @retval ENOMEM no addresses or no kernel memory
 * @retval EACCES the kernel does not delegate the whole range
 */
int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out);

/**
 * Maps pages a second time in this program by delegating them to itself.
 * @code
 * extern char *page; // of nova_page_alloc(0)
 * char *twice = nova_region_reserve(NOVA_PAGE_SIZE);
 *
 * if (twice && nova_self_map((nova_word_t)page >> NOVA_PAGE_BITS,
 *                            (nova_word_t)twice >> NOVA_PAGE_BITS, 0, NOVA_MEM_R) == 0)
 *         printf("%d\n", page[0] == twice[0]); // prints 1
 * @endcode
 * @param from_page, to_page page numbers (address / 4096), multiples of 2^order
 * @param order              2^order pages
 * @param perms              an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @retval 0      done
 * @retval ENOMEM no kernel memory
 * @retval EACCES some of the pages are not mapped
 * @spec 3.5
 */
int nova_self_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms);

/**
 * Gets memory, ports or objects from the kernel. Only a root may do this.
 * @code
 * // The real-time clock's ports.
 * if (nova_request(nova_crd_io(0x70, 1), 0x70) == 0)
 *         puts("the clock is ours");
 * @endcode
 * @param crd the range: page numbers are physical; objects are idle SCs and interrupt semaphores
 * @param to  destination page number or selector; a port keeps its number
 * @retval 0      done
 * @retval EPERM  the program is not a root
 * @retval ENOMEM no kernel memory
 * @retval EACCES the kernel does not delegate the whole range
 * @spec 6.1.1
 */
int nova_request(nova_crd_t crd, nova_sel_t to);

/**
 * Moves the end of the heap. malloc() calls this.
 *
 * @param bytes growth; negative to shrink
 * @return the former end; (void *)-1 if there are not enough pages. New pages are already mapped
 */
void *nova_sbrk(ptrdiff_t bytes);

#ifdef __cplusplus
}
#endif

#endif
