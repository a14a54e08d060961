/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 1 information (Multiboot Specification 0.6.96, 3.3). The loader's numbers are not
 * trusted: counts are limited, and addresses are accessed only through boot_map(). */
#include "firmware/multiboot.h"

#include "arch/x86/boot_paging.h"
#include "firmware/memory_map.h"
#include "firmware/multiboot2.h"
#include "lib/string.h"
#include "nova/abi/hip.h"

#define INFO_MEMORY  0x1
#define INFO_CMDLINE 0x4
#define INFO_MODULES 0x8
#define INFO_MAP     0x40
#define INFO_LOADER  0x200

/* Limits on the amount of information that the kernel reads. */
#define MAP_BYTES_MAX 0x10000
#define MODULES_MAX   1024

struct info {
        uint32_t flags;
        uint32_t mem_lower; /* size in KiB of the RAM that begins at address 0 */
        uint32_t mem_upper; /* size in KiB of the RAM that begins at 1 MiB */
        uint32_t boot_device;
        uint32_t cmdline;
        uint32_t modules;
        uint32_t module_list;
        uint32_t symbols[4];
        uint32_t map_length;
        uint32_t map;
        uint32_t drives[2];
        uint32_t config;
        uint32_t loader; /* physical address of the boot loader's name */
};

struct module {
        uint32_t start;
        uint32_t end;
        uint32_t cmdline;
        uint32_t reserved;
};

struct map_entry {
        uint32_t size; /* bytes after this field */
        uint64_t start;
        uint64_t length;
        uint32_t type;
} __attribute__((packed));

char multiboot_cmdline[MULTIBOOT_CMDLINE], multiboot_loader[64];

static void multiboot_read_modules(paddr_t phys, uint32_t count)
{
        for (uint32_t i = 0; i < count && i < MODULES_MAX; i++) {
                struct module module;
                const void *place = boot_map(0, phys + i * sizeof(module), sizeof(module));

                if (!place)
                        return;
                memcpy(&module, place, sizeof(module));
                memory_map_add_module(module.start, module.end, module.cmdline);
        }
        if (count > MODULES_MAX)
                memory_map.dropped_modules += count - MODULES_MAX;
}

static void multiboot_read_map(paddr_t phys, uint32_t length)
{
        const char *map;
        uint32_t at = 0;

        if (length > MAP_BYTES_MAX)
                length = MAP_BYTES_MAX;
        map = boot_map(0, phys, length);
        if (!map)
                return;
        /*@ loop invariant at <= length; */
        while (length - at >= sizeof(struct map_entry)) {
                struct map_entry entry;

                memcpy(&entry, map + at, sizeof(entry));
                if (entry.size < sizeof(entry) - sizeof(entry.size))
                        return;
                memory_map_add(entry.start, entry.length, entry.type);
                if (entry.size > length - at - sizeof(entry.size))
                        return;
                at += entry.size + (uint32_t)sizeof(entry.size);
        }
}

bool multiboot_read(uint32_t magic, paddr_t phys)
{
        struct info info;
        const void *place;

        if (magic == MULTIBOOT2_LOADER_MAGIC && phys)
                return multiboot2_read(phys);
        if (magic != MULTIBOOT_LOADER_MAGIC || !phys)
                return false;
        place = boot_map(0, phys, sizeof(info));
        if (!place)
                return false;
        memcpy(&info, place, sizeof(info));

        if (info.flags & INFO_CMDLINE)
                memory_map_string(info.cmdline, multiboot_cmdline, sizeof(multiboot_cmdline));
        if (info.flags & INFO_LOADER)
                memory_map_string(info.loader, multiboot_loader, sizeof(multiboot_loader));
        if (info.flags & INFO_MODULES)
                multiboot_read_modules(info.module_list, info.modules);
        if (info.flags & INFO_MAP) {
                multiboot_read_map(info.map, info.map_length);
        } else if (info.flags & INFO_MEMORY) {
                memory_map_add(0, (uint64_t)info.mem_lower << 10, NOVA_MEM_AVAILABLE);
                memory_map_add(0x100000, (uint64_t)info.mem_upper << 10, NOVA_MEM_AVAILABLE);
        }
        return true;
}
