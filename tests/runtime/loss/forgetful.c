/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of virtio disks, but a flush does nothing: a test of losses of power must fail with
 * it. */
#include "virtio/pci.h"

#define FEATURE_FLUSH (1ull << 9)

const char *__real_virtio_open(struct virtio *virtio, uint64_t wanted);
const char *__wrap_virtio_open(struct virtio *virtio, uint64_t wanted);

/* The device offers a cache, so it may lose writes; the driver then assumes that there is none. */
const char *__wrap_virtio_open(struct virtio *virtio, uint64_t wanted)
{
        const char *wrong = __real_virtio_open(virtio, wanted);

        virtio->features &= ~FEATURE_FLUSH;
        return wrong;
}
