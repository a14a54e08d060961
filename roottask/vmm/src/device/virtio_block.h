/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that both kinds of virtio disks share. */
#ifndef NOVAVMM_SRC_DEVICE_VIRTIO_BLOCK_H
#define NOVAVMM_SRC_DEVICE_VIRTIO_BLOCK_H

#include "novavmm/virtio_block.h"

#define FEATURE_FLUSH   (1u << 9)
#define FEATURE_DISCARD (1u << 13)
#define FEATURE_ZEROES  (1u << 14)

/* Features of each disk. */
#define NOVAVMM_BLOCK_FEATURES (NOVA_VIRTIO_EVENT_INDEX | NOVA_VIRTIO_INDIRECT)

enum { READ = 0, WRITE = 1, FLUSH = 4, IDENTIFY = 8, DISCARD = 11, ZEROES = 13 };
enum { DONE = 0, FAILED = 1, UNKNOWN = 2 };

/* The header of a request. */
struct header {
        uint32_t type, reserved;
        uint64_t sector;
};

_Static_assert(sizeof(struct header) == 16, "5.2.6");

/* The data of a request that discards blocks, or writes zeroes. */
struct range {
        uint64_t sector;
        uint32_t sectors, flags;
};

_Static_assert(sizeof(struct range) == 16, "5.2.6");

/* Initialises the fields that both kinds have in common. */
void novavmm_virtio_block_make(struct nova_virtio_block *block,
                               const struct nova_virtio_class *kind,
                               const struct nova_guest_memory *memory, uint32_t block_bytes);

/* Reads the header of a chain. Breaks the device if the chain has no header or no status byte. */
bool novavmm_virtio_block_header(struct nova_virtio_block *block, struct header *header);

/* Returns true if @p bytes and the address of @p sector are multiples of @p unit bytes, and the
 * range lies on the disk. */
bool novavmm_virtio_block_fits(const struct nova_virtio_block *block, uint64_t sector,
                               uint64_t bytes, uint32_t unit);

/* Writes the disk's name into a chain.
 * @return the number of written bytes */
uint64_t novavmm_virtio_block_identify(const struct nova_virtio_chain *chain);

#endif
