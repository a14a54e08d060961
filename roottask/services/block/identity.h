/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity of a disk (nova_block_info::identity): a hash of the serial number and the other
 * identifiers that the disk reports. */
#ifndef NOVART_BLOCK_IDENTITY_H
#define NOVART_BLOCK_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

/* The hash of no bytes (FNV-1a with 64 bits). */
#define BLOCK_IDENTITY_BEGIN UINT64_C(0xcbf29ce484222325)

/* Adds bytes to a hash. */
static inline uint64_t block_identity_add(uint64_t hash, const void *bytes, size_t count)
{
        const uint8_t *const byte = (const uint8_t *)bytes;

        for (size_t i = 0; i < count; i++)
                hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
        return hash;
}

#endif
