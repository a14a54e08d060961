/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the queue of a virtio driver with a device that writes anything to the queue's memory.
 * Only a request in flight must end, and only once. Then its number must be free for another
 * request. */
#include "queue.h"

#include <string.h>

#include "require.h"

#define STEP 6 /* bytes of the input per step */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct queue queue;
static bool in_flight[QUEUE_SIZE_MAX];
static char memory[0x20000]; /* more than a queue has */

static uint16_t *used_words(void)
{
        return (uint16_t *)(memory + (queue_used(&queue) - queue.device));
}

/* Returns the request that the device has named in an entry. */
static uint32_t id_of(uint16_t index)
{
        uint32_t id;

        memcpy(&id, (char *)used_words() + 4 + (size_t)(index % queue.size) * 8, sizeof(id));
        return id;
}

static void add(unsigned number)
{
        const struct queue_part parts[2] = {{0x1000, 12, true}, {0x2000, 2048, true}};

        if (in_flight[number])
                return;
        in_flight[number] = true;
        queue_add(&queue, number, parts, queue.indirect ? 2 : queue.span);
}

/* Takes all requests, as a driver does. @return false: the driver resets the device */
static bool take(void)
{
        enum queue_answer answer;
        unsigned number;
        uint32_t bytes;

        do {
                while ((answer = queue_take(&queue, &number, &bytes)) == QUEUE_TAKEN) {
                        require(number < queue.depth && in_flight[number]);
                        require(id_of((uint16_t)(queue.taken - 1)) == number * queue.span);
                        in_flight[number] = false;
                }
                if (answer == QUEUE_BROKEN)
                        return false;
        } while (!queue_arm(&queue));
        return true;
}

/* Ends the oldest requests as a device should, in any order. */
static void end(const uint8_t *step)
{
        uint16_t *used = used_words();

        for (unsigned i = 0; i < queue.depth; i++) {
                const unsigned number = (step[1] + i) % queue.depth;
                const uint32_t entry[2] = {number * queue.span, step[2]};

                if (!in_flight[number] || (step[3] & 1u << i % 8))
                        continue;
                memcpy((char *)used + 4 + (size_t)(used[1] % queue.size) * sizeof(entry), entry,
                       sizeof(entry));
                used[1]++;
        }
}

static void start(uint8_t shape)
{
        memset(&queue, 0, sizeof(queue));
        memset(in_flight, 0, sizeof(in_flight));
        queue.size = 2u << shape % 8;
        queue.indirect = shape & 0x10;
        queue.events = shape & 0x20;
        queue.span = queue.indirect ? 1 : 2;
        queue.depth = queue.size / queue.span;
        queue.memory = memory;
        queue.device = 0x100000;
        require(queue_bytes(&queue) <= sizeof(memory) - 64);
        memset(memory, 0, sizeof(memory));
        queue_init(&queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t bytes;

        start(size ? data[0] : 0);
        bytes = queue_bytes(&queue);
        for (size_t at = 1; at + STEP <= size; at += STEP) {
                const uint8_t *step = data + at;

                switch (step[0] & 3) {
                case 0:
                        for (unsigned i = 0; i <= step[1] % 16u; i++)
                                add((step[2] + i) % queue.depth);
                        queue_publish(&queue);
                        break;
                case 1:
                        end(step);
                        break;
                default:
                        memcpy(memory + (step[1] | (size_t)step[2] << 8) % (bytes - 1), step + 3,
                               2);
                        break;
                }
                if (!take())
                        start(data[0]);
                for (size_t i = bytes; i < bytes + 64; i++)
                        require(!memory[i]);
        }
        return 0;
}
