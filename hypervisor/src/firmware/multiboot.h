/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot loader's information: reads it into memory_map and the command line. */
#ifndef FIRMWARE_MULTIBOOT_H
#define FIRMWARE_MULTIBOOT_H

#include "lib/types.h"

#define MULTIBOOT_LOADER_MAGIC 0x2badb002

/** Size of the buffer for the kernel's command line. */
#define MULTIBOOT_CMDLINE 512

/** The kernel's command line; empty: there is none. */
extern char multiboot_cmdline[MULTIBOOT_CMDLINE];

/** The loader's name; empty: the loader gives none. */
extern char multiboot_loader[64];

/** Reads the information at a physical address. The loader has passed magic, which identifies its
 * protocol. The information is not trusted. Returns false if magic belongs to no known protocol. */
bool multiboot_read(uint32_t magic, paddr_t info);

#endif
