/* SPDX-License-Identifier: BSD-2-Clause */
/* Entropy devices (see novavmm/virtio_random.h); Virtual I/O Device Specification 1.2, 5.4. */
#include "novavmm/virtio_random.h"

static void notify(struct nova_virtio *virtio, unsigned queue)
{
        struct nova_virtio_random *const random = (struct nova_virtio_random *)virtio;
        const struct nova_virtio_chain *const chain = &virtio->chain;
        unsigned waiting = nova_virtio_waiting(virtio, queue);
        uint8_t bytes[NOVA_VIRTIO_RANDOM_MOST];

        while (waiting-- && nova_virtio_take(virtio, queue)) {
                if (!chain->write_bytes || chain->readable) {
                        nova_virtio_break(virtio, "an empty buffer for random bytes");
                        return;
                }

                const size_t most = chain->write_bytes < sizeof(bytes) ? (size_t)chain->write_bytes
                                                                       : sizeof(bytes);
                const size_t count = random->source(random->context, bytes, most);

                nova_virtio_write(chain, 0, bytes, count);
                nova_virtio_give(virtio, queue, (uint32_t)count);
        }
}

void nova_virtio_random_init(struct nova_virtio_random *random,
                             const struct nova_guest_memory *memory,
                             size_t (*source)(void *context, void *to, size_t bytes), void *context)
{
        static const struct nova_virtio_class kind = {NOVA_VIRTIO_RANDOM, "random", 0, 1, notify};

        nova_virtio_init(&random->virtio, &kind, memory);
        random->source = source;
        random->context = context;
}
