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
 * Load a Linux kernel by its 64-bit boot protocol, version 2.12 or newer.
 *
 * @param memory     RAM; addresses below 1 MiB are used for tables
 * @param[out] start of virtual CPU 0
 * @return NULL, or why the kernel cannot be loaded, as the end of a sentence
 */
const char *nova_linux_load(const struct nova_guest_memory *memory, const struct nova_linux *image,
                            struct nova_utcb_event *start);

/**
 * Load a file as it is; it begins in real mode at its first byte.
 *
 * @param memory  RAM
 * @param file    what is loaded
 * @param bytes   its size
 * @param address below 1 MiB, a multiple of 16
 * @param[out] start of virtual CPU 0
 * @return as nova_linux_load()
 */
const char *nova_flat_load(const struct nova_guest_memory *memory, const void *file, size_t bytes,
                           uint32_t address, struct nova_utcb_event *start);

#ifdef __cplusplus
}
#endif

#endif
