/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-64: a PML4 whose kernel half points to shared tables. */
#include "arch/x86/address_space.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/pte.h"
#include "layout.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "pcid.h"

#define SLOT(address) ((address) >> 39 & 511)

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

bool address_space_init(struct address_space *space)
{
        const uint64_t *kernel = phys_to_pool(kernel_root_phys);
        uint64_t *root = frame_alloc_zeroed();

        if (!root)
                return false;
        root[SLOT(POOL_OFFSET)] = kernel[SLOT(POOL_OFFSET)];
        root[SLOT(WINDOW_BASE)] = kernel[SLOT(WINDOW_BASE)];
        root[SLOT(CPU_BASE)] = kernel[SLOT(CPU_BASE)];
        *space = (struct address_space){
                .root = root, .cr3 = pool_to_phys(root) | pcid_alloc(), .stale = ~(uint64_t)0};
        return true;
}

void address_space_fini(struct address_space *space)
{
        pcid_free(space->cr3 & CR3_PCID);
        if (space->window) {
                frame_free(space->window);
                frame_free(space->window_path[0]);
                frame_free(space->window_path[1]);
        }
        frame_free(space->root);
}

uint64_t *address_space_window(struct address_space *space)
{
        if (space->window)
                return space->window;

        uint64_t *pdpt = frame_alloc_zeroed(), *pd = frame_alloc_zeroed(), *pt = frame_alloc();
        if (!pdpt || !pd || !pt) {
                if (pdpt)
                        frame_free(pdpt);
                if (pd)
                        frame_free(pd);
                if (pt)
                        frame_free(pt);
                return NULL;
        }
        memcpy(pt, window_table, PAGE_SIZE);
        pd[WINDOW_BASE >> 21 & 511] = pool_to_phys(pt) | TABLE_FLAGS;
        pdpt[WINDOW_BASE >> 30 & 511] = pool_to_phys(pd) | TABLE_FLAGS;
        space->root[SLOT(WINDOW_BASE)] = pool_to_phys(pdpt) | TABLE_FLAGS;
        space->window = pt;
        space->window_path[0] = pdpt;
        space->window_path[1] = pd;
        return pt;
}

unsigned address_space_frames(const struct address_space *space)
{
        return space->window ? 4 : 1;
}
