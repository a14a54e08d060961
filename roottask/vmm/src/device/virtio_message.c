/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt messages of virtio devices: MSI-X; PCI Local Bus Specification 3.0, 6.8.2. */
#include <string.h>

#include "device/virtio.h"

/* The capability: its ID, and the control word in the upper half of its first register. */
#define CAPABILITY_MESSAGES 0x11u
#define CONTROL_SIZE_SHIFT  16
#define CONTROL_MASK_ALL    0x40000000u
#define CONTROL_ENABLE      0x80000000u

/* The capability before this one. Its second byte is the offset of the next capability. */
#define LAST_CAPABILITY (0x84u / 4)
#define NEXT_SHIFT      8

/* An entry of the table. */
#define ENTRY_BYTES 16u
#define ENTRY_MASK  3 /* its last word; bit 0 masks the message */

bool novavmm_virtio_has_messages(const struct nova_virtio *virtio)
{
        return virtio->send && virtio->pci.config[MESSAGE_CONTROL] & CONTROL_ENABLE;
}

uint16_t novavmm_virtio_vector(const struct nova_virtio *virtio, uint64_t vector)
{
        return virtio->send && (uint16_t)vector < NOVA_VIRTIO_MESSAGES ? (uint16_t)vector
                                                                       : NO_VECTOR;
}

static bool is_masked(const struct nova_virtio *virtio, unsigned vector)
{
        return virtio->pci.config[MESSAGE_CONTROL] & CONTROL_MASK_ALL ||
               virtio->message[vector][ENTRY_MASK] & 1;
}

void novavmm_virtio_message(struct nova_virtio *virtio, uint16_t vector)
{
        if (vector >= NOVA_VIRTIO_MESSAGES)
                return;
        if (is_masked(virtio, vector)) {
                virtio->pending |= 1u << vector;
                return;
        }

        const uint32_t *const entry = virtio->message[vector];

        virtio->send(virtio->send_context, (uint64_t)entry[1] << 32 | entry[0], entry[2]);
}

void novavmm_virtio_unmasked(struct nova_virtio *virtio)
{
        if (!novavmm_virtio_has_messages(virtio))
                return;
        for (uint16_t i = 0; i < NOVA_VIRTIO_MESSAGES; i++)
                if (virtio->pending >> i & 1 && !is_masked(virtio, i)) {
                        virtio->pending &= ~(1u << i);
                        novavmm_virtio_message(virtio, i);
                }
}

void novavmm_virtio_mask_all(struct nova_virtio *virtio)
{
        memset(virtio->message, 0, sizeof(virtio->message));
        for (unsigned i = 0; i < NOVA_VIRTIO_MESSAGES; i++)
                virtio->message[i][ENTRY_MASK] = 1;
        virtio->pending = 0;
}

uint64_t novavmm_virtio_message_get(const struct nova_virtio *virtio, uint64_t at, unsigned bytes)
{
        const uint8_t *const table = (const uint8_t *)virtio->message;
        uint64_t value = 0;

        if (virtio->send && at < sizeof(virtio->message) && !(at & (bytes - 1)))
                memcpy(&value, table + at, bytes);
        return value;
}

/* Drivers write one or two whole words; other writes have no effect. */
void novavmm_virtio_message_put(struct nova_virtio *virtio, uint64_t at, unsigned bytes,
                                uint64_t value)
{
        if (!virtio->send || at >= sizeof(virtio->message) || bytes < 4 || at & (bytes - 1))
                return;

        const size_t entry = at / ENTRY_BYTES, word = at / 4 % 4;

        virtio->message[entry][word] = (uint32_t)value;
        if (bytes == 8)
                virtio->message[entry][word + 1] = (uint32_t)(value >> 32);
        virtio->message[entry][0] &= ~3u;
        virtio->message[entry][ENTRY_MASK] &= 1;
        novavmm_virtio_unmasked(virtio);
}

uint64_t novavmm_virtio_pending_get(const struct nova_virtio *virtio, uint64_t at)
{
        return at ? 0 : virtio->pending;
}

void nova_virtio_add_messages(struct nova_virtio *virtio, nova_virtio_send *send, void *context)
{
        uint32_t *const config = virtio->pci.config;

        virtio->send = send;
        virtio->send_context = context;
        config[LAST_CAPABILITY] |= MESSAGE_CONTROL * 4 << NEXT_SHIFT;
        config[MESSAGE_CONTROL] = CAPABILITY_MESSAGES | (NOVA_VIRTIO_MESSAGES - 1)
                                                                << CONTROL_SIZE_SHIFT;
        config[MESSAGE_CONTROL + 1] =
                AT_MESSAGES; /* the table is in BAR 0, like the pending bits */
        config[MESSAGE_CONTROL + 2] = AT_PENDING;
        virtio->pci.writable[MESSAGE_CONTROL] = CONTROL_ENABLE | CONTROL_MASK_ALL;
        novavmm_virtio_mask_all(virtio);
}
