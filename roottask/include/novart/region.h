/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions: ranges of this program's addresses, with memory behind them or without. */
#ifndef NOVART_REGION_H
#define NOVART_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "nova/abi/crd.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Take addresses without memory: for windows that receive, for UTCBs.
 *
 * @param bytes rounded up to whole pages; if that is a power of two, the address is a multiple of
 * it
 * @return the first address; NULL if there are none, or no page to note it
 */
void *nova_region_reserve(size_t bytes);

/**
 * Take addresses to which memory comes, filled with zero, when they are touched.
 *
 * A touch for which there is no page ends the thread with a report.
 * @code
 * char *table = nova_region_lazy("table", 64ul << 20);
 *
 * if (table) {
 *         table[5000] = 1; // one page comes
 *         nova_region_free(table);
 * }
 * @endcode
 * @param name  for reports; the first 23 characters are copied
 * @param bytes rounded up to whole pages; aligned as by nova_region_reserve()
 * @return the first address; NULL if there are none, or no page to note it
 */
void *nova_region_lazy(const char *name, size_t bytes);

/**
 * Take memory for a stack. Below it is a page to which nothing ever comes: who runs into it is
 * reported with a stack overflow. The highest page is there at once, the others come.
 *
 * @param bytes rounded up to whole pages
 * @return the lowest address; the stack begins at its end. NULL: no addresses or no page
 */
void *nova_stack_alloc(size_t bytes);

/**
 * Give a region a name for reports; a stack has that of its thread.
 *
 * @param addr an address in the region
 * @param name the first 23 characters are copied
 * @retval 0      done
 * @retval EINVAL no region is there
 */
int nova_region_name(void *addr, const char *name);

/**
 * Make sure that there is memory: no page fault comes from these addresses any more.
 *
 * @param addr, bytes of one region of any kind, in which nothing was mapped by others
 * @retval 0      done
 * @retval EINVAL they are not, or the guard page of a stack is in it
 * @retval ENOMEM not enough pages or kernel memory; what there was stays
 */
int nova_region_commit(void *addr, size_t bytes);

/**
 * Give a region back: what is mapped there is taken away, from this program and from all who got it
 * from these addresses; its pages return to the pool.
 *
 * Other threads may touch it meanwhile: they get a page in time or a fault, never a page that
 * belongs to somebody else.
 * @param addr an address in the region
 * @retval 0      done
 * @retval EINVAL no region is there
 */
int nova_region_free(void *addr);

/**
 * Give the end of a region back; as nova_region_free(), which @p bytes 0 is.
 *
 * @param addr  an address in the region, which is not a stack
 * @param bytes what stays, rounded up to whole pages
 * @retval 0      done
 * @retval EINVAL no region is there, or it is smaller
 */
int nova_region_shrink(void *addr, size_t bytes);

/**
 * Make physical memory visible: registers of devices, tables of the firmware. For roots.
 *
 * nova_region_free() takes it away.
 * @param phys, bytes what; whole pages are mapped
 * @param perms       an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @param[out] out    where @p phys is to be found
 * @retval 0      done
 * @retval EPERM  the program is not a root
 * @retval EINVAL @p bytes is 0, or the range cannot be named
 * @retval ENOMEM no addresses or no kernel memory
 * @retval EACCES the kernel does not give all of it
 */
int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out);

/**
 * Delegate pages to oneself: make them visible at a second place.
 *
 * @param from_page, to_page page numbers (address / 4096), multiples of 2^order
 * @param order              2^order pages
 * @param perms              an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 * @retval 0      done
 * @retval ENOMEM no kernel memory
 * @retval EACCES some of it is not there
 * @spec 3.5
 */
int nova_self_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms);

/**
 * Get memory, ports or objects of the kernel. For roots.
 *
 * @param crd what: page numbers are physical; objects are idle SCs and interrupt semaphores
 * @param to  page number or selector at which it is to be; a port keeps its number
 * @retval 0      done
 * @retval EPERM  the program is not a root
 * @retval ENOMEM no kernel memory
 * @retval EACCES the kernel does not give all of it
 * @spec 6.1.1
 */
int nova_request(nova_crd_t crd, nova_sel_t to);

/**
 * Move the end of the heap. malloc() calls this.
 *
 * @param bytes more, or less if negative
 * @return the former end; (void *)-1 if there are not enough pages. Pages are there when it returns
 */
void *nova_sbrk(ptrdiff_t bytes);

#ifdef __cplusplus
}
#endif

#endif
