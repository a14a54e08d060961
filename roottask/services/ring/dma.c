/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates pools that a device can access. */
#include "dma.h"

#include <errno.h>
#include <stdlib.h>

static const struct nova_pci_device *device;

void dma_use(const struct nova_pci_device *pci)
{
        device = pci;
}

int dma_alloc(struct share_pool *pool)
{
        struct nova_dma *dma = malloc(sizeof(*dma));
        const int error = dma ? nova_dma_alloc(pool->bytes, dma) : ENOMEM;

        if (error) {
                free(dma);
                return error;
        }
        pool->memory = (char *)dma->memory;
        pool->device = nova_pci_address(device, dma);
        pool->owner = dma;
        return 0;
}

void dma_release(struct share_pool *pool)
{
        struct nova_dma *dma = (struct nova_dma *)pool->owner;

        nova_dma_free(dma);
        free(dma);
}
