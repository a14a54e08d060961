/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders: they put software into a guest's memory and say in what state its first virtual CPU
 * begins. What they read is not trusted. */
#ifndef NOVAVMM_LOAD_H
#define NOVAVMM_LOAD_H

#include "novavmm/memory.h"
#include "novavmm/registers.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A Linux kernel, and what it is given. */
struct nova_linux {
        const void *kernel;       /**< bzImage */
        size_t kernel_bytes;      /**< its size */
        const void *initrd;       /**< NULL: none */
        size_t initrd_bytes;      /**< its size */
        const char *command_line; /**< ends with 0 */
        uint64_t rsdp;            /**< guest-physical address of ACPI's root pointer; 0: none */
};

/**
 * Load a Linux kernel, or what else keeps to its boot protocol, version 2.02 or newer: by its
 * 64-bit entry point if it has one, by the 32-bit one otherwise. One with a 64-bit entry point is
 * refused where guests of this program have 32 bits.
 *
 * @param memory     RAM; addresses below 1 MiB are used for tables
 * @param[out] start of virtual CPU 0
 * @return NULL, or why the kernel cannot be loaded, as the end of a sentence; the calling thread's,
 *         until it calls this again
 */
const char *nova_linux_load(const struct nova_guest_memory *memory, const struct nova_linux *image,
                            struct nova_utcb_event *start);

/** A file that goes along with a Multiboot kernel. */
struct nova_multiboot_module {
        const void *data; /**< what it holds */
        size_t bytes;     /**< how much that is */
        const char *line; /**< its command line */
};

/** A Multiboot kernel, and what it is given. */
struct nova_multiboot {
        const void *kernel;                         /**< 32-bit ELF file, or with addresses */
        size_t kernel_bytes;                        /**< its size */
        const char *line;                           /**< its command line */
        const struct nova_multiboot_module *module; /**< in the order that it sees */
        unsigned modules;                           /**< how many */
};

/**
 * Load a kernel by the Multiboot specification, version 1. It finds its command line, its modules
 * and a map of memory; information for it lies between 0x90000 and 0x9f000.
 *
 * @param memory     RAM, at least 2 MiB
 * @param image      the kernel and its modules
 * @param[out] start of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_multiboot_load(const struct nova_guest_memory *memory,
                                const struct nova_multiboot *image, struct nova_utcb_event *start);

/**
 * Load a file as it is; it begins in real mode at its first byte: CS is @p address / 16, IP 0. The
 * other segments and SP are 0, interrupts are off.
 *
 * @param memory  RAM
 * @param file    what is loaded
 * @param bytes   its size
 * @param address guest-physical, below 1 MiB, a multiple of 16
 * @param[out] start of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_flat_load(const struct nova_guest_memory *memory, const void *file, size_t bytes,
                           uint32_t address, struct nova_utcb_event *start);

/**
 * Load firmware for a PC, which ends below 1 MiB; it begins as a CPU does after a reset. It is in
 * RAM, and it is not below 4 GiB, too, as on a PC: only its last 128 KiB can be used. What
 * nova_pc_create() put there, ACPI's tables, is gone.
 *
 * @param memory RAM, at least 1 MiB
 * @param file   the firmware
 * @param bytes  its size: a multiple of 4 KiB, at most 128 KiB
 * @param[out] start of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_firmware_load(const struct nova_guest_memory *memory, const void *file,
                               size_t bytes, struct nova_utcb_event *start);

#ifdef __cplusplus
}
#endif

#endif
