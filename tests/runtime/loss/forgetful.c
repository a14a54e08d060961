/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of virtio disks, but a flush does nothing. The test of losses of power fails with
 * it. */
#include "virtio/pci.h"

#define FEATURE_FLUSH (1ull << 9)

/* The device offers a cache, so it may lose writes; the driver then believes that there is none. */
static const char *open_forgetful(struct virtio *virtio, const char *name, uint64_t features)
{
        const char *wrong = virtio_open(virtio, name, features);

        virtio->features &= ~FEATURE_FLUSH;
        return wrong;
}

#define virtio_open open_forgetful
#include "virtio-blk/main.c"
