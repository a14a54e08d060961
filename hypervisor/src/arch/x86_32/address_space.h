/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-32. */
#ifndef ARCH_ADDRESS_SPACE_H
#define ARCH_ADDRESS_SPACE_H

#include "lib/types.h"

struct address_space {
        uint64_t root[4] __attribute__((aligned(32))); /* PDPT; the last entry is the kernel's */
        word_t cr3;                                    /* its physical address */
        uint64_t *window;      /* page table of the window if the PD has ports, else NULL */
        uint64_t *window_path; /* … and its copy of the kernel's page directory */
};

/** Makes an address space without user mappings. It lies in the pool, aligned to 32 bytes. */
bool address_space_init(struct address_space *space);

/** Frees it; no CPU has it loaded, its user half is empty. */
void address_space_fini(struct address_space *space);

/** Page table of the window, the address space's own from now on. NULL: no memory. */
uint64_t *address_space_window(struct address_space *space);

/** Frames that the window takes when it is the address space's own. */
#define WINDOW_FRAMES 2

/** Frames that root and window take, for the account. */
unsigned address_space_frames(const struct address_space *space);

#endif
