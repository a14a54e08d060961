/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the registers of a virtio device and its queues share. */
#ifndef NOVAVMM_SRC_DEVICE_VIRTIO_H
#define NOVAVMM_SRC_DEVICE_VIRTIO_H

#include "novavmm/virtio.h"

/* Causes of interrupts, as the ISR register shows them. */
#define ISR_QUEUE  0x01
#define ISR_CONFIG 0x02

/* Enables a queue for the driver after checking its addresses. */
void novavmm_virtio_queue_enable(struct nova_virtio *virtio, unsigned number);

/* Raises a cause of interrupts. */
void novavmm_virtio_interrupt(struct nova_virtio *virtio, uint8_t cause);

#endif
