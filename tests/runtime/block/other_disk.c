/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes `ram-disk` another disk after each of its starts. Linked to it with --wrap for the function
 * below. */
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
