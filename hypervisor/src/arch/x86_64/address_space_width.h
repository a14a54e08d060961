/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-64. */
#ifndef ARCH_ADDRESS_SPACE_WIDTH_H
#define ARCH_ADDRESS_SPACE_WIDTH_H

#include "lib/types.h"

struct address_space {
        uint64_t *root;   /* PML4; all address spaces share the entries of the kernel half */
        word_t cr3;       /* physical address of root, and the PCID */
        uint64_t stale;   /* CPUs that may cache outdated translations of the PCID; atomic */
        uint64_t *window; /* own page table of the window, if the PD has ports, or NULL */
        uint64_t *window_path[2]; /* own directories above that page table, or NULL */
};

/** Number of frames of an address space's own window. */
#define WINDOW_FRAMES 3

#endif
