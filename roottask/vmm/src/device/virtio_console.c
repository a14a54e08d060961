/* SPDX-License-Identifier: BSD-2-Clause */
/* Consoles (see novavmm/virtio_console.h); Virtual I/O Device Specification 1.2, 5.3. One port, and
 * no sizes, because the size of the user's screen is unknown. */
#include "novavmm/virtio_console.h"

/* Queues. */
#define TO_GUEST   0
#define FROM_GUEST 1
#define QUEUES     2

#define PART 64u /* bytes that are copied at once */

static uint32_t least(uint64_t one, uint32_t other)
{
        return one < other ? (uint32_t)one : other;
}

/* Sends a chain, or its next bytes: the program's console can be slow, and meanwhile the machine's
 * other virtual CPUs wait for its lock. A chain with bytes left goes back to its queue. */
static bool send_chain(struct nova_virtio *virtio, uint32_t *written)
{
        struct nova_virtio_console *const console = (struct nova_virtio_console *)virtio;
        const uint32_t end = least(virtio->chain.read_bytes, NOVA_VIRTIO_CONSOLE_MOST);
        uint8_t part[PART];

        while (console->sent < end && console->left) {
                const uint32_t bytes = least(least(end - console->sent, console->left), PART);

                nova_virtio_read(&virtio->chain, console->sent, part, bytes);
                for (uint32_t i = 0; i < bytes; i++)
                        console->send(console->context, part[i]);
                console->sent += bytes;
                console->left -= bytes;
        }
        if (console->sent < end) {
                nova_virtio_keep(virtio, FROM_GUEST, 0);
                nova_virtio_take_again(virtio, FROM_GUEST);
                nova_virtio_pause(virtio);
                return false;
        }
        console->sent = 0;
        *written = 0;
        return true;
}

/* Handles a notification. Buffers for input need no action until there is input. */
static void notify(struct nova_virtio *virtio, unsigned queue)
{
        if (queue != FROM_GUEST)
                return;
        ((struct nova_virtio_console *)virtio)->left = NOVA_VIRTIO_CONSOLE_TURN;
        nova_virtio_serve(virtio, queue, send_chain);
}

static void reset(struct nova_virtio *virtio)
{
        ((struct nova_virtio_console *)virtio)->sent = 0;
}

void nova_virtio_console_init(struct nova_virtio_console *console,
                              const struct nova_guest_memory *memory,
                              void (*send)(void *context, uint8_t byte), void *context)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_CONSOLE, "console", NOVA_VIRTIO_EVENT_INDEX, QUEUES, notify, reset};

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
