/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes descriptors, and reads what the card has written to them. */
#include "queue.h"

#include <string.h>

#define WORDS 4 /* words of a descriptor: address (2), length and command, status */

/* Commands of a frame to send, in the third word. */
#define COMMAND_END      (1u << 24) /* the frame ends here */
#define COMMAND_CHECKSUM (1u << 25) /* the card adds the frame's checksum */
#define COMMAND_REPORT   (1u << 27) /* the card reports the end */

/* The fourth word. */
#define STATUS_DONE  1u           /* the card has finished with the request */
#define STATUS_END   2u           /* the frame ends in this buffer */
#define STATUS_WRONG (0x97u << 8) /* errors: checksum, symbols, sequence, carrier, data */

static volatile uint32_t *descriptor_of(const struct e1000e_queue *queue, unsigned number)
{
        return queue->descriptors + (size_t)(number % E1000E_QUEUE_SIZE) * WORDS;
}

static void write_descriptor(struct e1000e_queue *queue, unsigned number)
{
        const struct e1000e_slot *slot = &queue->slot[number % E1000E_QUEUE_SIZE];
        volatile uint32_t *words = descriptor_of(queue, number);

        words[0] = (uint32_t)slot->address;
        words[1] = (uint32_t)(slot->address >> 32);
        words[2] = slot->command;
        words[3] = 0;
}

void e1000e_queue_init(struct e1000e_queue *queue)
{
        queue->added = 0;
        queue->taken = 0;
}

void e1000e_queue_renew(struct e1000e_queue *queue)
{
        for (unsigned number = queue->taken; number != queue->added; number++)
                write_descriptor(queue, number);
}

bool e1000e_queue_is_full(const struct e1000e_queue *queue)
{
        return queue->added - queue->taken >= E1000E_QUEUE_SIZE - 1;
}

static void add(struct e1000e_queue *queue, struct e1000e_slot slot)
{
        queue->slot[queue->added % E1000E_QUEUE_SIZE] = slot;
        write_descriptor(queue, queue->added);
        queue->added++;
}

void e1000e_queue_add_frame(struct e1000e_queue *queue, uint64_t address, uint32_t bytes,
                            uint32_t tag, uint32_t stamp)
{
        const uint32_t command = COMMAND_END | COMMAND_CHECKSUM | COMMAND_REPORT | bytes;

        add(queue, (struct e1000e_slot){address, command, tag, stamp});
}

void e1000e_queue_add_buffer(struct e1000e_queue *queue, uint64_t address, uint32_t tag)
{
        add(queue, (struct e1000e_slot){address, 0, tag, 0});
}

bool e1000e_queue_take(struct e1000e_queue *queue, struct e1000e_end *end)
{
        const volatile uint32_t *words = descriptor_of(queue, queue->taken);
        uint32_t status, bytes;

        if (queue->taken == queue->added)
                return false;
        status = words[3];
        if (!(status & STATUS_DONE))
                return false;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        bytes = words[2] & 0xffff;
        *end = (struct e1000e_end){queue->slot[queue->taken % E1000E_QUEUE_SIZE].tag, 0};
        if (status & STATUS_END && !(status & STATUS_WRONG) && bytes <= E1000E_BUFFER_BYTES)
                end->bytes = bytes;
        queue->taken++;
        return true;
}

bool e1000e_queue_cancel(struct e1000e_queue *queue, uint32_t *tag)
{
        if (queue->taken == queue->added)
                return false;
        *tag = queue->slot[queue->taken++ % E1000E_QUEUE_SIZE].tag;
        return true;
}

uint32_t e1000e_queue_stamp(const struct e1000e_queue *queue)
{
        return queue->taken == queue->added ? 0
                                            : queue->slot[queue->taken % E1000E_QUEUE_SIZE].stamp;
}

uint32_t e1000e_queue_head(const struct e1000e_queue *queue)
{
        return queue->taken % E1000E_QUEUE_SIZE;
}

uint32_t e1000e_queue_tail(const struct e1000e_queue *queue)
{
        return queue->added % E1000E_QUEUE_SIZE;
}
