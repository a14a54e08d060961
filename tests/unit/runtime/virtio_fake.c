/* SPDX-License-Identifier: BSD-2-Clause */
/* A transport of virtio whose notifications and resets have no effect, for the drivers under
 * test. */
#include <stddef.h>

#include "virtio/pci.h"

const char *virtio_start(struct virtio *virtio, const struct queue *queues, unsigned count)
{
        (void)virtio, (void)queues, (void)count;
        return NULL;
}

void virtio_notify(const struct virtio *virtio, unsigned index)
{
        (void)virtio, (void)index;
}

void virtio_acknowledge(const struct virtio *virtio)
{
        (void)virtio;
}

void virtio_reset(struct virtio *virtio)
{
        (void)virtio;
}
