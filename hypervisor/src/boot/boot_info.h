/* SPDX-License-Identifier: BSD-2-Clause */
/* Information about the boot (extension). The root PD finds it through the HIP. */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "firmware/multiboot.h"
#include "nova/abi/hip.h"

/* Fills a page of its own, because the root PD can map this page. */
struct boot_info {
        struct nova_boot boot;
        char cmdline[MULTIBOOT_CMDLINE];
} __attribute__((aligned(NOVA_PAGE_SIZE)));

_Static_assert(sizeof(struct boot_info) == NOVA_PAGE_SIZE, "nothing else is in the page");

/** The information. Each time stamp is written at the event that it records. */
extern struct boot_info boot_info;

/** Copies the boot loader's information, and records the location of the log. */
void boot_info_fill(void);

#endif
