/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads Linux (see novavmm/load.h); Linux's Documentation/x86/boot.rst and zero-page.rst. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"

/* Addresses of the parts, all of them below 1 MiB. */
#define GDT          0x6000
#define BOOT_PARAMS  0x10000
#define COMMAND_LINE 0x20000
#define PAGE_TABLES  0x70000
#define RAM_END      0xa0000
#define RAM_BEGIN    0x100000

#define PAGE 4096u

/* Fields of the setup header, by their offset in the file and in the boot parameters. */
#define SETUP_SECTORS   0x1f1
#define UNITS           0x1f4
#define BOOT_FLAG       0x1fe
#define JUMP            0x200
#define MAGIC           0x202
#define VERSION         0x206
#define LOADER          0x210
#define LOAD_FLAGS      0x211
#define INITRD          0x218
#define INITRD_BYTES    0x21c
#define COMMAND_LINE_AT 0x228
#define INITRD_MAX      0x22c
#define ALIGNMENT       0x230
#define RELOCATABLE     0x234
#define EXTENDED_FLAGS  0x236
#define LINE_MAX        0x238
#define PREFERRED       0x258
#define INIT_BYTES      0x260
#define HEADER_END      0x268

/* Fields of the boot parameters alone. */
#define PARAMS_RSDP       0x070
#define PARAMS_MEMORY_KIB 0x1e0 /* memory above 1 MiB, for kernels that do not use E820 */
#define PARAMS_E820_COUNT 0x1e8
#define PARAMS_E820       0x2d0
#define PARAMS_BYTES      0x1000

#define MAGIC_VALUE       0x53726448 /* "HdrS" */
#define BOOT_FLAG_VALUE   0xaa55
#define VERSION_MIN       0x202
#define LOADER_UNKNOWN    0xff
#define INITRD_MAX_OLD    0x37ffffff /* before version 2.03 */
#define LINE_MAX_OLD      255        /* before version 2.06 */
#define FLAGS_LOADED_HIGH 0x01
#define EXTENDED_64       0x0001
#define ENTRY_64          0x200
#define SECTOR            512u
#define UNIT              16u /* unit of the kernel's size; the last one may be partial */

#define E820_RAM      1
#define E820_RESERVED 2

#define CODE_SELECTOR 0x10
#define DATA_SELECTOR 0x18

/* Page table entries: present, writable; large. */
#define TABLE_ENTRY 0x03
#define LARGE_ENTRY 0x83
#define LARGE_SIZE  0x200000u
#define IDENTITY_GB 4

/* True if guests of this monitor can use 64 bits. */
#define GUEST_64 (sizeof(nova_word_t) == 8)

static uint32_t get(const void *file, unsigned offset, unsigned bytes)
{
        uint32_t value = 0;

        memcpy(&value, (const char *)file + offset, bytes);
        return value;
}

static uint64_t get64(const void *file, unsigned offset)
{
        uint64_t value;

        memcpy(&value, (const char *)file + offset, sizeof(value));
        return value;
}

static void put(uint8_t *params, unsigned offset, uint64_t value, unsigned bytes)
{
        memcpy(params + offset, &value, bytes);
}

/* Returns a field that was added in a version of the protocol, or @p before for older versions. */
static uint32_t get_since(const void *file, unsigned version, unsigned offset, unsigned bytes,
                          uint32_t before)
{
        return get(file, VERSION, 2) >= version ? get(file, offset, bytes) : before;
}

/* Returns true if the kernel starts in 64-bit mode, which its header announces. Other kernels start
 * in protected mode. */
static bool begins_with_64_bits(const void *file)
{
        return get_since(file, 0x20c, EXTENDED_FLAGS, 2, 0) & EXTENDED_64;
}

/* Returns the kernel's address; before version 2.10 it is 1 MiB. */
static uint64_t preferred(const void *file)
{
        return get(file, VERSION, 2) >= 0x20a ? get64(file, PREFERRED) : RAM_BEGIN;
}

/* Returns the memory in bytes that the kernel needs at its address until it has read the memory
 * map. Headers of older versions of the protocol do not contain this size. */
static uint64_t init_bytes(const struct nova_linux *image)
{
        return get_since(image->kernel, 0x20a, INIT_BYTES, 4, (uint32_t)image->kernel_bytes * 4);
}

