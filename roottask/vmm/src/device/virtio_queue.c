/* SPDX-License-Identifier: BSD-2-Clause */
/* Split queues (see novavmm/virtio.h); Virtual I/O Device Specification 1.2, 2.7. Queues lie in the
 * guest's memory, which its CPUs may change at any time: every value is read once, then checked. */
#include <string.h>

#include "device/virtio.h"

/* A descriptor: address, bytes, flags, the next one. */
#define DESCRIPTOR_BYTES 16u
#define DESCRIPTOR_NEXT  1u
#define DESCRIPTOR_WRITE 2u
#define DESCRIPTOR_TABLE 4u

struct descriptor {
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
};

_Static_assert(sizeof(struct descriptor) == DESCRIPTOR_BYTES, "2.7.5");

/* Available and used rings: flags, index, the ring. */
#define INDEX_AT     2u
#define RING_AT      4u
#define USED_BYTES   8u
#define NO_INTERRUPT 1u
#define EVENT_BYTES  2u /* after each ring, with NOVA_VIRTIO_EVENT_INDEX */

/* Work after which nova_virtio_serve() returns even if more chains are waiting: the number of
 * chains that it served, plus one for each SERVE_BYTES bytes of their data. */
#define SERVE_MAX   (4u * NOVA_VIRTIO_QUEUE_SIZE)
#define SERVE_BYTES 4096u

static uint16_t load(const uint8_t *from)
{
        return __atomic_load_n((const uint16_t *)(const void *)from, __ATOMIC_ACQUIRE);
}

void novavmm_virtio_queue_enable(struct nova_virtio *virtio, unsigned number)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];
        const uint32_t size = queue->size;
        const uint64_t *const at = queue->address;
        /* decided only once, because a driver could accept the features after this check */
        const bool events = virtio->status & NOVA_VIRTIO_FEATURES_OK &&
                            virtio->accepted & NOVA_VIRTIO_EVENT_INDEX;
        const bool tables =
                virtio->status & NOVA_VIRTIO_FEATURES_OK && virtio->accepted & NOVA_VIRTIO_INDIRECT;
        const uint32_t event_bytes = events ? EVENT_BYTES : 0;

        if (!size || size > NOVA_VIRTIO_QUEUE_SIZE || size & (size - 1)) {
                nova_virtio_break(virtio,
                                  "a queue whose size is not a power of two up to its limit");
                return;
        }
        if (at[0] % DESCRIPTOR_BYTES || at[1] % 2 || at[2] % 4) {
                nova_virtio_break(virtio, "a queue that is not aligned");
                return;
        }
        queue->descriptors = nova_guest_pointer(virtio->memory, at[0], DESCRIPTOR_BYTES * size);
        queue->available =
                nova_guest_pointer(virtio->memory, at[1], RING_AT + 2 * size + event_bytes);
        queue->used = nova_guest_pointer(virtio->memory, at[2],
                                         RING_AT + USED_BYTES * size + event_bytes);
        queue->events = events;
        queue->tables = tables;
        if (queue->descriptors && queue->available && queue->used)
                queue->enabled = true;
        else
                nova_virtio_break(virtio, "a queue outside its memory");
}

bool novavmm_virtio_queue_moved(const struct nova_virtio_queue *queue)
{
        return queue->enabled && load(queue->available + INDEX_AT) != queue->taken;
}

unsigned nova_virtio_waiting(struct nova_virtio *virtio, unsigned number)
{
        const struct nova_virtio_queue *const queue = &virtio->queue[number];

        if (!queue->enabled || !nova_virtio_ready(virtio))
                return 0;

        const uint16_t waiting = (uint16_t)(load(queue->available + INDEX_AT) - queue->taken);

        if (waiting + queue->kept > queue->size) { /* the driver does not see the kept ones */
                nova_virtio_break(virtio, "a queue with more chains than descriptors");
                return 0;
        }
        return waiting;
}

/* Adds the piece that a descriptor names.
 * @return the error, or NULL */
static const char *add(struct nova_virtio *virtio, const struct descriptor *from)
{
        struct nova_virtio_chain *const chain = &virtio->chain;
        uint8_t *const data = nova_guest_pointer(virtio->memory, from->address, from->bytes);

        if (from->flags & ~(DESCRIPTOR_NEXT | DESCRIPTOR_WRITE))
                return "a descriptor with flags that were not negotiated";
        if (!data)
                return "a descriptor outside its memory";
        if (from->flags & DESCRIPTOR_WRITE) {
                chain->write_bytes += from->bytes;
        } else if (chain->pieces > chain->readable) {
                return "a readable piece after a writable one";
        } else {
                chain->read_bytes += from->bytes;
                chain->readable++;
        }
        chain->piece[chain->pieces].data = data;
        chain->piece[chain->pieces++].bytes = from->bytes;
        return NULL;
}

