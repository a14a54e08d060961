/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio block device: a disk that is memory of the monitor. */
#ifndef NOVAVMM_VIRTIO_BLOCK_H
#define NOVAVMM_VIRTIO_BLOCK_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a sector. */
#define NOVA_SECTOR 512u

/** A disk. */
struct nova_virtio_block {
        struct nova_virtio virtio; /**< first */
        uint8_t *data;             /**< what is on it */
        uint64_t sectors;          /**< its size */
        bool read_only;            /**< guests may not write */
};

/**
 * Make a disk.
 *
 * @param memory    the guest's
 * @param data      what is on it; stays the caller's and must stay valid
 * @param bytes     whole sectors of it are used
 * @param read_only guests may not write, and nothing does
 */
void nova_virtio_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                            void *data, size_t bytes, bool read_only);

#ifdef __cplusplus
}
#endif

#endif
