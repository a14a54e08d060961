/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio entropy device. */
#ifndef NOVAVMM_VIRTIO_RANDOM_H
#define NOVAVMM_VIRTIO_RANDOM_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that a guest gets at once, whatever it asks for. */
#define NOVA_VIRTIO_RANDOM_MOST 256u

/** An entropy device. */
struct nova_virtio_random {
        struct nova_virtio virtio;                               /**< first */
        size_t (*source)(void *context, void *to, size_t bytes); /**< where bytes come from */
        void *context;                                           /**< handed to it */
};

/**
 * Make an entropy device.
 *
 * @param memory the guest's
 * @param source fills @p to and says with how many bytes; gets @p context
 */
void nova_virtio_random_init(struct nova_virtio_random *random,
                             const struct nova_guest_memory *memory,
                             size_t (*source)(void *context, void *to, size_t bytes),
                             void *context);

#ifdef __cplusplus
}
#endif

#endif
