/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools that a device can access. */
#ifndef NOVART_RING_DMA_H
#define NOVART_RING_DMA_H

#include "novart/service/pci_device.h"
#include "share.h"

/* Sets the device for which the functions below allocate. */
void dma_use(const struct nova_pci_device *pci);

/* Functions for struct share_source. */
int dma_alloc(struct share_pool *pool);
void dma_release(struct share_pool *pool);

#endif
