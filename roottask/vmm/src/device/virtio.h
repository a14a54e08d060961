/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the registers of a virtio device and its queues share. */
#ifndef NOVAVMM_SRC_DEVICE_VIRTIO_H
#define NOVAVMM_SRC_DEVICE_VIRTIO_H

#include <stddef.h>
#include <string.h>

#include "novavmm/virtio.h"

/* Causes of interrupts, as the ISR register shows them. */
#define ISR_QUEUE  0x01
#define ISR_CONFIG 0x02

/* Enables a queue for the driver after checking its addresses. */
void novavmm_virtio_queue_enable(struct nova_virtio *virtio, unsigned number);

/* Returns true if an enabled queue has chains that are not taken yet. */
bool novavmm_virtio_queue_moved(const struct nova_virtio_queue *queue);

/* Copies a chain, without the unused pieces at its end. */
static inline void novavmm_virtio_copy_chain(struct nova_virtio_chain *to,
                                             const struct nova_virtio_chain *from)
{
        memcpy(to, from,
               offsetof(struct nova_virtio_chain, piece) + from->pieces * sizeof(from->piece[0]));
}

/* Raises a cause of interrupts: on the wire, or by message @p vector. */
void novavmm_virtio_interrupt(struct nova_virtio *virtio, uint8_t cause, uint16_t vector);

/* A number that no message has. */
#define NO_VECTOR 0xffffu

/* MSI-X: the table and the pending bits in BAR 0. */
#define AT_MESSAGES 0x4000u
#define AT_PENDING  0x5000u

/* Returns true if the driver uses messages instead of the wire. */
bool novavmm_virtio_has_messages(const struct nova_virtio *virtio);

/* Returns @p vector if there is such a message, otherwise NO_VECTOR. */
uint16_t novavmm_virtio_vector(const struct nova_virtio *virtio, uint64_t vector);

/* Sends message @p vector, or records that it is pending. */
void novavmm_virtio_message(struct nova_virtio *virtio, uint16_t vector);

/* Sends pending messages after a change of masks. */
void novavmm_virtio_unmasked(struct nova_virtio *virtio);

/* Masks all messages, as after a reset of the machine. */
void novavmm_virtio_mask_all(struct nova_virtio *virtio);

/* Reads and writes the table, at an offset in it, and reads the pending bits. */
uint64_t novavmm_virtio_message_get(const struct nova_virtio *virtio, uint64_t at, unsigned bytes);
void novavmm_virtio_message_put(struct nova_virtio *virtio, uint64_t at, unsigned bytes,
                                uint64_t value);
uint64_t novavmm_virtio_pending_get(const struct nova_virtio *virtio, uint64_t at);

/* Number of the register of the configuration space with the control word of MSI-X. */
#define MESSAGE_CONTROL (0x98u / 4)

#endif
