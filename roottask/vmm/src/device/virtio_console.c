/* SPDX-License-Identifier: BSD-2-Clause */
/* Consoles (see novavmm/virtio_console.h); Virtual I/O Device Specification 1.2, 5.3. One port, and
 * no sizes, because the size of the user's screen is unknown. */
#include "novavmm/virtio_console.h"

/* Queues. */
#define TO_GUEST   0
#define FROM_GUEST 1
#define QUEUES     2

static bool send_chain(struct nova_virtio *virtio, uint32_t *written)
{
        struct nova_virtio_console *const console = (struct nova_virtio_console *)virtio;
        const struct nova_virtio_chain *const chain = &virtio->chain;
        uint64_t left = NOVA_VIRTIO_CONSOLE_MOST;

        for (unsigned i = 0; i < chain->readable; i++)
                for (uint32_t at = 0; at < chain->piece[i].bytes && left; at++, left--)
                        console->send(console->context, chain->piece[i].data[at]);
        *written = 0;
        return true;
}

/* Handles a notification. Buffers for input need no action until there is input. */
static void notify(struct nova_virtio *virtio, unsigned queue)
{
        if (queue == FROM_GUEST)
                nova_virtio_serve(virtio, queue, send_chain);
}

void nova_virtio_console_init(struct nova_virtio_console *console,
                              const struct nova_guest_memory *memory,
                              void (*send)(void *context, uint8_t byte), void *context)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_CONSOLE, "console", NOVA_VIRTIO_EVENT_INDEX, QUEUES, notify, NULL};

        nova_virtio_init(&console->virtio, &kind, memory);
        console->send = send;
        console->context = context;
}

bool nova_virtio_console_listens(struct nova_virtio_console *console)
{
        return nova_virtio_waiting(&console->virtio, TO_GUEST);
}

size_t nova_virtio_console_receive(struct nova_virtio_console *console, const void *bytes,
                                   size_t count)
{
        const struct nova_virtio_chain *const chain = &console->virtio.chain;
        const uint8_t *const from = bytes;
        size_t done = 0;

        while (done < count && nova_virtio_take(&console->virtio, TO_GUEST)) {
                const size_t left = count - done;
                const size_t part = chain->write_bytes < left ? (size_t)chain->write_bytes : left;

                if (!part) {
                        nova_virtio_break(&console->virtio, "an empty buffer for input");
                        break;
                }
                nova_virtio_write(chain, 0, from + done, part);
                nova_virtio_give(&console->virtio, TO_GUEST, (uint32_t)part);
                done += part;
        }
        return done;
}
