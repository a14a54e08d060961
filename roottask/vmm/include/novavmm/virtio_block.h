/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio block device: a disk in the monitor's memory. */
#ifndef NOVAVMM_VIRTIO_BLOCK_H
#define NOVAVMM_VIRTIO_BLOCK_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a sector in bytes. */
#define NOVA_SECTOR 512u

/** A disk. */
struct nova_virtio_block {
        struct nova_virtio virtio; /**< part of all virtio devices; the first member */
        uint8_t *data;             /**< content of the disk */
        uint64_t sectors;          /**< size of the disk in sectors */
        bool read_only;            /**< guests may not write */
};

/**
 * Initialises a disk.
 * @code
 * extern struct nova_guest_memory memory; // vm.memory
 * static struct nova_virtio_block disk;
 * static char data[1u << 20];
 *
 * nova_virtio_block_init(&disk, &memory, data, sizeof(data), false);
 * @endcode
 * @param memory    memory of the guest
 * @param data      content of the disk; owned by the caller and must stay valid
 * @param bytes     size; only whole sectors are used
 * @param read_only guests may not write to it
 */
void nova_virtio_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                            void *data, size_t bytes, bool read_only);

#ifdef __cplusplus
}
#endif

#endif
