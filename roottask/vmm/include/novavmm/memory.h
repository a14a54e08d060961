/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's RAM: one range of guest-physical addresses that begins at 0, and its address in the
 * monitor. */
#ifndef NOVAVMM_MEMORY_H
#define NOVAVMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum size of a guest's RAM; devices lie above. */
#define NOVA_GUEST_MEMORY_MAX 0xc0000000u

/** Maximum number of page blocks that make up the RAM. */
#define NOVA_GUEST_BLOCKS 64

/** Maximum number of overlay pages (novavmm/overlay.h). */
#define NOVA_OVERLAYS 32

/** Maximum number of blocks of 2 MiB that overlay pages cut in a machine whose RAM others use, too:
 * a function that is passed through, or the ultravisor. */
#define NOVA_OVERLAY_BLOCKS 64

/** An overlay page: a frame of the monitor that covers a page of RAM. */
struct nova_overlay {
        uint64_t page;   /**< number of the guest-physical page */
        uint8_t *frame;  /**< the page that the guest sees, at its address in the monitor */
        unsigned rights; /**< the guest's permissions: NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X */
};

/**
 * Finds RAM that a monitor provides page by page.
 *
 * @param context  context of the memory
 * @param address  guest-physical address
 * @param bytes    number of bytes, all of them in one page
 * @param write    the bytes will be written
 * @return their address in the monitor, valid until the end of the exit that is being handled;
 *         NULL: there is no RAM, or the guest may not write it
 */
typedef void *nova_guest_find(void *context, uint64_t address, size_t bytes, bool write);

/** A guest's RAM. A monitor accesses it through the functions below, which check each address. */
struct nova_guest_memory {
        uint8_t *base; /**< address of guest-physical address 0 in the monitor */
        size_t bytes;  /**< size in bytes, whole pages */
        struct {
                void *page;                         /**< first page of the block */
                unsigned order;                     /**< the block has 2^order pages */
        } block[NOVA_GUEST_BLOCKS];                 /**< blocks from the allocator */
        unsigned blocks;                            /**< blocks in use */
        struct nova_overlay overlay[NOVA_OVERLAYS]; /**< overlay pages, the last one on top */
        unsigned overlays;                          /**< entries of `overlay` in use */
        unsigned overlay_changes;                   /**< number of changes of `overlay` */
        /** a bit for each 2 MiB of RAM that overlay pages have cut, so that the guest has them in
         * small pages */
        uint32_t cut[(NOVA_GUEST_MEMORY_MAX >> 21) / 32];
        unsigned cuts;                /**< number of cuts since blocks were joined */
        bool keeps_cuts;              /**< others use the RAM, too: blocks are not joined again */
        uint64_t bare[NOVA_OVERLAYS]; /**< pages of such RAM that overlay pages have left, and that
                                       * the guest does not have yet */
        unsigned bares;               /**< entries of `bare` in use */
        uint8_t *frames;              /**< frames of nova_overlay_create(), or NULL */
        void *frame_pages;            /**< the frames, at their address from the allocator */
        unsigned frames_order;        /**< number of the frames is 2^order */
        /** Finds RAM that the monitor provides (nova_vm_config.own_memory); `base` and `bytes` are
         * then 0. NULL: the RAM is at `base`. */
        nova_guest_find *find;
        nova_guest_find *find_table; /**< finds page tables; NULL: as `find` */
        void *find_context;          /**< context of `find` and `find_table` */
};

/**
 * Allocates RAM, filled with zero.
 *
 * @param bytes rounded up to 2 MiB
 * @retval 0      done
 * @retval EINVAL @p bytes is 0 or above NOVA_GUEST_MEMORY_MAX
 * @retval ENOMEM not enough memory: the field `bytes` is the size of the RAM for which there were
 *                blocks of 2 MiB; these blocks are free again. The field is the whole size if the
 *                program lacks a free region of addresses for the RAM; on x86-32 a region has at
 *                most 512 MiB
 * @retval EAGAIN no more kernel memory
 * @retval EACCES the program may not have executable memory: its parent must let it have children
 */
int nova_guest_memory_create(struct nova_guest_memory *memory, size_t bytes);

/**
 * Maps pages of the program a second time, so that a guest can execute them. For monitors that
 * provide RAM themselves (nova_vm_config.own_memory).
 *
 * @param page  first page, from nova_page_alloc()
 * @param to    address of the second mapping, in a region of nova_region_reserve()
 * @param order number of pages is 2^order; both addresses are multiples of their size
 * @retval 0      done
 * @retval ENOMEM no more kernel memory
 * @retval EACCES the program may not have executable memory: its parent must let it have children
 */
int nova_guest_memory_map(void *page, void *to, unsigned order);

/** Frees RAM. No guest may use it any more. */
void nova_guest_memory_destroy(struct nova_guest_memory *memory);

/** Returns true if an overlay page covers a part of [@p address, @p address + @p bytes). */
bool nova_guest_is_covered(const struct nova_guest_memory *memory, uint64_t address,
                           uint64_t bytes);

/** Returns the monitor's address of [@p address, @p address + @p bytes), NULL if not all of it is
 * RAM, or if an overlay page covers a part of it. */
static inline void *nova_guest_pointer(const struct nova_guest_memory *memory, uint64_t address,
                                       uint64_t bytes)
{
        if (memory->find)
                return memory->find(memory->find_context, address, bytes, true);
        if (address > memory->bytes || bytes > memory->bytes - address)
                return NULL;
        if (memory->overlays && nova_guest_is_covered(memory, address, bytes))
                return NULL;
        return memory->base + address;
}

/** Copies @p bytes from @p from to RAM at @p address. @return false, and nothing was copied, if not
 * all of it is RAM that no overlay page covers */
bool nova_guest_write(const struct nova_guest_memory *memory, uint64_t address, const void *from,
                      size_t bytes);

/**
 * Copies @p bytes of RAM at @p address to @p to. Where an overlay page covers RAM, it copies what
 * the guest sees there.
 * @code
 * extern struct nova_guest_memory memory;
 * uint32_t header;
 *
 * // Copied first, then checked: another virtual CPU may change it meanwhile.
 * if (nova_guest_read(&memory, 0x1000, &header, sizeof(header)))
 *         printf("%x\n", (unsigned)header);
 * @endcode
 * @return false, and nothing was copied, if not all of it is RAM
 */
bool nova_guest_read(const struct nova_guest_memory *memory, uint64_t address, void *to,
                     size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
