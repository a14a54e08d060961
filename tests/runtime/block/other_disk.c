/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives `ram-disk` a new identity at each start, as if it were another disk. Linked to `ram-disk`
 * with --wrap for the function below. */
#include "block/server.h"
#include "novart/time.h"

int __real_block_service_start(const struct block_device *of);
int __wrap_block_service_start(const struct block_device *of);

int __wrap_block_service_start(const struct block_device *of)
{
        static struct block_device device;

        device = *of;
        device.info.identity = nova_rdtsc();
        return __real_block_service_start(&device);
}
