/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes, copies and returns chains of a virtio device's queue, with the numbers of descriptors in
 * main(). */
#include "../queue.h"

static void serve_queue(struct nova_virtio *virtio)
{
        static uint8_t buffer[COPY];
        struct nova_virtio_queue *const queue = &virtio->queue[0];

        queue->taken = (uint16_t)any_u32();
        queue->given = (uint16_t)any_u32();
        queue->kept = (uint16_t)any_u32();
        novavmm_virtio_queue_moved(queue);
        if (!nova_virtio_take(virtio, 0))
                return;
        nova_virtio_read(&virtio->chain, any_u64(), buffer, COPY);
        nova_virtio_write(&virtio->chain, any_u64(), buffer, COPY);
        nova_virtio_give(virtio, 0, any_u32());
        nova_virtio_keep(virtio, 0, any_u32());
        nova_virtio_give_kept(virtio, 0);
        nova_virtio_take_again(virtio, 0);
        nova_virtio_listen(virtio, 0);
}

int main(void)
{
        SERVE(1, 0, 0, 0);
        SERVE(2, 17, NOVA_VIRTIO_EVENT_INDEX, EVENT_BYTES);
        SERVE(64, 0, NOVA_VIRTIO_INDIRECT, 0);
        SERVE(64, 17, NOVA_VIRTIO_INDIRECT, 0);
        SERVE(64, 1024, NOVA_VIRTIO_INDIRECT | NOVA_VIRTIO_EVENT_INDEX, EVENT_BYTES);
        return 0;
}
