/* SPDX-License-Identifier: BSD-2-Clause */
/* What the registers of a virtio device and its queues know of each other. */
#ifndef NOVAVMM_SRC_DEVICE_VIRTIO_H
#define NOVAVMM_SRC_DEVICE_VIRTIO_H

#include "novavmm/virtio.h"

/* Causes of interrupts, as the ISR register shows them. */
#define ISR_QUEUE  0x01
#define ISR_CONFIG 0x02

/* The driver enables the queue that it described: now its addresses are checked. */
void novavmm_virtio_queue_enable(struct nova_virtio *virtio, unsigned number);

/* A cause of interrupts. */
void novavmm_virtio_interrupt(struct nova_virtio *virtio, uint8_t cause);

#endif
