/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-32. */
#ifndef ARCH_ADDRESS_SPACE_H
#define ARCH_ADDRESS_SPACE_H

#include "lib/types.h"

struct address_space {
        uint64_t root[4] __attribute__((aligned(32))); /* PDPT; the last entry is the kernel's */
        word_t cr3;                                    /* physical address of root */
        uint64_t *window;      /* own page table of the window, if the PD has ports, or NULL */
        uint64_t *window_path; /* own copy of the kernel's page directory, or NULL */
};

/** Makes an address space without user mappings. The struct lies in the pool, aligned to 32 bytes.
 *  @return false if there is no memory */
bool address_space_init(struct address_space *space);

/** Frees an address space that no CPU has loaded and whose user half is empty. */
void address_space_fini(struct address_space *space);

/** Gives the address space its own page table for the window, if it has none yet.
 *  @return the page table, or NULL if there is no memory */
uint64_t *address_space_window(struct address_space *space);

/** Number of frames of an address space's own window. */
#define WINDOW_FRAMES 2

/** Returns the number of frames of the root and the window, which the account pays. */
unsigned address_space_frames(const struct address_space *space);

#endif
