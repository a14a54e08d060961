/* SPDX-License-Identifier: BSD-2-Clause */
/* Split virtqueues. The number of a request determines its descriptors: one descriptor and a table,
 * or one descriptor for each part. */
#include "queue.h"

#include <string.h>

#define DESCRIPTOR_NEXT     1
#define DESCRIPTOR_WRITE    2
#define DESCRIPTOR_INDIRECT 4

#define NO_INTERRUPT 1 /* flags of the available ring */
#define NO_NOTIFY    1 /* flags of the used ring */

struct descriptor {
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
};

struct used {
        uint32_t id, bytes;
};

#define TABLE_BYTES (QUEUE_PARTS * sizeof(struct descriptor))

/* Offsets in the memory: descriptors, available ring, used ring, tables. */
static size_t available_offset(const struct queue *queue)
{
        return queue->size * sizeof(struct descriptor);
}

static size_t used_offset(const struct queue *queue)
{
        return (available_offset(queue) + 6 + 2 * (size_t)queue->size + 63) & ~(size_t)63;
}

static size_t table_offset(const struct queue *queue)
{
        return (used_offset(queue) + 6 + sizeof(struct used) * queue->size + 63) & ~(size_t)63;
}

size_t queue_bytes(const struct queue *queue)
{
        return table_offset(queue) + (queue->indirect ? queue->depth * TABLE_BYTES : 0);
}

void queue_init(struct queue *queue)
{
        memset(queue->memory, 0, queue_bytes(queue));
        memset(queue->busy, 0, sizeof(queue->busy));
        queue->available = (volatile uint16_t *)(queue->memory + available_offset(queue));
        queue->used = (volatile uint16_t *)(queue->memory + used_offset(queue));
        queue->added = 0;
        queue->published = 0;
        queue->taken = 0;
}

uint64_t queue_descriptors(const struct queue *queue)
{
        return queue->device;
}

uint64_t queue_available(const struct queue *queue)
{
        return queue->device + available_offset(queue);
}

uint64_t queue_used(const struct queue *queue)
{
        return queue->device + used_offset(queue);
}

static volatile struct used *used_entry(const struct queue *queue, unsigned index)
{
        return (volatile struct used *)(queue->used + 2) + (index & (queue->size - 1));
}

static void write_parts(volatile struct descriptor *own, unsigned base,
                        const struct queue_part *parts, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                own[i].address = parts[i].address;
                own[i].bytes = parts[i].bytes;
                own[i].flags = (uint16_t)((parts[i].device_writes ? DESCRIPTOR_WRITE : 0) |
                                          (i + 1 < count ? DESCRIPTOR_NEXT : 0));
                own[i].next = (uint16_t)(base + i + 1);
        }
}

static void append(struct queue *queue, unsigned number, unsigned head)
{
        queue->available[2 + (queue->added & (queue->size - 1))] = (uint16_t)head;
        queue->busy[number] = true;
        queue->added++;
}

void queue_add(struct queue *queue, unsigned number, const struct queue_part *parts, unsigned count)
{
        volatile struct descriptor *all = (volatile struct descriptor *)queue->memory;
        const unsigned head = number * queue->span;
        const size_t table = table_offset(queue) + number * TABLE_BYTES;
        const unsigned base = queue->indirect ? 0 : head;
        volatile struct descriptor *own =
                queue->indirect ? (volatile struct descriptor *)(queue->memory + table)
                                : all + head;

        write_parts(own, base, parts, count);
        if (queue->indirect) {
                all[head].address = queue->device + table;
                all[head].bytes = (uint32_t)(count * sizeof(struct descriptor));
                all[head].flags = DESCRIPTOR_INDIRECT;
                all[head].next = 0;
        }
        append(queue, number, head);
}

void queue_prepare(struct queue *queue, unsigned number, const struct queue_part *parts,
                   unsigned count)
{
        const unsigned head = number * queue->span;

        write_parts((volatile struct descriptor *)queue->memory + head, head, parts, count);
}

void queue_add_last(struct queue *queue, unsigned number, unsigned last, uint64_t address,
                    uint32_t bytes)
{
        const unsigned head = number * queue->span;
        volatile struct descriptor *own = (volatile struct descriptor *)queue->memory + head + last;

        own->address = address;
        own->bytes = bytes;
        append(queue, number, head);
}

bool queue_publish(struct queue *queue)
{
        const uint16_t before = queue->published, fresh = (uint16_t)(queue->added - before);
        volatile uint16_t *words = queue->used;

        if (!fresh)
                return false;
        __atomic_thread_fence(__ATOMIC_RELEASE);
        queue->available[1] = queue->added;
        queue->published = queue->added;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (!queue->events)
                return !(words[0] & NO_NOTIFY);

        /* the device requests a notification when the index passes this one */
        const uint16_t event = words[2 + 4 * queue->size];

        return (uint16_t)(queue->added - event - 1) < fresh;
}

enum queue_answer queue_take(struct queue *queue, unsigned *number, uint32_t *bytes)
{
        const uint16_t index = queue->used[1];
        uint32_t id;

        if (index == queue->taken)
                return QUEUE_EMPTY;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        id = used_entry(queue, queue->taken)->id;
        *bytes = used_entry(queue, queue->taken)->bytes;
        if (id % queue->span || id / queue->span >= queue->depth || !queue->busy[id / queue->span])
                return QUEUE_BROKEN;
        queue->busy[id / queue->span] = false;
        queue->taken++;
        *number = id / queue->span;
        return QUEUE_TAKEN;
}

bool queue_is_taken(const struct queue *queue)
{
        return queue->used[1] == queue->taken;
}

bool queue_arm(struct queue *queue)
{
        if (queue->events)
                queue->available[2 + queue->size] = queue->taken;
        else
                queue->available[0] = 0;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return queue_is_taken(queue);
}

/* With events there is nothing to do: the device interrupts only for the request that the driver
 * named, and this request has completed. */
void queue_disarm(struct queue *queue)
{
        if (!queue->events)
                queue->available[0] = NO_INTERRUPT;
}

bool queue_is_done(const struct queue *queue)
{
        return queue->used[1] == queue->published;
}