/* The table with the next descriptors of a chain: that of the queue, or the chain's own table. */
struct descriptors {
        const uint8_t *first;
        uint32_t count;
        unsigned pieces_max; /* maximum number of pieces of the chain up to its end in this table */
        bool own;
};

/* Continues a chain in the table that a descriptor names: at the table's first descriptor. The
 * descriptor's flag WRITE has no meaning; 2.7.5.3.2.
 * @return the error, or NULL */
static const char *enter(const struct nova_virtio *virtio, struct descriptors *in,
                         struct descriptor *descriptor)
{
        if (in->own)
                return "a table of descriptors in a table";
        if (descriptor->flags & DESCRIPTOR_NEXT)
                return "a table of descriptors before the end of its chain";
        if (!descriptor->bytes || descriptor->bytes % DESCRIPTOR_BYTES)
                return "a table that is not a number of whole descriptors";
        in->first = nova_guest_pointer(virtio->memory, descriptor->address, descriptor->bytes);
        if (!in->first)
                return "a table of descriptors outside its memory";
        in->count = descriptor->bytes / DESCRIPTOR_BYTES;
        in->pieces_max = NOVA_VIRTIO_QUEUE_SIZE;
        in->own = true;
        descriptor->next = 0;
        descriptor->flags = DESCRIPTOR_NEXT;
        return NULL;
}

/* Follows a chain, beginning at its head.
 * @return the error, or NULL */
static const char *follow(struct nova_virtio *virtio, const struct nova_virtio_queue *queue)
{
        struct nova_virtio_chain *const chain = &virtio->chain;
        struct descriptors in = {queue->descriptors, queue->size, queue->size, false};
        struct descriptor descriptor = {.next = chain->head, .flags = DESCRIPTOR_NEXT};

        chain->readable = chain->pieces = 0;
        chain->read_bytes = chain->write_bytes = 0;
        while (descriptor.flags & DESCRIPTOR_NEXT) {
                const char *why;

                if (descriptor.next >= in.count)
                        return in.own ? "a descriptor number beyond its table"
                                      : "a descriptor number beyond the queue";
                if (chain->pieces == in.pieces_max)
                        return "a chain that is longer than its queue";
                memcpy(&descriptor, in.first + (size_t)DESCRIPTOR_BYTES * descriptor.next,
                       sizeof(descriptor));
                __atomic_signal_fence(__ATOMIC_SEQ_CST); /* only the copy is used after this */
                if (queue->tables && descriptor.flags & DESCRIPTOR_TABLE)
                        why = enter(virtio, &in, &descriptor);
                else
                        why = add(virtio, &descriptor);
                if (why)
                        return why;
        }
        return NULL;
}

bool nova_virtio_take(struct nova_virtio *virtio, unsigned number)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];

        if (!nova_virtio_waiting(virtio, number))
                return false;
        virtio->chain.head =
                load(queue->available + RING_AT + (size_t)2 * (queue->taken % queue->size));
        queue->taken++;

        const char *const why = follow(virtio, queue);

        if (why)
                nova_virtio_break(virtio, why);
        return !why;
}

/* Returns true if the driver wants an interrupt for one of the @p chains that were returned last.
 */
static bool wants_interrupt(const struct nova_virtio_queue *queue, uint16_t chains)
{
        if (!queue->events)
                return !(load(queue->available) & NO_INTERRUPT);

        const uint16_t event = load(queue->available + RING_AT + (size_t)2 * queue->size);

        return (uint16_t)(queue->given - event - 1) < chains;
}

void nova_virtio_keep(struct nova_virtio *virtio, unsigned number, uint32_t written)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];

        if (!queue->enabled || !nova_virtio_ready(virtio))
                return;

        const uint16_t index = (uint16_t)(queue->given + queue->kept);
        const uint32_t element[2] = {virtio->chain.head, written};

        memcpy(queue->used + RING_AT + (size_t)USED_BYTES * (index % queue->size), element,
               sizeof(element));
        queue->kept++;
}

/* Shows the driver the chains that were kept.
 * @return true if the driver wants an interrupt for them */
static bool show_kept(struct nova_virtio *virtio, unsigned number)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];
        const uint16_t chains = queue->kept;

        if (!chains || !nova_virtio_ready(virtio))
                return false;
        queue->given = (uint16_t)(queue->given + chains);
        queue->kept = 0;
        __atomic_store_n((uint16_t *)(void *)(queue->used + INDEX_AT), queue->given,
                         __ATOMIC_SEQ_CST);
        /* The driver writes its event index, or its flags, before it looks at the index. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return wants_interrupt(queue, chains);
}

/* Returns the chain to the driver.
 * @return true if the driver wants an interrupt for it */
