/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of an address space on x86-32. */
#ifndef ARCH_ADDRESS_SPACE_WIDTH_H
#define ARCH_ADDRESS_SPACE_WIDTH_H

#include "lib/types.h"

struct address_space {
        uint64_t root[4] __attribute__((aligned(32))); /* PDPT; the last entry is the kernel's */
        word_t cr3;                                    /* physical address of root */
        uint64_t *window;      /* own page table of the window, if the PD has ports, or NULL */
        uint64_t *window_path; /* own copy of the kernel's page directory, or NULL */
};

/** Number of frames of an address space's own window. */
#define WINDOW_FRAMES 2

#endif
