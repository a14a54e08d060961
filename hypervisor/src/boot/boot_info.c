/* SPDX-License-Identifier: BSD-2-Clause */
/* Information about the boot for the root PD (see boot_info.h). */
#include "boot/boot_info.h"

#include "lib/console.h"
#include "lib/string.h"

struct boot_info boot_info;

_Static_assert(sizeof(multiboot_loader) == sizeof(boot_info.boot.loader), "the name fits");

void boot_info_fill(void)
{
        console_log.head.size = sizeof(console_log.ring);
        console_log.head.offset = offsetof(struct console_log, ring);
        boot_info.boot.size = sizeof(boot_info.boot);
        memcpy(boot_info.boot.loader, multiboot_loader, sizeof(multiboot_loader));
        memcpy(boot_info.cmdline, multiboot_cmdline, sizeof(multiboot_cmdline));
}
