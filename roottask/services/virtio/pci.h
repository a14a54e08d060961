/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio devices on PCI (VIRTIO 1.2, 4.1), through the service pci. */
#ifndef NOVART_VIRTIO_PCI_H
#define NOVART_VIRTIO_PCI_H

#include "novart/service/pci_device.h"
#include "queue.h"

/* Features of all devices. */
#define VIRTIO_INDIRECT        (1ull << 28)
#define VIRTIO_EVENTS          (1ull << 29)
#define VIRTIO_VERSION_1       (1ull << 32)
#define VIRTIO_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_ORDER_PLATFORM  (1ull << 36) /* the fences of the queue order its memory */

#define VIRTIO_QUEUES 2 /* maximum number of queues of a driver */

struct virtio {
        struct nova_pci_device *pci;
        volatile uint8_t *common, *notify, *isr, *config;
        size_t notify_bytes, config_bytes;
        uint32_t notify_step;
        size_t notify_offset[VIRTIO_QUEUES]; /* offset of each queue's register in `notify` */
        uint64_t features;                   /* features that both sides support */
        nova_sel_t interrupt;                /* valid if has_interrupt */
        bool has_interrupt;
        bool unsupported; /* virtio_open() failed because of a property of the device */
        bool pin;         /* the interrupt is a pin, which virtio_acknowledge() lowers */
};

/* Resets a device that has been claimed, and agrees on features: the features in @p wanted that the
 * device offers. @return NULL, or a sentence about an error */
const char *virtio_open(struct virtio *virtio, uint64_t wanted);

/* Returns the size that the device proposes for a queue; 0: there is no such queue. */
unsigned virtio_queue_size(struct virtio *virtio, unsigned index);

/* Gets an interrupt if there is none, sets up queues 0 to @p count - 1, whose memory is ready, and
 * starts the device. @return NULL, or a sentence about an error */
const char *virtio_start(struct virtio *virtio, const struct queue *queues, unsigned count);

/* Resets a device that was started, so it loses its queues, and agrees on the same features.
 * virtio_start() follows. @return NULL, or a sentence about an error */
const char *virtio_renew(struct virtio *virtio);

/* Notifies the device of requests in a queue. */
void virtio_notify(const struct virtio *virtio, unsigned index);

/* Lowers the pin. */
void virtio_acknowledge(const struct virtio *virtio);

/* Stops the device: it loses its queues. */
void virtio_reset(struct virtio *virtio);

/* Reads the device's configuration. @return 0 if the configuration is shorter */
uint64_t virtio_config(const struct virtio *virtio, size_t offset, unsigned bytes);

#endif
