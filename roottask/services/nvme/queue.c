/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs of queues, and lists of pages. */
#include "queue.h"

#define COMPLETION_WORDS 4
#define STATUS_WORD      3 /* command's id in the lower half; phase in bit 16, status above */

/* At most size - 1 commands are in flight, so the controller never sees a full queue. */
int nvme_queue_add(struct nvme_queue *queue, const struct nvme_command *command)
{
        unsigned id = queue->tail;

        if (queue->busy_count + 1 >= queue->size)
                return -1;
        while (queue->busy[id])
                id = (id + 1) % queue->size;
        queue->busy[id] = true;
        queue->busy_count++;
        queue->commands[queue->tail] = *command;
        queue->commands[queue->tail].id = (uint16_t)id;
        queue->tail = (queue->tail + 1) % queue->size;
        return (int)id;
}

enum nvme_answer nvme_queue_take(struct nvme_queue *queue, unsigned *id, unsigned *status)
{
        const uint32_t word = queue->completions[queue->head * COMPLETION_WORDS + STATUS_WORD];

        if ((word >> 16 & 1) != queue->phase)
                return NVME_EMPTY;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        *id = word & 0xffff;
        *status = word >> 17;
        if (*id >= queue->size || !queue->busy[*id])
                return NVME_BROKEN;
        queue->busy[*id] = false;
        queue->busy_count--;
        queue->head = (queue->head + 1) % queue->size;
        if (!queue->head)
                queue->phase = !queue->phase;
        return NVME_TAKEN;
}

/* The command contains the first entry. Its second field contains the second entry if there are
 * two; if there are more, it is the address of a list of all entries but the first. */
bool nvme_pages_add(struct nvme_pages *pages, uint64_t address, uint32_t bytes)
{
        const uint64_t skip = address % NVME_PAGE;
        const unsigned count = (unsigned)((skip + bytes + NVME_PAGE - 1) / NVME_PAGE);

        if (pages->count && (skip || pages->end % NVME_PAGE))
                return false;
        if (count > pages->most + 1 - pages->count)
                return false;
        for (unsigned i = 0; i < count; i++) {
                const uint64_t entry = i ? address - skip + (uint64_t)i * NVME_PAGE : address;

                if (!pages->count)
                        pages->command->page[0] = entry;
                else
                        pages->list[pages->count - 1] = entry;
                pages->count++;
        }
        pages->end = address + bytes;
        pages->command->page[1] = pages->count < 2    ? 0
                                  : pages->count == 2 ? pages->list[0]
                                                      : pages->list_device;
        return true;
}
