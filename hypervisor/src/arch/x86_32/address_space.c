/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-32: a PDPT whose last entry points to the kernel's page
 * directory. All PDs without an I/O bitmap of their own share this directory. */
#include "arch/x86/address_space.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/pte.h"
#include "layout.h"
#include "lib/string.h"
#include "memory/frame.h"

#define KERNEL_SLOT 3

bool address_space_init(struct address_space *space)
{
        *space = (struct address_space){.cr3 = (word_t)pool_to_phys(space)};
        space->root[KERNEL_SLOT] = kernel_pd_phys | PTE_PRESENT;
        return true;
}

void address_space_fini(struct address_space *space)
{
        if (space->window) {
                frame_free(space->window);
                frame_free(space->window_path);
        }
}

uint64_t *address_space_window(struct address_space *space)
{
        if (space->window)
                return space->window;

        uint64_t *pd = frame_alloc(), *pt = frame_alloc();
        if (!pd || !pt) {
                if (pd)
                        frame_free(pd);
                if (pt)
                        frame_free(pt);
                return NULL;
        }
        memcpy(pd, phys_to_pool(kernel_pd_phys), PAGE_SIZE);
        memcpy(pt, window_table, PAGE_SIZE);
        pd[WINDOW_BASE >> 21 & 511] = pool_to_phys(pt) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
        space->root[KERNEL_SLOT] = pool_to_phys(pd) | PTE_PRESENT;
        space->window = pt;
        space->window_path = pd;
        return pt;
}

unsigned address_space_frames(const struct address_space *space)
{
        return space->window ? 2 : 0;
}