static bool put_used(struct nova_virtio *virtio, unsigned number, uint32_t written)
{
        nova_virtio_keep(virtio, number, written);
        return show_kept(virtio, number);
}

static void interrupt(struct nova_virtio *virtio, struct nova_virtio_queue *queue)
{
        queue->late = false;
        novavmm_virtio_interrupt(virtio, ISR_QUEUE, queue->vector);
}

void nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written)
{
        if (put_used(virtio, number, written))
                interrupt(virtio, &virtio->queue[number]);
}

void nova_virtio_give_kept(struct nova_virtio *virtio, unsigned number)
{
        if (show_kept(virtio, number))
                interrupt(virtio, &virtio->queue[number]);
}

void nova_virtio_take_again(struct nova_virtio *virtio, unsigned number)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];

        queue->taken = (uint16_t)(queue->taken - queue->kept);
        queue->kept = 0;
}

void nova_virtio_give_late(struct nova_virtio *virtio, unsigned number, uint32_t written)
{
        struct nova_virtio_queue *const queue = &virtio->queue[number];

        if (put_used(virtio, number, written) && !queue->late) {
                queue->late = virtio->late = true;
                queue->late_since = (uint16_t)(queue->given - 1);
        }
        if (queue->late && (!virtio->may_be_late ||
                            (uint16_t)(queue->given - queue->late_since) >= queue->size / 4))
                interrupt(virtio, queue);
}

void nova_virtio_report(struct nova_virtio *virtio)
{
        virtio->late = false;
        for (unsigned i = 0; i < virtio->kind->queues; i++)
                if (virtio->queue[i].late && nova_virtio_ready(virtio))
                        interrupt(virtio, &virtio->queue[i]);
}

bool nova_virtio_listen(struct nova_virtio *virtio, unsigned number)
{
        const struct nova_virtio_queue *const queue = &virtio->queue[number];

        if (!queue->enabled || !queue->events || !nova_virtio_ready(virtio))
                return false;
        __atomic_store_n(
                (uint16_t *)(void *)(queue->used + RING_AT + (size_t)USED_BYTES * queue->size),
                queue->taken, __ATOMIC_SEQ_CST);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return nova_virtio_waiting(virtio, number);
}

void nova_virtio_serve(struct nova_virtio *virtio, unsigned number,
                       bool (*serve)(struct nova_virtio *virtio, uint32_t *written))
{
        uint64_t work = 0;
        uint32_t written;

        do {
                while (work < SERVE_MAX && nova_virtio_take(virtio, number)) {
                        if (!serve(virtio, &written))
                                return;
                        nova_virtio_give(virtio, number, written);
                        work += 1 + (virtio->chain.read_bytes + written) / SERVE_BYTES;
                }
        } while (work < SERVE_MAX && nova_virtio_listen(virtio, number));
        if (work >= SERVE_MAX)
                nova_virtio_pause(virtio);
}

/* Copies between a run of pieces and the monitor's memory. */
static bool copy(const struct nova_virtio_piece *piece, unsigned pieces, uint64_t offset, void *to,
                 const void *from, uint64_t bytes)
{
        uint64_t done = 0;

        for (; pieces && done < bytes; pieces--, piece++) {
                if (offset >= piece->bytes) {
                        offset -= piece->bytes;
                        continue;
                }

                uint64_t part = piece->bytes - offset;

                if (part > bytes - done)
                        part = bytes - done;
                if (to)
                        memcpy((uint8_t *)to + done, piece->data + offset, (size_t)part);
                else
                        memcpy(piece->data + offset, (const uint8_t *)from + done, (size_t)part);
                done += part;
                offset = 0;
        }
        return done == bytes;
}

bool nova_virtio_read(const struct nova_virtio_chain *chain, uint64_t offset, void *to,
                      uint64_t bytes)
{
        if (offset > chain->read_bytes || bytes > chain->read_bytes - offset)
                return false;
        return copy(chain->piece, chain->readable, offset, to, NULL, bytes);
}

bool nova_virtio_write(const struct nova_virtio_chain *chain, uint64_t offset, const void *from,
                       uint64_t bytes)
{
        if (offset > chain->write_bytes || bytes > chain->write_bytes - offset)
                return false;
        return copy(chain->piece + chain->readable, chain->pieces - chain->readable, offset, NULL,
                    from, bytes);
}
