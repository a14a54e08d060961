/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of a PD's address space. Its page tables are frames of the kernel's pool. */
#ifndef ARCH_X86_ADDRESS_SPACE_H
#define ARCH_X86_ADDRESS_SPACE_H

#include "address_space_width.h"

/** Makes an address space without user mappings. @return false if there is no memory */
bool address_space_init(struct address_space *space);

/** Frees an address space that no CPU has loaded and whose user half is empty. */
void address_space_fini(struct address_space *space);

/** Gives the address space its own page table for the window, if it has none yet.
 *  @return the page table, or NULL if there is no memory */
uint64_t *address_space_window(struct address_space *space);

/** Returns the number of frames of the root and the window, for which the account pays. */
unsigned address_space_frames(const struct address_space *space);

#endif
