/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves all chains of a virtio device's queue, and holds interrupts back. */
#include "../queue.h"

void nova_virtio_pause(struct nova_virtio *virtio)
{
        (void)virtio;
}

/* Serves a chain as a device does: it stores the number of written bytes unless it keeps the chain.
 */
static bool serve_chain(struct nova_virtio *virtio, uint32_t *written)
{
        static uint8_t buffer[COPY];

        nova_virtio_read(&virtio->chain, 0, buffer, COPY);
        if (any_bool())
                return false;
        *written = any_u32();
        return true;
}

static void serve_queue(struct nova_virtio *virtio)
{
        static const struct nova_virtio_class kind = {.queues = NOVA_VIRTIO_QUEUES};
        struct nova_virtio_queue *const queue = &virtio->queue[0];

        queue->taken = (uint16_t)any_u32();
        queue->given = (uint16_t)any_u32();
        queue->kept = (uint16_t)any_u32();
        nova_virtio_serve(virtio, 0, serve_chain);
        for (unsigned i = 0; i < NOVA_VIRTIO_QUEUES; i++)
                virtio->queue[i].late = any_bool();
        queue->late_since = (uint16_t)any_u32();
        virtio->kind = &kind;
        virtio->may_be_late = any_bool();
        nova_virtio_give_late(virtio, 0, any_u32());
        nova_virtio_report(virtio);
}

int main(void)
{
        SERVE(1, 0, 0, 0);
        SERVE(2, 17, NOVA_VIRTIO_EVENT_INDEX, EVENT_BYTES);
        return 0;
}
