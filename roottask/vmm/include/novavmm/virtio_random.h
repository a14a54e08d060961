/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio entropy device. */
#ifndef NOVAVMM_VIRTIO_RANDOM_H
#define NOVAVMM_VIRTIO_RANDOM_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum number of bytes per request. */
#define NOVA_VIRTIO_RANDOM_MOST 256u

/** An entropy device. */
struct nova_virtio_random {
        struct nova_virtio virtio; /**< part of all virtio devices; the first member */
        size_t (*source)(void *context, void *to, size_t bytes); /**< source of random bytes */
        void *context;                                           /**< context of source */
};

/**
 * Initialises an entropy device.
 * @code
 * extern struct nova_guest_memory memory;
 * static struct nova_virtio_random entropy;
 *
 * nova_virtio_random_init(&entropy, &memory, nova_entropy, NULL);
 * @endcode
 * @param memory memory of the guest
 * @param source fills @p to and returns the number of bytes; called with @p context
 */
void nova_virtio_random_init(struct nova_virtio_random *random,
                             const struct nova_guest_memory *memory,
                             size_t (*source)(void *context, void *to, size_t bytes),
                             void *context);

#ifdef __cplusplus
}
#endif

#endif
