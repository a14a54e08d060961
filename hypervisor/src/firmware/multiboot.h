/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot loader's information: reads it into memory_map and the command line. */
#ifndef FIRMWARE_MULTIBOOT_H
#define FIRMWARE_MULTIBOOT_H

#include "lib/types.h"

#define MULTIBOOT_LOADER_MAGIC 0x2badb002

/** Characters of the kernel's command line that are read. */
#define MULTIBOOT_CMDLINE 512

/** The kernel's command line; empty when there is none. */
extern char multiboot_cmdline[MULTIBOOT_CMDLINE];

/** The loader's name; empty when it gives none. */
extern char multiboot_loader[64];

/** Reads the information of a loader that left magic, at a physical address. Nothing it says is
 *  trusted. False when the magic is of no protocol that is understood. */
bool multiboot_read(uint32_t magic, paddr_t info);

/** Reads the string at a physical address: what fits in size bytes before a final 0, which the
 *  caller has written. Takes the boot window 1. */
void multiboot_string(paddr_t phys, char *to, unsigned size);

#endif
