/* SPDX-License-Identifier: BSD-2-Clause */
/* Entropy devices (see novavmm/virtio_random.h); Virtual I/O Device Specification 1.2, 5.4. */
#include "novavmm/virtio_random.h"

static bool fill(struct nova_virtio *virtio, uint32_t *written)
{
        struct nova_virtio_random *const random = (struct nova_virtio_random *)virtio;
        const struct nova_virtio_chain *const chain = &virtio->chain;
        uint8_t bytes[NOVA_VIRTIO_RANDOM_MOST];

        if (!chain->write_bytes || chain->readable) {
                nova_virtio_break(virtio, "an empty buffer for random bytes");
                return false;
        }

        const size_t most =
                chain->write_bytes < sizeof(bytes) ? (size_t)chain->write_bytes : sizeof(bytes);
        const size_t count = random->source(random->context, bytes, most);

        nova_virtio_write(chain, 0, bytes, count);
        *written = (uint32_t)count;
        return true;
}

static void notify(struct nova_virtio *virtio, unsigned queue)
{
        nova_virtio_serve(virtio, queue, fill);
}

void nova_virtio_random_init(struct nova_virtio_random *random,
                             const struct nova_guest_memory *memory,
                             size_t (*source)(void *context, void *to, size_t bytes), void *context)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_RANDOM, "random", NOVA_VIRTIO_EVENT_INDEX, 1, notify, NULL};

        nova_virtio_init(&random->virtio, &kind, memory);
        random->source = source;
        random->context = context;
}
