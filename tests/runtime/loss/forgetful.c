/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns the driver for virtio disks into one whose flushes do nothing. A test of losses of power
 * must fail with this driver. */
#include "virtio/pci.h"

#define FEATURE_FLUSH (1ull << 9)

const char *__real_virtio_open(struct virtio *virtio, uint64_t wanted);
const char *__wrap_virtio_open(struct virtio *virtio, uint64_t wanted);

/* Negotiates FLUSH, so that the device has a cache and may lose writes. Then hides FLUSH from the
 * driver, which assumes that there is no cache. */
const char *__wrap_virtio_open(struct virtio *virtio, uint64_t wanted)
{
        const char *wrong = __real_virtio_open(virtio, wanted);

        virtio->features &= ~FEATURE_FLUSH;
        return wrong;
}
