/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot loader's information in version 2 of the Multiboot protocol. */
#ifndef FIRMWARE_MULTIBOOT2_H
#define FIRMWARE_MULTIBOOT2_H

#include "lib/types.h"

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289

/** Offset of the first damaged tag; 0: no tag is damaged. */
extern uint32_t multiboot2_damaged;

/** Reads the information at a physical address into memory_map, acpi_loader_rsdp and the variables
 * of firmware/multiboot.h. Does not trust the information. Returns false if there is none. */
bool multiboot2_read(paddr_t info);

#endif
