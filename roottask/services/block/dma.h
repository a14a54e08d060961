/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools that a device can access. */
#ifndef NOVART_BLOCK_DMA_H
#define NOVART_BLOCK_DMA_H

#include "novart/service/pci_device.h"
#include "server.h"

/* Sets the device for which the functions below allocate. */
void block_dma_use(const struct nova_pci_device *pci);

/* Functions for struct block_device. */
int block_dma_alloc(struct block_pool *pool);
void block_dma_release(struct block_pool *pool);

#endif
