/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of a virtio device for drivers: SERVE() makes a queue with arbitrary content in a guest's
 * memory, with a number of descriptors, and with or without event indices. All descriptors of a
 * queue have the same number of bytes, so the piece or table that a descriptor names has exactly
 * its size. In a queue with tables, no descriptor names an address outside of memory. */
#ifndef PROOFS_QUEUE_H
#define PROOFS_QUEUE_H

#include "plain.h"

#include "device/virtio_queue.c"

#include "driver.h"

#define PARTS 4
#define COPY  40 /* bytes of a request that are copied */

struct part {
        void *data;
        uint64_t bytes;
};

static struct part parts[PARTS]; /* the guest's memory */
static bool may_refuse;          /* an address may lie outside of it */

bool nova_virtio_ready(const struct nova_virtio *virtio)
{
        (void)virtio;
        return any_bool();
}

void nova_virtio_break(struct nova_virtio *virtio, const char *cause)
{
        (void)virtio;
        (void)cause;
}

void novavmm_virtio_interrupt(struct nova_virtio *virtio, uint8_t cause, uint16_t vector)
{
        (void)virtio;
        (void)cause;
        (void)vector;
}

static void *find_part(void *context, uint64_t address, size_t bytes, bool write)
{
        (void)context;
        (void)address;
        (void)write;
        if (may_refuse && any_bool())
                return NULL;
        /*@ loop unroll PARTS; */
        for (unsigned i = 0; i < PARTS; i++)
                if (parts[i].bytes == bytes)
                        return parts[i].data;
        return NULL;
}

static void set_part(unsigned number, void *data, uint64_t bytes)
{
        Frama_C_make_unknown(data, bytes);
        parts[number] = (struct part){data, bytes};
}

/* Uses the queue 0 of a device. A driver defines it. */
static void serve_queue(struct nova_virtio *virtio);

/* Makes a queue at any addresses that are multiples of a number. */
static void set_queue(struct nova_virtio *virtio, unsigned size, uint64_t alignment)
{
        virtio->queue[0] = (struct nova_virtio_queue){.size = (uint16_t)size};
        virtio->queue[0].address[0] = any_u64() / alignment * alignment;
        virtio->queue[0].address[1] = any_u64() / alignment * alignment;
        virtio->queue[0].address[2] = any_u64() / alignment * alignment;
}

/* Serves a queue with event indices or without, which changes the sizes of its parts. */
static void serve(uint8_t *descriptors, unsigned size, uint32_t bytes, uint64_t accepted)
{
        static struct nova_guest_memory memory;
        static struct nova_virtio virtio;

        may_refuse = true;
        memory.find = find_part;
        virtio.memory = &memory;
        virtio.status = NOVA_VIRTIO_FEATURES_OK;
        virtio.accepted = accepted;
        set_queue(&virtio, size, 1);
        novavmm_virtio_queue_enable(&virtio, 0);
        for (unsigned i = 0; i < size; i++)
                ((struct descriptor *)(void *)descriptors)[i].bytes = bytes;
        may_refuse = false;
        set_queue(&virtio, size, DESCRIPTOR_BYTES);
        novavmm_virtio_queue_enable(&virtio, 0);
        may_refuse = !(accepted & NOVA_VIRTIO_INDIRECT);
        serve_queue(&virtio);
}

#define SERVE(size, length, features, event_bytes)                                  \
        do {                                                                        \
                static uint8_t descriptors[DESCRIPTOR_BYTES * (size)];              \
                static uint8_t available[RING_AT + 2 * (size) + (event_bytes)];     \
                static uint8_t used[RING_AT + USED_BYTES * (size) + (event_bytes)]; \
                static uint8_t piece[(length) + !(length)];                         \
                                                                                    \
                set_part(0, descriptors, sizeof(descriptors));                      \
                set_part(1, available, sizeof(available));                          \
                set_part(2, used, sizeof(used));                                    \
                set_part(3, piece, length);                                         \
                for (unsigned i = 0; i < (length) / DESCRIPTOR_BYTES; i++)          \
                        ((struct descriptor *)(void *)piece)[i].bytes = length;     \
                serve(descriptors, size, length, features);                         \
        } while (0)

#endif
