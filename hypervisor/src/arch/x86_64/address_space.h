/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-64. */
#ifndef ARCH_ADDRESS_SPACE_H
#define ARCH_ADDRESS_SPACE_H

#include "lib/types.h"

struct address_space {
        uint64_t *root;           /* PML4; the slots of the kernel half are those of all */
        word_t cr3;               /* its physical address and the PCID */
        uint64_t stale;           /* CPUs that may hold lost translations of the PCID; atomic */
        uint64_t *window;         /* page table of the window if the PD has ports, else NULL */
        uint64_t *window_path[2]; /* … and the directories that lead there */
};

/** Makes an address space without user mappings. false: no memory. */
bool address_space_init(struct address_space *space);

/** Frees it; no CPU has it loaded, its user half is empty. */
void address_space_fini(struct address_space *space);

/** Page table of the window, the address space's own from now on. NULL: no memory. */
uint64_t *address_space_window(struct address_space *space);

/** Frames that the window takes when it is the address space's own. */
#define WINDOW_FRAMES 3

/** Frames that root and window take, for the account. */
unsigned address_space_frames(const struct address_space *space);

#endif
