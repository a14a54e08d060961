/* SPDX-License-Identifier: BSD-2-Clause */
/* Overlay pages: pages of the monitor that cover pages of a guest's RAM. The covered RAM
 * stays unchanged; the guest sees it again when the overlay page is removed. */
#ifndef NOVAVMM_OVERLAY_H
#define NOVAVMM_OVERLAY_H

#include "novavmm/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Allocates frames for overlay pages, filled with zero. Call before nova_vm_run(). They are freed
 * with the RAM.
 *
 * @code
 * extern struct nova_vm vm;
 *
 * if (nova_overlay_create(&vm.memory, 1) == 0)
 *         printf("%p\n", (void *)vm.memory.frames); // a frame for nova_overlay_map()
 * @endcode
 * @param memory the guest's RAM
 * @param frames number of frames, 1 to NOVA_OVERLAYS; they begin at nova_guest_memory.frames
 * @retval 0      done
 * @retval EINVAL 0 frames, or too many
 * @retval EBUSY  the RAM has frames already
 * @retval ENOMEM not enough memory
 * @retval EAGAIN no more kernel memory
 * @retval EACCES the program may not have executable memory
 */
int nova_overlay_create(struct nova_guest_memory *memory, unsigned frames);

/**
 * Covers a page of RAM with a frame, or moves the frame there. The last frame that was mapped at a
 * page is on top. TLFS 5.2.1.
 *
 * A write without permission raises #GP in the guest. When the function returns, no virtual CPU has
 * a stale translation. Call it before the machine starts or, if the machine has only one virtual
 * CPU, while you handle an exit and hold the machine's lock. With several virtual CPUs, the reply
 * to an exit of another virtual CPU may still map the earlier page; only the library's own handlers
 * wait for such replies before they move a page.
 * @param memory the guest's RAM
 * @param page   number of the guest-physical page
 * @param frame  a frame that nova_overlay_create() allocated
 * @param rights the guest's rights: NOVA_MEM_R, optionally with NOVA_MEM_W and NOVA_MEM_X
 * @retval 0      done
 * @retval EINVAL there is no such page of RAM, or no NOVA_MEM_R; nothing changed
 * @retval ENOSPC NOVA_OVERLAYS frames are mapped, or NOVA_OVERLAY_BLOCKS blocks are cut; nothing
 *                changed
 */
int nova_overlay_map(struct nova_guest_memory *memory, uint64_t page, uint8_t *frame,
                     unsigned rights);

/** Removes a frame from the guest's RAM. Has no effect if it is not mapped. May be called in the
 * same situations as nova_overlay_map(). */
void nova_overlay_unmap(struct nova_guest_memory *memory, const uint8_t *frame);

/** Returns the overlay page that the guest sees at guest-physical address @p address, or NULL. It
 * is valid until the next change. */
const struct nova_overlay *nova_overlay_find(const struct nova_guest_memory *memory,
                                             uint64_t address);

#ifdef __cplusplus
}
#endif

#endif
