/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders, which load software into a guest's memory and set the initial state of its first virtual
 * CPU. The files are untrusted. */
#ifndef NOVAVMM_LOAD_H
#define NOVAVMM_LOAD_H

#include "novavmm/memory.h"
#include "novavmm/registers.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A Linux kernel and its parameters. */
struct nova_linux {
        const void *kernel;       /**< file of the kernel, a bzImage of Linux */
        size_t kernel_bytes;      /**< size of the kernel in bytes */
        const void *initrd;       /**< initial RAM disk; NULL: none */
        size_t initrd_bytes;      /**< size of the initial RAM disk in bytes */
        const char *command_line; /**< ends with 0 */
        uint64_t rsdp;            /**< guest-physical address of ACPI's root pointer; 0: none */
};

/**
 * Loads a Linux kernel, or other software that follows its boot protocol, version 2.02 or newer.
 * The loader uses the 64-bit entry point if there is one, otherwise the 32-bit one. It refuses a
 * kernel with a 64-bit entry point if guests of this program can use 32 bits only.
 * @code
 * extern struct nova_guest_memory memory; // vm.memory
 * extern struct nova_utcb_event start;    // vm.vcpu[0].start
 * const void *kernel;
 * size_t bytes;
 *
 * if (nova_module_open("vmlinuz", &kernel, &bytes))
 *         return;
 *
 * const struct nova_linux image = {
 *         .kernel = kernel, .kernel_bytes = bytes, .command_line = "console=ttyS0"};
 * const char *why = nova_linux_load(&memory, &image, &start);
 *
 * if (why)
 *         printf("Linux cannot be loaded: %s.\n", why);
 * @endcode
 * @param memory     RAM; addresses below 1 MiB are used for tables
 * @param[out] start initial state of virtual CPU 0
 * @return NULL, or the reason why the kernel cannot be loaded, as the end of a sentence; valid
 *         until the calling thread calls this function again
 */
const char *nova_linux_load(const struct nova_guest_memory *memory, const struct nova_linux *image,
                            struct nova_utcb_event *start);

/** A module of a Multiboot kernel. */
struct nova_multiboot_module {
        const void *data; /**< its content */
        size_t bytes;     /**< size of the content */
        const char *line; /**< its command line */
};

/** A Multiboot kernel and its parameters. */
struct nova_multiboot {
        const void *kernel;  /**< 32-bit ELF file, or a file with an address header */
        size_t kernel_bytes; /**< size of the kernel in bytes */
        const char *line;    /**< its command line */
        const struct nova_multiboot_module *module; /**< modules, in the kernel's order */
        unsigned modules;                           /**< number of modules */
};

/**
 * Loads a kernel that follows the Multiboot specification, version 1. The kernel gets its command
 * line, its modules and a memory map. The Multiboot information lies between 0x90000 and 0x9f000.
 * @code
 * extern struct nova_guest_memory memory;
 * extern struct nova_utcb_event start;
 * const void *kernel;
 * size_t bytes;
 *
 * if (nova_module_open("kernel", &kernel, &bytes) == 0) {
 *         const struct nova_multiboot image = {
 *                 .kernel = kernel, .kernel_bytes = bytes, .line = "kernel"};
 *
 *         nova_multiboot_load(&memory, &image, &start);
 * }
 * @endcode
 * @param memory     RAM, at least 2 MiB
 * @param image      the kernel and its modules
 * @param[out] start initial state of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_multiboot_load(const struct nova_guest_memory *memory,
                                const struct nova_multiboot *image, struct nova_utcb_event *start);

/**
 * Loads a file unchanged. It starts in real mode at its first byte: CS is @p address / 16, IP 0.
 * The other segments and SP are 0, and interrupts are disabled.
 * @code
 * extern struct nova_guest_memory memory;
 * extern struct nova_utcb_event start;
 * static const unsigned char halt[] = {0xfa, 0xf4}; // cli; hlt
 *
 * nova_flat_load(&memory, halt, sizeof(halt), 0x1000, &start);
 * @endcode
 * @param memory  RAM
 * @param file    the file
 * @param bytes   its size
 * @param address guest-physical, below 1 MiB, a multiple of 16
 * @param[out] start initial state of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_flat_load(const struct nova_guest_memory *memory, const void *file, size_t bytes,
                           uint32_t address, struct nova_utcb_event *start);

/**
 * Loads firmware for a PC directly below 1 MiB; it starts as after a reset. The firmware lies in
 * RAM. On a PC it also lies below 4 GiB; here it does not, so its size is limited to 128 KiB. It
 * overwrites the ACPI tables of nova_pc_create().
 *
 * @param memory RAM, at least 1 MiB
 * @param file   the firmware
 * @param bytes  its size: a multiple of 4 KiB, at most 128 KiB
 * @param[out] start initial state of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_firmware_load(const struct nova_guest_memory *memory, const void *file,
                               size_t bytes, struct nova_utcb_event *start);

#ifdef __cplusplus
}
#endif

#endif