static const char *check(const struct nova_linux *image)
{
        const void *const file = image->kernel;

        if (image->kernel_bytes < HEADER_END || get(file, BOOT_FLAG, 2) != BOOT_FLAG_VALUE ||
            get(file, MAGIC, 4) != MAGIC_VALUE)
                return "it is not a Linux kernel (bzImage)";
        if (get(file, VERSION, 2) < VERSION_MIN)
                return "its boot protocol is older than 2.02";
        if (!(get(file, LOAD_FLAGS, 1) & FLAGS_LOADED_HIGH))
                return "it must be loaded below 1 MiB (zImage)";
        if (!GUEST_64 && begins_with_64_bits(file))
                return "it is a 64-bit kernel, and the guest's CPU has 32 bits";
        return NULL;
}

static void add_range(uint8_t *params, uint64_t begin, uint64_t end, uint32_t type)
{
        const unsigned count = params[PARAMS_E820_COUNT]++, at = PARAMS_E820 + 20 * count;

        put(params, at, begin, 8);
        put(params, at + 8, end - begin, 8);
        put(params, at + 16, type, 4);
}

/* Creates page tables with an identity mapping of the first 4 GiB. */
static void make_page_tables(uint8_t *tables)
{
        uint64_t *const level4 = (uint64_t *)tables;
        uint64_t *const level3 = (uint64_t *)(tables + PAGE);
        uint64_t *const level2 = (uint64_t *)(tables + 2 * PAGE);

        memset(tables, 0, (2 + IDENTITY_GB) * PAGE);
        level4[0] = (PAGE_TABLES + PAGE) | TABLE_ENTRY;
        for (unsigned i = 0; i < IDENTITY_GB; i++)
                level3[i] = (PAGE_TABLES + (2 + i) * PAGE) | TABLE_ENTRY;
        for (uint64_t i = 0; i < IDENTITY_GB * 512; i++)
                level2[i] = i * LARGE_SIZE | LARGE_ENTRY;
}

