/* SPDX-License-Identifier: BSD-2-Clause */
/* What the root PD may know about the boot: an extension, read through the information page. */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "firmware/multiboot.h"
#include "nova/abi/hip.h"

/* A page of its own, because the root PD can map it. */
struct boot_info {
        struct nova_boot boot;
        char cmdline[MULTIBOOT_CMDLINE];
} __attribute__((aligned(NOVA_PAGE_SIZE)));

_Static_assert(sizeof(struct boot_info) == NOVA_PAGE_SIZE, "nothing else lies in the page");

/** Stamps are written when their moment comes. */
extern struct boot_info boot_info;

/** Copies what the loader reported, and says where the log is. */
void boot_info_fill(void);

#endif
