/* SPDX-License-Identifier: BSD-2-Clause */
/* A boot loader's information by version 2 of the protocol. */
#ifndef FIRMWARE_MULTIBOOT2_H
#define FIRMWARE_MULTIBOOT2_H

#include "lib/types.h"

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289

/** Offset of the first tag that is damaged, 0 when none is. */
extern uint32_t multiboot2_damaged;

/** Reads the information at a physical address into memory_map, acpi_loader_rsdp and what
 *  firmware/multiboot.h declares. Nothing it says is trusted. False when there cannot be any. */
bool multiboot2_read(paddr_t info);

#endif