static void make_gdt(uint8_t *gdt, bool bits64)
{
        static const uint64_t wide[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
        static const uint64_t flat[] = {0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

        memcpy(gdt, bits64 ? wide : flat, sizeof(flat));
}

static size_t setup_bytes(const struct nova_linux *image)
{
        const uint32_t sectors = get(image->kernel, SETUP_SECTORS, 1);

        return ((sectors ? sectors : 4) + 1) * SECTOR;
}

/* Rounds a number of bytes up to whole pages. */
static uint64_t pages(uint64_t bytes)
{
        return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static uint64_t megabytes(uint64_t bytes)
{
        return (bytes + RAM_BEGIN - 1) / RAM_BEGIN;
}

/* Checks whether the file contains the entry point and has the length that its header states. */
static const char *check_size(const struct nova_linux *image)
{
        static _Thread_local char text[96];
        const uint64_t entry = setup_bytes(image) + ENTRY_64;
        /* Before version 2.04 the field has 16 bits, which are too few for many kernels. */
        const uint64_t end =
                get(image->kernel, VERSION, 2) >= 0x204
                        ? setup_bytes(image) + (uint64_t)get(image->kernel, UNITS, 4) * UNIT
                        : 0;

        if (entry < image->kernel_bytes && end < image->kernel_bytes + UNIT)
                return NULL;
        snprintf(text, sizeof(text), "it is truncated: the file has %llu bytes, but needs %llu",
                 (unsigned long long)image->kernel_bytes,
                 (unsigned long long)(end > entry ? end : entry + 1));
        return text;
}

/* Checks whether the kernel fits into memory at the address that it prefers, with its initrd after
 * it. */
static const char *check_room(const struct nova_guest_memory *memory,
                              const struct nova_linux *image)
{
        static _Thread_local char text[96];
        const uint64_t at = preferred(image->kernel), size = image->kernel_bytes;
        const uint64_t initrd = image->initrd ? pages(image->initrd_bytes) : 0;
        uint64_t end = init_bytes(image);

        if (at < RAM_BEGIN || at >= NOVA_GUEST_MEMORY_MAX)
                return "it must be loaded at an address at which guests have no memory";
        if (end < size)
                end = size;
        end = pages(at + end);
        if (end <= memory->bytes && initrd <= memory->bytes - end)
                return NULL;
        snprintf(text, sizeof(text), "the guest has %llu MiB of memory, but needs %llu%s",
                 (unsigned long long)memory->bytes / RAM_BEGIN,
                 (unsigned long long)megabytes(end + initrd), initrd ? " with its initrd" : "");
        return text;
}

/* Copies the kernel itself.
 * @return as nova_linux_load() */
static const char *place_kernel(const struct nova_guest_memory *memory,
                                const struct nova_linux *image, uint64_t *at)
{
        const size_t begin = setup_bytes(image);
        const char *why = check_size(image);

        if (!why)
                why = check_room(memory, image);
        if (why)
                return why;
        *at = preferred(image->kernel);
        nova_guest_write(memory, *at, (const char *)image->kernel + begin,
                         image->kernel_bytes - begin);
        return NULL;
}

/* Copies the initrd to the end of the memory, so that the kernel has room to grow.
 * @return as nova_linux_load() */
static const char *place_initrd(const struct nova_guest_memory *memory,
                                const struct nova_linux *image, uint64_t kernel, uint64_t *at)
{
        const uint64_t max =
                (uint64_t)get_since(image->kernel, 0x203, INITRD_MAX, 4, INITRD_MAX_OLD) + 1;
        const uint64_t end = memory->bytes < max ? memory->bytes : max;
        const uint64_t used = kernel + init_bytes(image);
        const uint64_t size = image->kernel_bytes;

        *at = 0;
        if (!image->initrd)
                return NULL;
        if (image->initrd_bytes <= end)
                *at = (end - image->initrd_bytes) & ~(uint64_t)(PAGE - 1);
        if (*at < used || *at < kernel + size)
                return "no memory that it can reach is left for its initrd";
        nova_guest_write(memory, *at, image->initrd, image->initrd_bytes);
        return NULL;
}

static void fill_params(uint8_t *params, const struct nova_guest_memory *memory,
                        const struct nova_linux *image, uint64_t initrd)
{
        const unsigned end = JUMP + 2 + get(image->kernel, JUMP + 1, 1);

        memset(params, 0, PARAMS_BYTES);
        memcpy(params + SETUP_SECTORS, (const char *)image->kernel + SETUP_SECTORS,
               (end < HEADER_END ? end : HEADER_END) - SETUP_SECTORS);
        put(params, LOADER, LOADER_UNKNOWN, 1);
        put(params, INITRD, initrd, 4);
        put(params, INITRD_BYTES, image->initrd ? image->initrd_bytes : 0, 4);
        put(params, COMMAND_LINE_AT, COMMAND_LINE, 4);
        put(params, PARAMS_RSDP, image->rsdp, 8);
        put(params, PARAMS_MEMORY_KIB, (memory->bytes - RAM_BEGIN) / 1024, 4);
        add_range(params, 0, RAM_END, E820_RAM);
        add_range(params, RAM_END, RAM_BEGIN, E820_RESERVED);
        add_range(params, RAM_BEGIN, memory->bytes, E820_RAM);
}

const char *nova_linux_load(const struct nova_guest_memory *memory, const struct nova_linux *image,
                            struct nova_utcb_event *start)
{
        const size_t line = strlen(image->command_line);
        uint64_t kernel, initrd;
        const char *why = check(image);
        const bool bits64 = !why && GUEST_64 && begins_with_64_bits(image->kernel);

        if (!why && line > get_since(image->kernel, 0x206, LINE_MAX, 4, LINE_MAX_OLD))
                why = "its command line is too long";
        if (!why && line >= PAGE_TABLES - COMMAND_LINE)
                why = "its command line is too long";
        if (!why)
                why = place_kernel(memory, image, &kernel);
        if (!why)
                why = place_initrd(memory, image, kernel, &initrd);
        if (why)
                return why;
        nova_guest_write(memory, COMMAND_LINE, image->command_line, line + 1);
        fill_params(nova_guest_pointer(memory, BOOT_PARAMS, PARAMS_BYTES), memory, image, initrd);
        make_gdt(nova_guest_pointer(memory, GDT, PAGE), bits64);
        if (bits64) {
                make_page_tables(nova_guest_pointer(memory, PAGE_TABLES, (2 + IDENTITY_GB) * PAGE));
                nova_registers_long(start, kernel + ENTRY_64, PAGE_TABLES, CODE_SELECTOR,
                                    DATA_SELECTOR);
        } else {
                nova_registers_protected(start, (uint32_t)kernel, CODE_SELECTOR, DATA_SELECTOR);
        }
        start->state.si = BOOT_PARAMS;
        start->state.sp = BOOT_PARAMS;
        start->state.gdtr.base = GDT;
        start->state.gdtr.limit = 4 * 8 - 1;
        return NULL;
}
