/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the queue of the driver e1000e with a card that writes anything to the descriptors. Each
 * request must end once, in order and with a size that fits, and after a reset the card must get
 * the driver's own copies of the descriptors. */
#include "queue.h"

#include <string.h>

#include "require.h"

#define GUARD 0x5a

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The descriptors, and a guard after them. */
static struct {
        uint32_t words[E1000E_QUEUE_SIZE][4];
        uint8_t guard[16];
} memory;

/* The driver's requests as the test knows them: a list of those in flight. */
static struct {
        uint64_t address;
        uint32_t tag, stamp;
} expected[E1000E_QUEUE_SIZE];
static unsigned count;

static void add(struct e1000e_queue *queue, uint32_t value)
{
        const uint64_t address = (uint64_t)value << 20 | value;

        require(e1000e_queue_is_full(queue) == (count == E1000E_QUEUE_SIZE - 1));
        if (e1000e_queue_is_full(queue))
                return;
        expected[count].address = address;
        expected[count].tag = value;
        expected[count].stamp = value & 1 ? value : 0;
        count++;
        if (value & 1)
                e1000e_queue_add_frame(queue, address, 14 + value % 1501, value, value);
        else
                e1000e_queue_add_buffer(queue, address, value);
}

static void remove_first(uint32_t tag)
{
        require(count && expected[0].tag == tag);
        count--;
        memmove(expected, expected + 1, count * sizeof(expected[0]));
}

static void take(struct e1000e_queue *queue)
{
        struct e1000e_end end;

        for (;;) {
                const bool done = memory.words[e1000e_queue_head(queue)][3] & 1;

                if (!e1000e_queue_take(queue, &end)) {
                        require(!done || !count);
                        return;
                }
                require(done);
                require(end.bytes <= E1000E_BUFFER_BYTES);
                remove_first(end.tag);
        }
}

/* Resets the card: the driver cancels its frames, or gives them to the card again. */
static void renew(struct e1000e_queue *queue, bool cancels)
{
        const unsigned head = e1000e_queue_head(queue);
        uint32_t tag;

        if (cancels) {
                while (e1000e_queue_cancel(queue, &tag))
                        remove_first(tag);
                require(!count && e1000e_queue_head(queue) == e1000e_queue_tail(queue));
                return;
        }
        e1000e_queue_renew(queue);
        for (unsigned i = 0; i < count; i++) {
                const uint32_t *words = memory.words[(head + i) % E1000E_QUEUE_SIZE];

                require((words[0] | (uint64_t)words[1] << 32) == expected[i].address && !words[3]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct e1000e_queue queue = {.descriptors = memory.words[0]};
        uint32_t value = 0;

        memset(&memory, 0, sizeof(memory));
        memset(memory.guard, GUARD, sizeof(memory.guard));
        count = 0;
        e1000e_queue_init(&queue);
        queue.added = queue.taken = size ? -(unsigned)data[0] : 0; /* counters wrap */
        for (size_t at = 1; at + 6 < size; at += 7) {
                const unsigned place = (queue.taken + data[at + 1]) % E1000E_QUEUE_SIZE;

                switch (data[at] & 7) {
                case 0:
                case 1:
                        for (unsigned i = 0; i <= data[at + 1]; i++)
                                add(&queue, ++value);
                        break;
                case 2:
                        renew(&queue, data[at + 1] & 1);
                        break;
                case 3: /* the card ends requests correctly */
                        for (unsigned i = 0; i < data[at + 1]; i++)
                                memory.words[(queue.taken + i) % E1000E_QUEUE_SIZE][3] |= 3;
                        break;
                default:
                        memcpy(&memory.words[place][data[at + 2] % 4], data + at + 3, 4);
                        break;
                }
                take(&queue);
                require(queue.added - queue.taken == count);
                require(e1000e_queue_stamp(&queue) == (count ? expected[0].stamp : 0));
        }
        for (unsigned i = 0; i < sizeof(memory.guard); i++)
                require(memory.guard[i] == GUARD);
        return 0;
}
